import Airtable
import Domain

struct AggregateRecordsTool: ReadingTool {
    static let groupsDefault = 50
    static let measuresMax = 8
    static let filtersMax = 10

    let airtable: AirtableService

    let name = "aggregate_records"
    let title = "Count and sum records"
    let description = """
        Counts the records of one table, or sums, averages and compares a field, exactly and over all of them: whole or \
        by one or two fields, dates by year, month or day. Filters choose the records. Use it for every "how many", \
        "total" or "highest" instead of reading records one by one.
        """
    let permission = Permission.recordsRead
    let toolset = Toolset.records

    struct Arguments: WireType {
        var base: String
        var table: String
        var measures: [Measure]?
        var groupBy: [Grouping]?
        var filters: [Filter]?
        var limit: Int?

        struct Measure: WireType, Hashable {
            var function: RecordAggregation.Function
            var field: String?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "function": .string(
                            description: "count counts records, or with a field its non-empty cells; distinct counts "
                                + "different values; min and max take numbers and dates, sum and average numbers.",
                            enum: RecordAggregation.Function.allCases.map(\.rawValue)
                        ),
                        "field": .string(
                            description: "Name or id of the field; only count does without.",
                            minLength: 1,
                            maxLength: Limits.nameCharacters
                        ),
                    ],
                    required: ["function"]
                )
            }
        }

        struct Grouping: WireType, Hashable {
            var field: String
            var bucket: RecordAggregation.Bucket?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "field": .string(
                            description: "Name or id of the field. A record with several values is in several groups.",
                            minLength: 1,
                            maxLength: Limits.nameCharacters
                        ),
                        "bucket": .string(
                            description: "For dates: group by year, month or day (UTC).",
                            enum: RecordAggregation.Bucket.allCases.map(\.rawValue)
                        ),
                    ],
                    required: ["field"]
                )
            }
        }

        struct Filter: WireType, Hashable {
            var field: String
            var op: RecordFilter.Comparison
            var value: JSONValue?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "field": .string(
                            description: "Name or id of the field.",
                            minLength: 1,
                            maxLength: Limits.nameCharacters
                        ),
                        "op": .string(
                            description:
                                "Names compare without regard to case; contains is for texts and for fields of "
                                + "several values; empty and notEmpty take no value.",
                            enum: RecordFilter.Comparison.allCases.map(\.rawValue)
                        ),
                        "value": JSONSchema.any.described(
                            "A number, a text, true or false, a date as YYYY-MM-DD; with in, a list of them. Links by "
                                + "the linked record's name or id."
                        ),
                    ],
                    required: ["field", "op"]
                )
            }
        }

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument,
                    "measures": .array(
                        of: Measure.schema,
                        description: "What to compute. The count of records unless given.",
                        minItems: 1,
                        maxItems: measuresMax
                    ),
                    "groupBy": .array(of: Grouping.schema, description: "One group for each value.", maxItems: 2),
                    "filters": .array(
                        of: Filter.schema,
                        description: "Only records that fit all of these.",
                        maxItems: filtersMax
                    ),
                    "limit": .integer(
                        description:
                            "Groups at most, those of the largest first measure first. \(groupsDefault) unless "
                            + "given.",
                        minimum: 1,
                        maximum: Limits.aggregateGroupsShown
                    ),
                ],
                required: ["base", "table"]
            )
        }
    }

    struct Answer: WireType {
        struct Group: WireType {
            /// In the order of `groupBy`; null for records without a value.
            var keys: [JSONValue]
            /// In the order of `measures`; null where there is nothing to compute from.
            var values: [JSONValue]

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "keys": .array(of: .any, description: "In the order of groupBy; null without a value."),
                        "values": .array(of: .any, description: "In the order of measures; null of nothing."),
                    ],
                    required: ["keys", "values"]
                )
            }
        }

        var table: NamedPlace
        /// Records that fit the filters.
        var recordCount: Int
        var measures: [String]
        var groups: [Group]
        /// Before the limit.
        var groupCount: Int

        static var schema: JSONSchema {
            .object(
                properties: [
                    "table": NamedPlace.schema("The table.", prefix: "tbl"),
                    "recordCount": .integer(description: "Records that fit the filters.", minimum: 0),
                    "measures": .array(of: .string(), description: "What the values are."),
                    "groups": .array(of: Group.schema, description: "One without keys when nothing is grouped by."),
                    "groupCount": .integer(description: "Groups there are, before the limit.", minimum: 0),
                ],
                required: ["table", "recordCount", "measures", "groups", "groupCount"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (_, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let measures = arguments.measures ?? [Arguments.Measure(function: .count)]
        var aggregation = try RecordAggregation(
            measures: measures.map { ($0.function, try $0.field.map { try Self.field($0, of: table) }) },
            groupings: (arguments.groupBy ?? []).map { (try Self.field($0.field, of: table), $0.bucket) }
        )
        let filters = try (arguments.filters ?? []).map {
            try RecordFilter(field: try Self.field($0.field, of: table), comparison: $0.op, value: $0.value)
        }
        let count = try await reads.recordCount(in: table.id, context: context)
        guard count <= Limits.aggregateRecords else {
            throw AirtableError(
                .tooLarge,
                "Table \(table.name) has \(count) records; at most \(Limits.aggregateRecords) are aggregated."
            )
        }
        let linkFields = (aggregation.fields + filters.map(\.field)).filter { $0.type == .multipleRecordLinks }
        var names = LinkedNames(fields: linkFields)
        var after: RecordCursor?
        repeat {
            try Task.checkCancellation()
            let request = RecordPageRequest(limit: Limits.internalPageRecords, after: after)
            let page = try await reads.records(in: table.id, page: request, context: context)
            try await names.read(for: page.records, reads: reads, context: context)
            for record in page.records where filters.allSatisfy({ $0.accepts(record, names) }) {
                try aggregation.take(record, names)
            }
            after = page.next
        } while after != nil
        let groups = aggregation.groups(limit: arguments.limit ?? Self.groupsDefault)
        return Answer(
            table: NamedPlace(table),
            recordCount: aggregation.recordCount,
            measures: measures.map { [$0.function.rawValue, $0.field].compactMap(\.self).joined(separator: " ") },
            groups: groups.map { Answer.Group(keys: $0.keys, values: $0.values) },
            groupCount: aggregation.groupCount
        )
    }

    /// A field by name, in any case, or identifier.
    private static func field(_ name: String, of table: Table) throws -> Field {
        let found = table.field(name) ?? table.fields.first { $0.name.lowercased() == name.lowercased() }
        if let found { return found }
        let nearest = Spelling.nearest(to: name, among: table.fields.map(\.name)).map { "did you mean \"\($0)\"?" }
        throw AirtableError(
            .unknownFieldName,
            "Table \(table.name) has no field \"\(name.prefix(100))\".",
            hint: nearest ?? "describe_table shows its fields"
        )
    }

    func text(of answer: Answer) -> String {
        var lines = ["\(answer.recordCount) records of \(answer.table.name) (\(answer.table.id))"]
        for group in answer.groups {
            let keys = group.keys.map { $0.isNull ? "(empty)" : $0.stringValue ?? $0.text }.joined(separator: " / ")
            let values = zip(answer.measures, group.values).map { "\($0) = \($1.stringValue ?? $1.text)" }
            lines.append((keys.isEmpty ? "" : "\(keys): ") + values.joined(separator: ", "))
        }
        if answer.groupCount > answer.groups.count { lines.append("… (\(answer.groupCount) groups)") }
        return lines.joined(separator: "\n")
    }
}

/// Primary values of linked records, read as records come.
struct LinkedNames: Sendable {
    let fields: [Field]
    private(set) var names: [RecordID: String] = [:]

    init(fields: [Field], names: [RecordID: String] = [:]) {
        self.fields = fields
        self.names = names
    }

    mutating func read(for records: [Record], reads: GatedReads, context: RequestContext) async throws {
        for field in fields {
            guard let other = field.options.linkedTable else { continue }
            var ids: Set<RecordID> = []
            for record in records { if case .links(let list) = record.cells[field.id] { ids.formUnion(list) } }
            ids.subtract(names.keys)
            let sorted = ids.sorted()
            for start in stride(from: 0, to: sorted.count, by: Limits.internalPageRecords) {
                let run = Array(sorted[start..<min(start + Limits.internalPageRecords, sorted.count)])
                do {
                    names.merge(try await reads.primaryValues(of: run, in: other, context: context)) { first, _ in first
                    }
                } catch let error as AirtableError where error.code == .modelNotFound {
                    // A table that this caller may not see: its records have no names for them.
                    continue
                }
            }
        }
    }
}
