/// The letters of Prometheus' text format.
enum MetricText {
    /// A name of letters, digits, underscores and colons that does not begin with a digit and ends with `suffix`.
    static func name(_ label: String, suffix: String = "") -> String {
        var name = String(label.map { isPlain($0) || $0 == ":" ? $0 : "_" })
        if name.isEmpty || name.first!.isNumber { name = "_\(name)" }
        return name.hasSuffix(suffix) ? name : name + suffix
    }

    static func labelName(_ label: String) -> String {
        let name = String(label.map { isPlain($0) ? $0 : "_" })
        return name.isEmpty || name.first!.isNumber ? "_\(name)" : name
    }

    static func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if value == value.rounded(), abs(value) < 1e15 { return String(Int64(value)) }
        return "\(value)"
    }

    private static func isPlain(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || character == "_")
    }
}

/// The labels of one series, sorted by name.
struct MetricLabels: Sendable, Hashable, Comparable {
    private let pairs: [Pair]

    private struct Pair: Sendable, Hashable, Comparable {
        let name: String
        let value: String

        static func < (left: Self, right: Self) -> Bool { (left.name, left.value) < (right.name, right.value) }
    }

    init(_ dimensions: [(String, String)]) {
        pairs = dimensions.map { Pair(name: MetricText.labelName($0.0), value: $0.1) }.sorted()
    }

    private init(pairs: [Pair]) { self.pairs = pairs }

    /// The same names, with `overflow` for every value.
    var overflowed: Self { Self(pairs: pairs.map { Pair(name: $0.name, value: "overflow") }) }

    /// In braces, with `extra` as the last; empty when there are none.
    func text(and extra: String? = nil) -> String {
        let all = pairs.map { "\($0.name)=\"\(MetricText.escaped($0.value))\"" } + (extra.map { [$0] } ?? [])
        return all.isEmpty ? "" : "{\(all.joined(separator: ","))}"
    }

    static func < (left: Self, right: Self) -> Bool { left.pairs.lexicographicallyPrecedes(right.pairs) }
}
