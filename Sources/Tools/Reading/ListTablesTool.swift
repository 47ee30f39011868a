import Airtable
import Domain

struct ListTablesTool: ReadingTool {
    static let descriptionCharacters = 300

    let airtable: AirtableService

    let name = "list_tables"
    let title = "List tables"
    let description = """
        Lists the tables of a base with their fields' names. With a question, those that fit it best come first. \
        describe_table says more of one.
        """
    let permission = Permission.schemaRead
    let toolset = Toolset.schema

    struct Arguments: WireType {
        var base: String
        var question: String?
        var limit: Int?
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument,
                    "question": .questionArgument.described("What you look for, to rank by."),
                    "limit": .limitArgument("Tables", default: Limits.tablesShown, max: Limits.pageRecords),
                    "cursor": .cursorArgument,
                ],
                required: ["base"]
            )
        }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var id: String
            var name: String
            var description: String?
            var primaryField: String
            var recordCount: Int?
            var fields: [String]
            var fieldCount: Int

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "id": .string(), "name": .string(), "description": .string(), "primaryField": .string(),
                        "recordCount": .integer(minimum: 0),
                        "fields": .array(of: .string()),
                        "fieldCount": .integer(minimum: 0),
                    ],
                    required: ["id", "name", "primaryField", "fields", "fieldCount"]
                )
            }
        }

        var base: String
        var baseId: String
        var tables: [Entry]
        /// Of all pages.
        var tableCount: Int
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .string(), "baseId": .string(), "tables": .array(of: Entry.schema),
                    "tableCount": .integer(minimum: 0), "cursor": .cursorAnswer,
                ],
                required: ["base", "baseId", "tables", "tableCount"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let base = try await reads.namedBase(arguments.base, context)
        let all = try await reads.tables(in: base.id, context: context)
        let start = try PageCursor.index(arguments.cursor)
        guard start == 0 || start < all.count else { throw PageCursor.notOurs }
        let ranked = arguments.question.map { question in
            Relevance(question).order(all.map(Self.document)).map { all[$0] }
        }
        let shown = (ranked ?? all).dropFirst(start).prefix(arguments.limit ?? Limits.tablesShown)
        let counts = try await reads.recordCounts(of: shown.map(\.id), context: context)
        return Answer(
            base: base.name,
            baseId: base.id.description,
            tables: shown.map { table in
                var entry = Self.entry(table, counts[table.id])
                entry.description = entry.description?.cut(forShowing: Self.descriptionCharacters)
                entry.fields = Array(entry.fields.prefix(Limits.fieldNamesShown))
                return entry
            },
            tableCount: all.count,
            cursor: start + shown.count < all.count ? PageCursor.text(start + shown.count) : nil
        )
    }

    /// All tables of a base with all their fields, uncounted: for who reads a schema whole.
    ///
    /// - Throws: `.modelNotFound`.
    func whole(_ id: BaseID, _ context: RequestContext) async throws -> Answer {
        let all = try await reads.tables(in: id, context: context)
        let base = try await reads.base(id.description, context: context)
        return Answer(
            base: base.name,
            baseId: base.id.description,
            tables: all.map { Self.entry($0, nil) },
            tableCount: all.count
        )
    }

    private static func entry(_ table: Table, _ count: Int?) -> Answer.Entry {
        Answer.Entry(
            id: table.id.description,
            name: table.name,
            description: table.description,
            primaryField: table.field(id: table.primaryField)?.name ?? "",
            recordCount: count,
            fields: table.fields.map(\.name),
            fieldCount: table.fields.count
        )
    }

    private static func document(_ table: Table) -> Relevance.Document {
        let fields = table.fields.map(\.name).joined(separator: " ")
        return [(text: table.name, weight: 3), (text: table.description, weight: 2), (text: fields, weight: 1)]
    }

    func text(of answer: Answer) -> String {
        var lines = ["Base \(answer.base) (\(answer.baseId)), \(answer.tableCount) tables"]
        for table in answer.tables {
            let count = table.recordCount.map { ", \($0) records" } ?? ""
            let rest = table.fieldCount > table.fields.count ? ", … (\(table.fieldCount) fields)" : ""
            lines.append("\(table.name) (\(table.id))\(count): \(table.fields.joined(separator: ", "))\(rest)")
        }
        return lines.joined(separator: "\n")
    }

    func advice(of answer: Answer) -> String? { answer.cursor.map(Advice.more) }
}

extension String {
    /// The first `count` scalars, and a sign that there are more.
    func cut(forShowing count: Int) -> String { cut(toScalars: count).map { $0 + "…" } ?? self }
}
