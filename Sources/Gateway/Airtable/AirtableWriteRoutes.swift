import Domain
import HTTPTypes

/// Writing records by Airtable's own API. PATCH keeps what is not named, PUT clears it.
enum AirtableWriteRoutes {
    static let all = [
        create, updateMany(.patch), updateMany(.put), updateOne(.patch), updateOne(.put), deleteMany, deleteOne,
    ]

    private static let create = Route(
        .post,
        "/v0/{baseId}/{tableIdOrName}",
        name: "airtableCreateRecords",
        summary: "Makes one record, or up to ten.",
        body: RecordWriting.createBody,
        reply: .json(RecordOrRecordsWire.self, "The record, or the records in the order of the request."),
        handler: .airtable(.recordsWrite, RecordWriting.create)
    )

    private static func updateOne(_ method: HTTPRequest.Method) -> Route {
        Route(
            method,
            "/v0/{baseId}/{tableIdOrName}/{recordId}",
            name: method == .put ? "airtableReplaceRecord" : "airtableUpdateRecord",
            summary: method == .put ? "Sets cells of a record and clears all others." : "Sets cells of a record.",
            body: RecordWriting.updateBody,
            reply: .json(RecordWire.self, "The record."),
            handler: .airtable(.recordsWrite) { call, context in
                try await RecordWriting.updateOne(replacing: method == .put, call, context)
            }
        )
    }

    private static func updateMany(_ method: HTTPRequest.Method) -> Route {
        Route(
            method,
            "/v0/{baseId}/{tableIdOrName}",
            name: method == .put ? "airtableReplaceRecords" : "airtableUpdateRecords",
            summary: "Sets cells of up to ten records\(method == .put ? ", clears all others," : "") or upserts them.",
            body: RecordWriting.updatesBody,
            reply: .json(UpsertedRecordsWire.self, "The records in the order of the request."),
            handler: .airtable(.recordsWrite) { call, context in
                try await RecordWriting.updateMany(replacing: method == .put, call, context)
            }
        )
    }

    private static let deleteMany = Route(
        .delete,
        "/v0/{baseId}/{tableIdOrName}",
        name: "airtableDeleteRecords",
        summary: "Deletes up to ten records.",
        query: [RecordWriting.deletedRecords],
        readsQuery: true,
        reply: .json(DeletedRecordsWire.self, "They are deleted."),
        handler: .airtable(.recordsDelete, RecordWriting.deleteMany)
    )

    private static let deleteOne = Route(
        .delete,
        "/v0/{baseId}/{tableIdOrName}/{recordId}",
        name: "airtableDeleteRecord",
        summary: "Deletes a record.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .airtable(.recordsDelete, RecordWriting.deleteOne)
    )
}
