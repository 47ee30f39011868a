import Airtable
import Domain

struct DescribeTableTool: ReadingTool {
    /// Choices shown of one field; the answer says how many there are.
    static let choicesShown = 50

    let airtable: AirtableService

    let name = "describe_table"
    let title = "Describe a table"
    let description = """
        Shows the fields of a table: names, types, choices, where links lead. Use it before reading or writing cells. \
        With a question, fields that fit it best come first, and of a large table only those.
        """
    let permission = Permission.schemaRead
    let toolset = Toolset.schema

    enum Detail: String, Sendable, Hashable, Codable, CaseIterable {
        case names, fields, full
    }

    struct Arguments: WireType {
        var base: String
        var table: String
        var detail: Detail?
        var question: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument,
                    "detail": .string(
                        description: "names; fields, unless given; full adds options and views.",
                        enum: Detail.allCases.map(\.rawValue)
                    ),
                    "question": .questionArgument.described("What you look for, to rank by."),
                ],
                required: ["base", "table"]
            )
        }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var id: String
            var name: String
            var type: String?
            var description: String?
            var isPrimary: Bool?
            var isComputed: Bool?
            var choices: [String]?
            var choiceCount: Int?
            var linkedTable: String?
            var linkedTableId: String?
            var options: JSONValue?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "id": .string(), "name": .string(), "type": .string(), "description": .string(),
                        "isPrimary": .boolean(),
                        "isComputed": .boolean(description: "Not to be written."),
                        "choices": .array(of: .string(), description: "The first \(choicesShown)."),
                        "choiceCount": .integer(minimum: 0), "linkedTable": .string(), "linkedTableId": .string(),
                        "options": .dictionary(of: .any, description: "As in Airtable's API."),
                    ],
                    required: ["id", "name"]
                )
            }
        }

        struct View: WireType {
            var id: String
            var name: String
            var filter: String?

            static var schema: JSONSchema {
                .object(
                    properties: ["id": .string(), "name": .string(), "filter": .string()],
                    required: ["id", "name"]
                )
            }
        }

        var base: String
        var baseId: String
        var table: String
        var tableId: String
        var description: String?
        var recordCount: Int?
        var fields: [Entry]
        var fieldCount: Int
        var views: [View]?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .string(), "baseId": .string(), "table": .string(), "tableId": .string(),
                    "description": .string(),
                    "recordCount": .integer(minimum: 0),
                    "fields": .array(of: Entry.schema), "fieldCount": .integer(minimum: 0),
                    "views": .array(of: View.schema),
                ],
                required: ["base", "baseId", "table", "tableId", "fields", "fieldCount"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (base, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let detail = arguments.detail ?? .fields
        let tables = detail == .names ? [] : try await reads.tables(in: base.id, context: context)
        let views = detail == .full ? try await reads.views(of: table.id, context: context) : nil
        return Answer(
            base: base.name,
            baseId: base.id.description,
            table: table.name,
            tableId: table.id.description,
            description: table.description,
            recordCount: try await reads.recordCounts(of: [table.id], context: context)[table.id],
            fields: Self.shown(table, arguments.question).map { Self.entry($0, detail, of: table, tables) },
            fieldCount: table.fields.count,
            views: views?.map { Answer.View(id: $0.id.description, name: $0.name, filter: $0.filter) }
        )
    }

    /// All fields, or those that fit a question best, the primary one among them.
    private static func shown(_ table: Table, _ question: String?) -> [Field] {
        guard let question else { return table.fields }
        let order = Relevance(question).order(
            table.fields.map { field in
                let choices = field.options.choices?.prefix(Self.choicesShown).map(\.name).joined(separator: " ")
                return [
                    (text: field.name, weight: 3), (text: field.description, weight: 2), (text: choices, weight: 1),
                ]
            }
        )
        let ranked = order.map { table.fields[$0] }
        let rest = ranked.filter { $0.id != table.primaryField }
        return ranked.filter { $0.id == table.primaryField } + rest.prefix(Limits.rankedFields)
    }

    private static func entry(_ field: Field, _ detail: Detail, of table: Table, _ tables: [Table]) -> Answer.Entry {
        var entry = Answer.Entry(id: field.id.description, name: field.name)
        if field.id == table.primaryField { entry.isPrimary = true }
        if detail == .names { return entry }
        let choices = field.options.choices
        entry.type = field.type.rawValue
        entry.description = field.description
        if field.type.isComputed { entry.isComputed = true }
        entry.choices = choices.map { $0.prefix(Self.choicesShown).map(\.name) }
        entry.choiceCount = choices?.count
        if let linked = tables.first(where: { $0.id == field.options.linkedTable }) {
            (entry.linkedTable, entry.linkedTableId) = (linked.name, linked.id.description)
        }
        if detail == .full, var options = FieldOptions.wire(of: field) {
            if let choices, choices.count > Self.choicesShown { options["choices"] = nil }
            if !options.isEmpty { entry.options = .object(options) }
        }
        return entry
    }

    func text(of answer: Answer) -> String {
        let count = answer.recordCount.map { ", \($0) records" } ?? ""
        var lines = [
            "Table \(answer.table) (\(answer.tableId)) of base \(answer.base) (\(answer.baseId))\(count)"
        ]
        if let description = answer.description { lines.append(description) }
        for field in answer.fields {
            var line = "- \(field.name) (\(field.id))"
            if let type = field.type { line += ": \(type)" }
            if field.isPrimary == true { line += ", primary" }
            if field.isComputed == true { line += ", computed" }
            if let linked = field.linkedTable, let id = field.linkedTableId { line += " to \(linked) (\(id))" }
            if let choices = field.choices, let count = field.choiceCount {
                line += ", one of: \(choices.joined(separator: " | "))"
                if count > choices.count { line += " | … (\(count) choices)" }
            }
            if let description = field.description { line += "; \(description)" }
            if let options = field.options { line += " \(options.text)" }
            lines.append(line)
        }
        if answer.fieldCount > answer.fields.count { lines.append("… (\(answer.fieldCount) fields)") }
        for view in answer.views ?? [] {
            lines.append("View \(view.name) (\(view.id))" + (view.filter.map { " where \($0)" } ?? ""))
        }
        return lines.joined(separator: "\n")
    }
}
