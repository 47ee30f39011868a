import Airtable
import Domain

/// A condition on one field as tools take it.
struct FilterCondition: WireType, Hashable {
    var field: String
    var op: RecordCondition.Comparison
    var value: JSONValue?

    static var schema: JSONSchema {
        .object(
            properties: [
                "field": .fieldArgument,
                "op": .string(
                    description: "contains: texts and lists.",
                    enum: RecordCondition.Comparison.allCases.map(\.rawValue)
                ),
                "value": JSONSchema.any.described(
                    "Number, text, flag, date as YYYY-MM-DD; with in, a list."
                ),
            ],
            required: ["field", "op"]
        )
    }

    static var argument: JSONSchema {
        .array(of: schema, description: "Only records that fit all of these.", maxItems: Limits.filterConditions)
    }

    /// By the identifier of its field.
    func condition(of table: Table) throws -> RecordCondition {
        RecordCondition(field: try table.named(field).id.description, comparison: op, value: value)
    }
}
