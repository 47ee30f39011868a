import Airtable
import Domain

struct UploadAttachmentTool: WritingTool {
    let desk: WriteDesk

    let name = "upload_attachment"
    let title = "Attach a file"
    let description = """
        Adds a file to a cell of attachments: its content, or one that is stored already by its id. Files are never \
        fetched from an address.
        """
    let annotations = ToolAnnotations.adding
    let permission = Permission.recordsWrite
    let toolset = Toolset.records

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var recordId: String
        var field: String
        var attachmentId: String?
        var content: String?
        var filename: String?
        var mediaType: String?
        var dryRun: Bool?
        var confirm: String?
        var idempotencyKey: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable, "recordId": .writtenRecordArgument,
                "field": .string(description: "Name or id of the field of attachments.", minLength: 1),
                "attachmentId": .string(description: "att…; else content and filename."),
                "content": .string(description: "The file in base64, at most \(Limits.uploadBytes >> 20) MB."),
                "filename": .string(), "mediaType": .string(),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument, "idempotencyKey": .idempotencyKeyArgument,
            ],
            required: ["base", "table", "recordId", "field"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(records: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        let record = try Self.record(arguments.recordId)
        let file = try file(arguments)
        return WriteDesk.Request(.attach(file, to: record, field: arguments.field, in: place.table.id), place)
    }

    private func file(_ arguments: Arguments) throws(WritingError) -> ProposedOperation.AttachedFile {
        switch (arguments.attachmentId, arguments.content) {
        case (let text?, nil):
            guard let id = AttachmentID(text) else {
                throw WritingError(
                    .invalidArgument,
                    "An attachment's id is att and 14 letters or digits, never an address."
                )
            }
            return .stored(id)
        case (nil, let content?):
            guard let filename = arguments.filename, !filename.isEmpty else {
                throw WritingError(.invalidArgument, "content needs a filename.")
            }
            guard let bytes = Base64.bytes(lenient: content) else {
                throw WritingError(.invalidArgument, "content is not base64.")
            }
            guard desk.services.attachments != nil || arguments.dryRun == true else {
                throw WritingError(.notAvailable, "This server keeps no files.")
            }
            return .bytes(bytes, filename: filename, contentType: arguments.mediaType)
        case (nil, nil), (_?, _?):
            throw WritingError(.invalidArgument, "Give either attachmentId, or content and filename.")
        }
    }
}
