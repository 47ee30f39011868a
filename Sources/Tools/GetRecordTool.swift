import Airtable
import Domain

struct GetRecordTool: ReadingTool {
    let airtable: AirtableService

    let name = "get_record"
    let title = "Get a record"
    let description = """
        Reads one record whole, with the names of the records it links to. search_records and list_records give the id.
        """
    let permission = Permission.recordsRead
    let toolset = Toolset.records

    struct Arguments: WireType {
        var base: String
        var table: String
        var recordId: String

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument,
                    "recordId": .string(
                        description: "Id of the record: rec and 14 letters or digits.",
                        minLength: 17,
                        maxLength: 17
                    ),
                ],
                required: ["base", "table", "recordId"]
            )
        }
    }

    struct Answer: WireType {
        var base: NamedPlace
        var table: NamedPlace
        var record: RecordEntry
        var linkedNames: [String: String]

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": NamedPlace.schema("The base.", prefix: "app"),
                    "table": NamedPlace.schema("The table.", prefix: "tbl"), "record": RecordEntry.schema,
                    "linkedNames": .dictionary(
                        of: .string(),
                        description: "Primary values of the first linked records of each field, by record id."
                    ),
                ],
                required: ["base", "table", "record", "linkedNames"]
            )
        }
    }

    /// Linked records named in the answer, of each field.
    static let linksNamed = 100

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (base, table) = try await reads.place(arguments.table, in: arguments.base, context)
        guard let id = RecordID(arguments.recordId) else {
            throw AirtableError(.invalidRecordID, "A record's id is rec and 14 letters or digits.")
        }
        let record = try await reads.record(id, in: table.id, context: context)
        var names: [String: String] = [:]
        for field in table.fields {
            guard let other = field.options.linkedTable, case .links(let ids) = record.cells[field.id] else { continue }
            do {
                let values = try await reads.primaryValues(
                    of: Array(ids.prefix(Self.linksNamed)),
                    in: other,
                    context: context
                )
                for (id, name) in values { names[id.description] = name }
            } catch let error as AirtableError where error.code == .modelNotFound {
                // A table that this caller may not see: its records have no names for them.
                continue
            }
        }
        return Answer(
            base: NamedPlace(base),
            table: NamedPlace(table),
            record: RecordEntry(record, in: table),
            linkedNames: names
        )
    }

    func text(of answer: Answer) -> String {
        var lines = [
            "Record \(answer.record.id) of \(answer.table.name) (\(answer.table.id)), base \(answer.base.name)"
                + " (\(answer.base.id))"
        ]
        for (name, value) in answer.record.fields.objectValue ?? [:] {
            lines.append("\(name): \(text(of: value, answer.linkedNames))")
        }
        return lines.joined(separator: "\n")
    }

    /// A cell whole; linked records by name and id.
    private func text(of value: JSONValue, _ names: [String: String]) -> String {
        guard case .array(let values) = value else { return RecordEntry.name(of: value) }
        return values.map { element in
            guard let text = element.stringValue else { return RecordEntry.name(of: element) }
            return names[text].map { "\($0) (\(text))" } ?? text
        }.joined(separator: ", ")
    }
}
