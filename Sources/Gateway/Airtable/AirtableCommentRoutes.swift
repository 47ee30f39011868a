import Airtable
import Domain
import HTTPTypes

/// Comments on records, by Airtable's own API.
enum AirtableCommentRoutes {
    static let all = [list, create, update, delete]

    private static let comments = AirtableDoor.airtable.record + "/comments"
    private static let comment = comments + "/{commentId}"

    private static let list = Route(
        .get,
        comments,
        name: "airtableListComments",
        summary: "A page of a record's comments.",
        query: [
            QueryParameter(
                "pageSize",
                "Comments of this page.",
                .integer(minimum: 1, maximum: Limits.pageRecords, default: Limits.pageRecords)
            ),
            QueryParameter("offset", "What the page before gave.", .string()),
        ],
        readsQuery: true,
        reply: .json(CommentListWire.self, "The comments, newest first."),
        handler: .airtable(.commentsRead) { call, context in
            let query = try call.airtableQuery()
            let record: RecordID = try call.identifier(.recordId)
            let (pageSize, table) = (
                try ListRequest.pageSize(query.integer("pageSize")), try await call.namedTable(context)
            )
            let page = try await call.services.airtable.comments(
                on: record,
                in: table.id,
                pageSize: pageSize,
                offset: query.text("offset"),
                context: context
            )
            return try AirtableReply.json([
                "comments": .array(page.comments.map(CommentWire.json)),
                "offset": page.offset.map { .string($0) } ?? .null,
            ])
        }
    )

    private static let create = Route(
        .post,
        comments,
        name: "airtableCreateComment",
        summary: "Comments on a record, or answers a comment.",
        body: RouteBody(CreateCommentBody.self, isChecked: false),
        reply: .json(CommentWire.self, "The comment."),
        handler: .airtable(.commentsWrite) { call, context in
            let record: RecordID = try call.identifier(.recordId)
            let body = try call.airtableBody()
            let (text, parentText) = (try body.requiredText("text"), try body.text("parentCommentId"))
            let parent = parentText.flatMap { CommentID($0) }
            if parentText != nil, parent == nil {
                throw AirtableRefusal.invalid("parentCommentId is not a comment ID: com and 14 letters or digits.")
            }
            let table = try await call.namedTable(context)
            let comment = try await call.services.airtable.createComment(
                text,
                parent: parent,
                on: record,
                in: table.id,
                context: context
            )
            return try AirtableReply.json(CommentWire.json(comment))
        }
    )

    private static let update = Route(
        .patch,
        comment,
        name: "airtableUpdateComment",
        summary: "Changes the text of one's own comment.",
        body: RouteBody(UpdateCommentBody.self, isChecked: false),
        reply: .json(CommentWire.self, "The comment."),
        handler: .airtable(.commentsWrite) { call, context in
            let (record, id): (RecordID, CommentID) = (try call.identifier(.recordId), try call.identifier(.commentId))
            let text = try call.airtableBody().requiredText("text")
            let table = try await call.namedTable(context)
            let comment = try await call.services.airtable.updateComment(
                id,
                text: text,
                on: record,
                in: table.id,
                context: context
            )
            return try AirtableReply.json(CommentWire.json(comment))
        }
    )

    private static let delete = Route(
        .delete,
        comment,
        name: "airtableDeleteComment",
        summary: "Deletes one's own comment; answers to it stay.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .airtable(.commentsWrite) { call, context in
            let (record, id): (RecordID, CommentID) = (try call.identifier(.recordId), try call.identifier(.commentId))
            let table = try await call.namedTable(context)
            try await call.services.airtable.deleteComment(id, on: record, in: table.id, context: context)
            return try AirtableReply.deleted(id)
        }
    )
}
