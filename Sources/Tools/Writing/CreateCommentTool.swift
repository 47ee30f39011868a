import Airtable
import Domain

struct CreateCommentTool: WritingTool {
    let desk: WriteDesk

    let name = "create_comment"
    let title = "Comment on a record"
    let description = "Adds a comment to a record, or answers one. @[usr…] or @[e-mail] mentions somebody."
    let annotations = ToolAnnotations.adding
    let permission = Permission.commentsWrite
    let toolset = Toolset.comments

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var recordId: String
        var text: String
        var parentId: String?
        var dryRun: Bool?
        var confirm: String?
        var idempotencyKey: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "recordId": .writtenRecordArgument,
                "text": .string(description: "The comment.", minLength: 1, maxLength: Limits.commentCharacters),
                "parentId": .string(description: "com…, the comment that this one answers."),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument, "idempotencyKey": .idempotencyKeyArgument,
            ],
            required: ["base", "table", "recordId", "text"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(made: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        var parent: CommentID?
        if let text = arguments.parentId {
            parent = CommentID(text)
            guard parent != nil else {
                throw WritingError(.invalidArgument, "A comment's id is com and 14 letters or digits.")
            }
        }
        let record = try Self.record(arguments.recordId)
        return WriteDesk.Request(.comment(arguments.text, parent: parent, on: record, in: place.table.id), place)
    }
}
