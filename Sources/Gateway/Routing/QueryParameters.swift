public import Domain

/// A parameter that a route takes after the `?`.
public struct QueryParameter: Sendable, Hashable {
    public let name: String
    public let description: String
    public let schema: JSONSchema

    init(_ name: String, _ description: String, _ schema: JSONSchema) {
        self.name = name
        self.description = description
        self.schema = schema
    }
}

/// The query of one request: each known parameter at most once.
struct QueryParameters: Sendable, Hashable {
    private let values: [String: String]

    /// - Throws: `invalidParameter` for a name the route does not take, one that is repeated, and broken escapes.
    init(parsing query: String?, allowed: [QueryParameter]) throws(GatewayError) {
        var values: [String: String] = [:]
        for part in (query ?? "").split(separator: "&") {
            let name = part.prefix { $0 != "=" }
            guard let name = PercentEncoding.decoded(name),
                let value = PercentEncoding.decoded(part.dropFirst(name.count + 1))
            else {
                throw GatewayError(.invalidParameter, "The query has a broken percent escape.")
            }
            guard let known = allowed.first(where: { $0.name == name }) else {
                let names = allowed.map(\.name).joined(separator: ", ")
                throw GatewayError(
                    .invalidParameter,
                    "This route does not take the query parameter \(shownParameter(name)).",
                    hint: allowed.isEmpty ? "leave the query out" : "it takes \(names)"
                )
            }
            if let most = known.schema.json["maxLength"]?.intValue, value.unicodeScalars.count > most {
                throw GatewayError(
                    .invalidParameter,
                    "The query parameter \(known.name) has more than \(most) characters."
                )
            }
            guard values.updateValue(value, forKey: known.name) == nil else {
                throw GatewayError(.invalidParameter, "The query parameter \(known.name) is given twice.")
            }
        }
        self.values = values
    }

    func text(_ name: String) -> String? { values[name] }

    /// - Throws: `invalidParameter` when it is neither `true` nor `false`.
    func flag(_ name: String) throws(GatewayError) -> Bool? {
        switch values[name] {
        case nil: nil
        case "true": true
        case "false": false
        default: throw GatewayError(.invalidParameter, "The query parameter \(name) is true or false.")
        }
    }

    /// - Throws: `invalidParameter` when it is no whole number, or outside `range`.
    func integer(_ name: String, in range: ClosedRange<Int>) throws(GatewayError) -> Int? {
        guard let text = values[name] else { return nil }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(text), range.contains(number)
        else {
            throw GatewayError(
                .invalidParameter,
                "The query parameter \(name) is a whole number from \(range.lowerBound) to \(range.upperBound)."
            )
        }
        return number
    }
}

/// At most 40 characters of what a client sent, fit for a message.
func shownParameter(_ text: String) -> String {
    let clean = text.prefix(40).map { $0.isLetter || $0.isNumber || "-_.[]".contains($0) ? $0 : "?" }
    return "\"\(String(clean))\""
}
