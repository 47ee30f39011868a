import Airtable
import Domain

struct AggregateRecordsTool: ReadingTool {
    static let groupsDefault = 50
    static let measuresMax = 8

    let airtable: AirtableService

    let name = "aggregate_records"
    let title = "Count and sum records"
    let description = """
        Counts records, or sums, averages and compares fields, exactly and over all of a table: whole, or by groups and spans \
        of time. Use it for every "how many", "total" or "highest" instead of reading records.
        """
    let permission = Permission.recordsRead
    let toolset = Toolset.records

    struct Arguments: WireType {
        var base: String
        var table: String
        var measures: [Measure]?
        var groupBy: [Grouping]?
        var filter: [FilterCondition]?
        var formula: String?
        var limit: Int?

        struct Measure: WireType, Hashable {
            var function: AggregationQuery.Function
            var field: String?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "function": .string(
                            description: "count: records, or a field's cells.",
                            enum: AggregationQuery.Function.allCases.map(\.rawValue)
                        ),
                        "field": .fieldArgument,
                    ],
                    required: ["function"]
                )
            }
        }

        struct Grouping: WireType, Hashable {
            var field: String
            var bucket: AggregationQuery.Bucket?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "field": .fieldArgument,
                        "bucket": .string(
                            description: "Of dates, in UTC.",
                            enum: AggregationQuery.Bucket.allCases.map(\.rawValue)
                        ),
                    ],
                    required: ["field"]
                )
            }
        }

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument,
                    "measures": .array(
                        of: Measure.schema,
                        description: "The count of records, unless given.",
                        minItems: 1,
                        maxItems: measuresMax
                    ),
                    "groupBy": .array(
                        of: Grouping.schema,
                        description: "A record with several values is in several groups.",
                        maxItems: 2
                    ),
                    "filter": FilterCondition.argument, "formula": .formulaArgument,
                    "limit": .limitArgument("Groups", default: groupsDefault, max: Limits.aggregateGroupsShown),
                ],
                required: ["base", "table"]
            )
        }
    }

    struct Answer: WireType {
        struct Group: WireType {
            var keys: [JSONValue]
            var values: [JSONValue]

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "keys": .array(of: .any, description: "As groupBy; null without a value."),
                        "values": .array(of: .any, description: "As measures; null of nothing."),
                    ],
                    required: ["keys", "values"]
                )
            }
        }

        var table: String
        var tableId: String
        /// Records that fit the filters.
        var recordCount: Int
        var measures: [String]
        var groups: [Group]
        /// Before the limit.
        var groupCount: Int

        static var schema: JSONSchema {
            .object(
                properties: [
                    "table": .string(), "tableId": .string(), "recordCount": .integer(minimum: 0),
                    "measures": .array(of: .string()), "groups": .array(of: Group.schema),
                    "groupCount": .integer(description: "Before the limit.", minimum: 0),
                ],
                required: ["table", "tableId", "recordCount", "measures", "groups", "groupCount"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (_, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let measures = arguments.measures ?? [Arguments.Measure(function: .count)]
        if let formula = arguments.formula { try FormulaCheck.check(formula, of: table) }
        let query = AggregationQuery(
            measures: try measures.map { measure in
                AggregationQuery.Measure(
                    measure.function,
                    of: try measure.field.map { try table.named($0).id.description }
                )
            },
            groupings: try (arguments.groupBy ?? []).map { grouping in
                AggregationQuery.Grouping(by: try table.named(grouping.field).id.description, bucket: grouping.bucket)
            },
            conditions: try (arguments.filter ?? []).map { try $0.condition(of: table) },
            filter: arguments.formula,
            limit: arguments.limit ?? Self.groupsDefault
        )
        let result = try await airtable.aggregate(query, in: table.id, context: context)
        return Answer(
            table: table.name,
            tableId: table.id.description,
            recordCount: result.recordCount,
            measures: measures.map { [$0.function.rawValue, $0.field].compactMap(\.self).joined(separator: " ") },
            groups: result.groups.map { Answer.Group(keys: $0.keys, values: $0.values) },
            groupCount: result.groupCount
        )
    }

    func text(of answer: Answer) -> String {
        var lines = ["\(answer.recordCount) records of \(answer.table) (\(answer.tableId))"]
        for group in answer.groups {
            let keys = group.keys.map { $0.isNull ? "(empty)" : $0.stringValue ?? $0.text }.joined(separator: " / ")
            let values = zip(answer.measures, group.values).map { "\($0) = \($1.stringValue ?? $1.text)" }
            lines.append((keys.isEmpty ? "" : "\(keys): ") + values.joined(separator: ", "))
        }
        if answer.groupCount > answer.groups.count { lines.append("… (\(answer.groupCount) groups)") }
        return lines.joined(separator: "\n")
    }
}
