import Airtable
import Domain
import HTTPTypes

/// Files sent in a request, by Airtable's own path (which names no table) and by ours.
enum UploadRoutes {
    static let all = [upload, uploadOfTable]

    private static let body = RouteBody(UploadBody.self, limit: Limits.uploadBodyBytes, isChecked: false)
    private static let jsonLimits = JSONLimits(bytes: Limits.uploadBodyBytes, stringBytes: Limits.uploadBodyBytes)

    private static let upload = Route(
        .post,
        "/v0/{baseId}/{recordId}/{fieldIdOrName}/uploadAttachment",
        name: "airtableUploadAttachment",
        summary: "Stores a file and appends it to a cell.",
        body: body,
        reply: .json(RecordWire.self, "The record with this cell only, by its field's identifier."),
        timeout: Limits.uploadTime,
        handler: .airtable(.recordsWrite) { call, context in try await store(in: nil, call, context) }
    )

    private static let uploadOfTable = Route(
        .post,
        "/api/v1/airtable/bases/{baseId}/tables/{tableId}/records/{recordId}/{fieldIdOrName}/uploadAttachment",
        name: "uploadAttachment",
        summary: "Stores a file and appends it to a cell.",
        body: body,
        reply: .json(RecordWire.self, "The record with this cell only, by its field's identifier."),
        problems: [.notFound, .unprocessableContent],
        timeout: Limits.uploadTime,
        handler: .requires(.recordsWrite) { call, context in
            try await store(in: call.identifier(.tableId), call, context)
        }
    )

    /// - Parameter table: the only one where the record may be; nil for any of the base.
    private static func store(
        in table: TableID?,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        let request = try AirtableBody(JSONValue(parsing: call.bytes, limits: jsonLimits), place: "")
        guard let bytes = try Base64.bytes(lenient: request.requiredText("file")) else {
            throw AirtableRefusal.invalid("file must be Base64.")
        }
        let done = try await call.services.airtable.uploadAttachment(
            AttachmentUpload(
                filename: try request.requiredText("filename"),
                contentType: try request.text("contentType"),
                bytes: bytes
            ),
            to: call.identifier(.recordId),
            field: call.fieldName,
            in: call.baseID,
            table: table,
            attachments: call.services.requireAttachments(),
            context: context
        )
        let address = try await call.attachmentAddress([done.field], context)
        return try AirtableReply.record(
            done.record,
            RecordJSON(fields: [done.field], byFieldID: true, address: address)
        )
    }
}

struct UploadBody: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "UploadAttachmentRequest"
    static let schema = JSONSchema.object(
        properties: [
            "contentType": .string(description: "What the file is, where its bytes do not say."),
            "filename": .string(),
            "file": .string(
                description: "The bytes in Base64, line breaks allowed; \(Limits.uploadBytes >> 20) MB at most."
            ),
        ],
        required: ["filename", "file"]
    )
    static let example: JSONValue = [
        "contentType": "text/plain", "filename": "note.txt", "file": "SGVsbG8=",
    ]
}
