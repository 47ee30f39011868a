public import Domain

/// One condition on one field of a record, for those who do not want to write a formula.
///
/// Texts compare without regard to case and to how much space stands between words, links and people by their names, a
/// moment with a day by its day in UTC. An empty cell fits `empty`, `!=`, and false of a checkbox.
public struct RecordCondition: Sendable, Hashable {
    public enum Comparison: String, Sendable, Hashable, Codable, CaseIterable {
        case equals = "="
        case differs = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contains
        case isIn = "in"
        case empty
        case notEmpty
    }

    /// Name or identifier.
    public var field: String
    public var comparison: Comparison
    /// A number, a text, a flag, a day or moment in ISO 8601; with `isIn` a list of them.
    public var value: JSONValue?

    public init(field: String, comparison: Comparison, value: JSONValue? = nil) {
        self.field = field
        self.comparison = comparison
        self.value = value
    }
}
