import Airtable
import Domain

struct ListRecordsTool: ReadingTool {
    static let limitDefault = 20
    /// Characters of one cell in the text; get_record shows it whole.
    static let cellCharacters = 200

    let airtable: AirtableService

    let name = "list_records"
    let title = "List records"
    let description = """
        Reads a table's records page by page, filtered and sorted. Name only the fields you need. To find records by what \
        they say use search_records, to count or add up aggregate_records.
        """
    let permission = Permission.recordsRead
    let toolset = Toolset.records

    struct Arguments: WireType {
        var base: String
        var table: String
        var fields: [String]?
        var filter: [FilterCondition]?
        var formula: String?
        var sort: [Sort]?
        var view: String?
        var limit: Int?
        var cursor: String?
        var maxTokens: Int?

        struct Sort: WireType, Hashable {
            enum Direction: String, Sendable, Hashable, Codable, CaseIterable { case asc, desc }

            var field: String
            var direction: Direction?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "field": .fieldArgument, "direction": .string(enum: Direction.allCases.map(\.rawValue)),
                    ],
                    required: ["field"]
                )
            }
        }

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument, "fields": .fieldsArgument,
                    "filter": FilterCondition.argument, "formula": .formulaArgument,
                    "sort": .array(
                        of: Sort.schema,
                        description: "As they were made, unless given.",
                        maxItems: Limits.sortFields
                    ),
                    "view": .string(
                        description: "View: name or id.",
                        minLength: 1,
                        maxLength: Limits.nameCharacters
                    ),
                    "limit": .limitArgument("Records", default: limitDefault, max: Limits.pageRecords),
                    "cursor": .cursorArgument, "maxTokens": TokenBudget.argument,
                ],
                required: ["base", "table"]
            )
        }
    }

    struct Answer: WireType {
        var base: String
        var baseId: String
        var table: String
        var tableId: String
        var records: [RecordEntry]
        /// Whether the budget left out records of the page, or parts of long texts.
        var truncated: Bool
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .string(), "baseId": .string(), "table": .string(), "tableId": .string(),
                    "records": .array(of: RecordEntry.schema),
                    "truncated": .boolean(description: "maxTokens left something out."), "cursor": .cursorAnswer,
                ],
                required: ["base", "baseId", "table", "tableId", "records", "truncated"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (base, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let shown = try table.showing(arguments.fields)
        var query = try await query(arguments, table, context)
        query.fields = shown.fields.map(\.id.description)
        let budget = TokenBudget(tokens: arguments.maxTokens ?? Limits.toolTokens)
        var listing = try await airtable.list(query, in: table.id, context: context)
        var records = listing.records.map { RecordEntry($0, in: shown) }
        let count = budget.count(of: records)
        var isTruncated = false
        if count < records.count {
            // Once more, so that the next page begins where this one ends.
            isTruncated = true
            query.pageSize = count
            listing = try await airtable.list(query, in: table.id, context: context)
            records = listing.records.map { RecordEntry($0, in: shown) }
        }
        if records.count == 1, let cut = budget.cut(records[0]) {
            isTruncated = true
            records = [cut]
        }
        return Answer(
            base: base.name,
            baseId: base.id.description,
            table: table.name,
            tableId: table.id.description,
            records: records,
            truncated: isTruncated,
            cursor: listing.offset
        )
    }

    /// All names are looked up and the formula is read before anything is asked for.
    private func query(
        _ arguments: Arguments,
        _ table: Table,
        _ context: RequestContext
    ) async throws -> RecordQuery {
        var query = RecordQuery()
        query.conditions = try (arguments.filter ?? []).map { try $0.condition(of: table) }
        if let formula = arguments.formula {
            try FormulaCheck.check(formula, of: table)
            query.filter = formula
        }
        query.sort = try (arguments.sort ?? []).map { key in
            RecordQuery.SortKey(
                field: try table.named(key.field).id.description,
                isDescending: key.direction == .desc
            )
        }
        if let view = arguments.view { query.view = try await reads.namedView(view, of: table, context).id.description }
        query.pageSize = arguments.limit ?? Self.limitDefault
        query.offset = arguments.cursor
        return query
    }

    func text(of answer: Answer) -> String {
        var lines = ["\(answer.records.count) records of \(answer.table) (\(answer.tableId))"]
        for record in answer.records {
            lines.append("\(record.id) \(record.line(valueCharacters: Self.cellCharacters))")
        }
        return lines.joined(separator: "\n")
    }

    func advice(of answer: Answer) -> String? {
        let cut =
            answer.truncated ? "Cut at maxTokens: name fewer fields, or raise it; get_record has a record whole." : nil
        let lines = [cut, answer.cursor.map(Advice.more)].compactMap(\.self)
        return lines.isEmpty ? nil : lines.joined(separator: "\n")
    }
}
