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
        Reads the records of one table page by page, in the order they were made. Name only the fields you need. \
        To find records by what they say, search_records is the better tool. Long cells are cut in the text; \
        get_record shows a record whole.
        """
    let permission = Permission.recordsRead
    let toolset = Toolset.records

    struct Arguments: WireType {
        var base: String
        var table: String
        var fields: [String]?
        var limit: Int?
        var offset: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument,
                    "fields": .array(
                        of: .string(minLength: 1, maxLength: Limits.nameCharacters),
                        description: "Names or ids of the fields to show. All fields unless given.",
                        maxItems: Limits.fieldsPerTable
                    ),
                    "limit": .integer(
                        description: "Records of this page. \(limitDefault) unless given.",
                        minimum: 1,
                        maximum: Limits.pageRecords
                    ),
                    "offset": .string(description: "The offset that the page before answered, for the next page."),
                ],
                required: ["base", "table"]
            )
        }
    }

    struct Answer: WireType {
        var base: NamedPlace
        var table: NamedPlace
        var records: [RecordEntry]
        var offset: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": NamedPlace.schema("The base.", prefix: "app"),
                    "table": NamedPlace.schema("The table.", prefix: "tbl"),
                    "records": .array(of: RecordEntry.schema),
                    "offset": .string(description: "For the next page; absent on the last one."),
                ],
                required: ["base", "table", "records"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (base, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let shown = try Self.showing(arguments.fields, of: table)
        var after: RecordCursor?
        if let offset = arguments.offset {
            guard let cursor = RecordCursor(offset) else {
                throw AirtableError(.invalidOffset, "The offset is not one that list_records answered.")
            }
            after = cursor
        }
        let request = RecordPageRequest(limit: arguments.limit ?? Self.limitDefault, after: after)
        let page = try await reads.records(in: table.id, page: request, context: context)
        return Answer(
            base: NamedPlace(base),
            table: NamedPlace(table),
            records: page.records.map { RecordEntry($0, in: shown) },
            offset: page.next?.description
        )
    }

    /// The table with the named fields only; all wrong names are told at once.
    private static func showing(_ names: [String]?, of table: Table) throws -> Table {
        guard let names else { return table }
        var shown = table
        let unknown = names.filter { table.field($0) == nil }
        guard unknown.isEmpty else {
            let hints = unknown.compactMap { name in
                Spelling.nearest(to: name, among: table.fields.map(\.name)).map { "did you mean \"\($0)\"?" }
            }
            throw AirtableError(
                .unknownFieldName,
                "Table \(table.name) has no field \(unknown.map { "\"\($0)\"" }.joined(separator: ", ")).",
                hint: hints.isEmpty ? "describe_table shows its fields" : hints.joined(separator: " ")
            )
        }
        let wanted = Set(names.compactMap { table.field($0)?.id })
        shown.fields.removeAll { !wanted.contains($0.id) }
        return shown
    }

    func text(of answer: Answer) -> String {
        var lines = ["\(answer.records.count) records of \(answer.table.name) (\(answer.table.id)):"]
        for record in answer.records {
            lines.append("\(record.id) \(record.line(valueCharacters: Self.cellCharacters))")
        }
        if let offset = answer.offset { lines.append("There are more: offset \(offset)") }
        return lines.joined(separator: "\n")
    }
}
