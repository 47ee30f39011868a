import Airtable
import Domain

struct DescribeTableTool: ReadingTool {
    /// Choices shown of one field; the answer says how many there are.
    static let choicesShown = 50

    let airtable: AirtableService

    let name = "describe_table"
    let title = "Describe a table"
    let description = """
        Shows the fields of one table: ids, names, types, choices of selects, tables that links lead to. Use it before \
        reading or writing cells, to know how each looks.
        """
    let permission = Permission.schemaRead
    let toolset = Toolset.schema

    struct Arguments: WireType {
        var base: String
        var table: String

        static var schema: JSONSchema {
            .object(properties: ["base": .baseArgument, "table": .tableArgument], required: ["base", "table"])
        }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var id: String
            var name: String
            var type: String
            var description: String?
            var isPrimary: Bool?
            var isComputed: Bool?
            var choices: [String]?
            var choiceCount: Int?
            var linkedTable: NamedPlace?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "id": .string(description: "fld…"), "name": .string(),
                        "type": .string(
                            description: "Airtable's name of the type.",
                            enum: FieldType.allCases.map(\.rawValue)
                        ),
                        "description": .string(),
                        "isPrimary": .boolean(description: "True for the field that names a record."),
                        "isComputed": .boolean(description: "True when the cell can't be written."),
                        "choices": .array(
                            of: .string(),
                            description: "Names of a select's choices, the first \(choicesShown)."
                        ),
                        "choiceCount": .integer(description: "How many choices there are.", minimum: 0),
                        "linkedTable": NamedPlace.schema("Where a link's records are.", prefix: "tbl"),
                    ],
                    required: ["id", "name", "type"]
                )
            }
        }

        var base: NamedPlace
        var table: NamedPlace
        var description: String?
        var recordCount: Int
        var fields: [Entry]

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": NamedPlace.schema("The base.", prefix: "app"),
                    "table": NamedPlace.schema("The table.", prefix: "tbl"), "description": .string(),
                    "recordCount": .integer(minimum: 0), "fields": .array(of: Entry.schema),
                ],
                required: ["base", "table", "recordCount", "fields"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (base, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let tables = try await reads.tables(in: base.id, context: context)
        let entries = table.fields.map { field in
            let choices = field.options.choices
            return Answer.Entry(
                id: field.id.description,
                name: field.name,
                type: field.type.rawValue,
                description: field.description,
                isPrimary: field.id == table.primaryField ? true : nil,
                isComputed: field.type.isComputed ? true : nil,
                choices: choices.map { $0.prefix(Self.choicesShown).map(\.name) },
                choiceCount: choices?.count,
                linkedTable: tables.first { $0.id == field.options.linkedTable }.map { NamedPlace($0) }
            )
        }
        return Answer(
            base: NamedPlace(base),
            table: NamedPlace(table),
            description: table.description,
            recordCount: try await reads.recordCount(in: table.id, context: context),
            fields: entries
        )
    }

    func text(of answer: Answer) -> String {
        var lines = [
            "Table \(answer.table.name) (\(answer.table.id)) of base \(answer.base.name) (\(answer.base.id)), "
                + "\(answer.recordCount) records"
        ]
        if let description = answer.description { lines.append(description) }
        for field in answer.fields {
            var line = "- \(field.name) (\(field.id)): \(field.type)"
            if field.isPrimary == true { line += ", primary" }
            if field.isComputed == true { line += ", computed" }
            if let linked = field.linkedTable { line += " to \(linked.name) (\(linked.id))" }
            if let choices = field.choices, let count = field.choiceCount {
                line += ", one of: \(choices.joined(separator: " | "))"
                if count > choices.count { line += " | … (\(count) choices)" }
            }
            if let description = field.description { line += "; \(description)" }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }
}
