import Airtable
import Domain

struct ListCommentsTool: ReadingTool {
    let airtable: AirtableService

    let name = "list_comments"
    let title = "List comments"
    let description = "Reads the comments on a record, newest first."
    let permission = Permission.commentsRead
    let toolset = Toolset.comments

    struct Arguments: WireType {
        var base: String
        var table: String
        var recordId: String
        var limit: Int?
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument, "recordId": .recordArgument,
                    "limit": .limitArgument("Comments", default: Limits.toolEntries, max: Limits.pageRecords),
                    "cursor": .cursorArgument,
                ],
                required: ["base", "table", "recordId"]
            )
        }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var id: String
            var author: String
            var createdTime: String
            var editedTime: String?
            var text: String
            /// The comment that it answers.
            var parent: String?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "id": .string(), "author": .string(), "createdTime": .string(), "editedTime": .string(),
                        "text": .string(), "parent": .string(description: "The comment it answers."),
                    ],
                    required: ["id", "author", "createdTime", "text"]
                )
            }
        }

        var table: String
        var tableId: String
        var recordId: String
        var comments: [Entry]
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "table": .string(), "tableId": .string(), "recordId": .string(),
                    "comments": .array(of: Entry.schema),
                    "cursor": .cursorAnswer,
                ],
                required: ["table", "tableId", "recordId", "comments"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let (_, table) = try await reads.place(arguments.table, in: arguments.base, context)
        let record = try RecordID.read(arguments.recordId)
        let page = try await airtable.comments(
            on: record,
            in: table.id,
            pageSize: arguments.limit ?? Limits.toolEntries,
            offset: arguments.cursor,
            context: context
        )
        return Answer(
            table: table.name,
            tableId: table.id.description,
            recordId: record.description,
            comments: page.comments.map { comment in
                Answer.Entry(
                    id: comment.id.description,
                    author: comment.author.name ?? comment.author.email ?? comment.author.id.description,
                    createdTime: CellCodec.timestamp(comment.createdTime),
                    editedTime: comment.lastUpdatedTime.map { CellCodec.timestamp($0) },
                    text: comment.readableText,
                    parent: comment.parent?.description
                )
            },
            cursor: page.offset
        )
    }

    func text(of answer: Answer) -> String {
        if answer.comments.isEmpty { return "" }
        var lines = ["Comments on \(answer.recordId) of \(answer.table) (\(answer.tableId))"]
        for comment in answer.comments {
            let parent = comment.parent.map { " in answer to \($0)" } ?? ""
            lines.append("\(comment.id) \(comment.createdTime) \(comment.author)\(parent): \(comment.text)")
        }
        return lines.joined(separator: "\n")
    }

    func advice(of answer: Answer) -> String? {
        answer.comments.isEmpty ? "There are no comments." : answer.cursor.map(Advice.more)
    }
}

extension RecordComment {
    /// With people's names where the text mentions them.
    fileprivate var readableText: String {
        mentioned.reduce(text) { text, person in
            text.replacing("@[\(person.id)]", with: "@\(person.name ?? person.email ?? person.id.description)")
        }
    }
}
