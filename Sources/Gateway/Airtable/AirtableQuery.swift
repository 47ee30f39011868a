import Airtable
import Domain

/// The query of a request of Airtable's API: names may come again (`fields[]=A&fields[]=B`), and names that nobody
/// knows are passed over, as the hosted service does.
struct AirtableQuery: Sendable {
    private let pairs: [(name: String, value: String)]

    /// - Throws: `invalidRequest` for broken escapes.
    init(parsing query: String) throws(AirtableRefusal) {
        var pairs: [(name: String, value: String)] = []
        for part in query.split(separator: "&") {
            let raw = part.prefix { $0 != "=" }
            guard let name = PercentEncoding.decoded(raw),
                let value = PercentEncoding.decoded(part.dropFirst(raw.count + 1))
            else { throw .invalid("The query has a broken percent escape.") }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// For routes that take no more than they say: each parameter is known, has a value, and comes once, but lists.
    func check(against known: [QueryParameter]) throws(GatewayError) {
        var seen: Set<String> = []
        for (name, value) in pairs {
            let general = Self.declared(name)
            guard known.contains(where: { $0.name == general }) else {
                throw GatewayError(
                    .invalidParameter,
                    "This route does not take the query parameter \(shownParameter(name)).",
                    hint: "it takes \(known.map(\.name).joined(separator: ", "))"
                )
            }
            guard !value.isEmpty else {
                throw GatewayError(.invalidParameter, "The query parameter \(general) has no value.")
            }
            guard name.hasSuffix("[]") || seen.insert(name).inserted else {
                throw GatewayError(.invalidParameter, "The query parameter \(general) is given twice.")
            }
        }
    }

    /// The last one of this name; nil when it is absent or empty.
    func text(_ name: String) -> String? {
        pairs.last { $0.name == name }.flatMap { $0.value.isEmpty ? nil : $0.value }
    }

    func flag(_ name: String) throws(AirtableRefusal) -> Bool? {
        switch text(name)?.lowercased() {
        case nil: nil
        case "1", "true": true
        case "0", "false": false
        default: throw .invalid("\(name) must be true or false.")
        }
    }

    func integer(_ name: String) throws(AirtableRefusal) -> Int? {
        guard let text = text(name) else { return nil }
        guard let number = Int(text) else { throw .invalid("\(name) must be a whole number.") }
        return number
    }

    /// The values of `name[]`, `name[0]`…, or `name`, in the order they came; nil when there is none.
    func texts(_ name: String) -> [String]? {
        let values = pairs.filter {
            $0.name == name || Self.index(in: $0.name.dropFirst(name.count)) != nil && $0.name.hasPrefix(name)
        }
        return values.isEmpty ? nil : values.map(\.value)
    }

    /// The members of `name[0][field]=A&name[0][direction]=desc`, in the order of their numbers.
    func members(_ name: String) -> [[String: String]] {
        var found: [Int: [String: String]] = [:]
        for (key, value) in pairs where key.hasPrefix(name + "[") {
            let rest = key.dropFirst(name.count)
            guard let close = rest.firstIndex(of: "]"), let number = Int(rest[..<close].dropFirst()), number >= 0 else {
                continue
            }
            let member = rest[rest.index(after: close)...]
            guard member.hasPrefix("["), member.hasSuffix("]") else { continue }
            found[number, default: [:]][String(member.dropFirst().dropLast())] = value
        }
        return found.sorted { $0.key < $1.key }.map(\.value)
    }

    /// A name as routes declare it: `fields[7]` is `fields[]`, `sort[3][field]` is `sort[0][field]`.
    private static func declared(_ name: String) -> String {
        guard let open = name.firstIndex(of: "["), let close = name.firstIndex(of: "]"), open < close,
            Int(name[name.index(after: open)..<close]) != nil
        else { return name }
        let rest = name[name.index(after: close)...]
        return name[..<open] + (rest.isEmpty ? "[]" : "[0]") + rest
    }

    /// `[]` and `[7]`.
    private static func index(in text: Substring) -> Int? {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return nil }
        let inside = text.dropFirst().dropLast()
        return inside.isEmpty ? 0 : Int(inside)
    }
}
