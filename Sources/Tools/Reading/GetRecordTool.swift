import Airtable
import Domain

struct GetRecordTool: ReadingTool {
    let airtable: AirtableService

    let name = "get_record"
    let title = "Get a record"
    let description = "Reads one record whole, with the names of the records it links to."
    let permission = Permission.recordsRead
    let toolset = Toolset.records
    let isQuick = true

    struct Arguments: WireType {
        var base: String
        var table: String
        var recordId: String
        var fields: [String]?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument, "recordId": .recordArgument,
                    "fields": .fieldsArgument,
                ],
                required: ["base", "table", "recordId"]
            )
        }
    }

    struct Answer: WireType {
        var base: String
        var baseId: String
        var table: String
        var tableId: String
        var record: RecordEntry
        var linkedNames: [String: String]

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .string(), "baseId": .string(), "table": .string(), "tableId": .string(),
                    "record": RecordEntry.schema,
                    "linkedNames": .dictionary(of: .string(), description: "Of the first linked records, by id."),
                ],
                required: ["base", "baseId", "table", "tableId", "record", "linkedNames"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (base, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let (id, shown) = (try RecordID.read(arguments.recordId), try table.showing(arguments.fields))
        let record = try await reads.record(id, in: table.id, context: context)
        var names: [String: String] = [:]
        for field in shown.fields {
            guard let other = field.options.linkedTable, case .links(let ids) = record.cells[field.id] else { continue }
            do {
                let values = try await reads.primaryValues(
                    of: Array(ids.prefix(Limits.linkedNames)),
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
            base: base.name,
            baseId: base.id.description,
            table: table.name,
            tableId: table.id.description,
            record: RecordEntry(record, in: shown),
            linkedNames: names
        )
    }

    func text(of answer: Answer) -> String {
        var lines = [
            "Record \(answer.record.id) of \(answer.table) (\(answer.tableId)), base \(answer.base)"
                + " (\(answer.baseId))"
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
