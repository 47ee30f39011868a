import Airtable
import Domain

struct ListTablesTool: ReadingTool {
    let airtable: AirtableService

    let name = "list_tables"
    let title = "List tables"
    let description = """
        Lists the tables of one base: ids, names, primary fields, numbers of records and names of fields. \
        describe_table says more of one table.
        """
    let permission = Permission.schemaRead
    let toolset = Toolset.schema

    struct Arguments: WireType {
        var base: String

        static var schema: JSONSchema { .object(properties: ["base": .baseArgument], required: ["base"]) }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var id: String
            var name: String
            var description: String?
            var primaryField: String
            var recordCount: Int
            var fields: [String]

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "id": .string(description: "tbl…"), "name": .string(), "description": .string(),
                        "primaryField": .string(description: "Name of the field that names a record."),
                        "recordCount": .integer(minimum: 0),
                        "fields": .array(of: .string(), description: "Names of all fields, in order."),
                    ],
                    required: ["id", "name", "primaryField", "recordCount", "fields"]
                )
            }
        }

        var base: NamedPlace
        var tables: [Entry]

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": NamedPlace.schema("The base.", prefix: "app"), "tables": .array(of: Entry.schema),
                ],
                required: ["base", "tables"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let base = try await reads.base(arguments.base, context: context)
        var entries: [Answer.Entry] = []
        for table in try await reads.tables(in: base.id, context: context) {
            entries.append(
                Answer.Entry(
                    id: table.id.description,
                    name: table.name,
                    description: table.description,
                    primaryField: table.field(id: table.primaryField)?.name ?? "",
                    recordCount: try await reads.recordCount(in: table.id, context: context),
                    fields: table.fields.map(\.name)
                )
            )
        }
        return Answer(base: NamedPlace(base), tables: entries)
    }

    func text(of answer: Answer) -> String {
        var lines = ["Base \(answer.base.name) (\(answer.base.id)) has \(answer.tables.count) tables:"]
        for table in answer.tables {
            lines.append(
                "\(table.name) (\(table.id)), \(table.recordCount) records: \(table.fields.joined(separator: ", "))"
            )
        }
        return lines.joined(separator: "\n")
    }
}
