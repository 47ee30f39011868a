import Domain
import HTTPTypes

/// Writing records. PATCH keeps what is not named; PUT, which only Airtable's paths have, clears it.
enum RecordWriteRoutes {
    static func all(by door: AirtableDoor) -> [Route] {
        let methods: [HTTPRequest.Method] = door == .airtable ? [.patch, .put] : [.patch]
        return [create(door)] + methods.map { updateMany($0, door) } + methods.map { updateOne($0, door) }
            + [deleteMany(door), deleteOne(door)]
    }

    private static func create(_ door: AirtableDoor) -> Route {
        door.route(
            .post,
            door.records,
            "createRecords",
            "Makes one record, or up to ten.",
            body: RecordWriting.createBody,
            reply: .json(RecordOrRecordsWire.self, "The record, or the records in the order of the request."),
            timeout: RecordWriting.timeout,
            .recordsWrite,
            RecordWriting.create
        )
    }

    private static func updateMany(_ method: HTTPRequest.Method, _ door: AirtableDoor) -> Route {
        door.route(
            method,
            door.records,
            method == .put ? "replaceRecords" : "updateRecords",
            "Sets cells of up to ten records\(method == .put ? ", clears all others," : "") or upserts them.",
            body: RecordWriting.updatesBody,
            reply: .json(UpsertedRecordsWire.self, "The records in the order of the request."),
            timeout: RecordWriting.timeout,
            .recordsWrite
        ) { call, context in
            try await RecordWriting.updateMany(replacing: method == .put, call, context)
        }
    }

    private static func updateOne(_ method: HTTPRequest.Method, _ door: AirtableDoor) -> Route {
        door.route(
            method,
            door.record,
            method == .put ? "replaceRecord" : "updateRecord",
            method == .put ? "Sets cells of a record and clears all others." : "Sets cells of a record.",
            body: RecordWriting.updateBody,
            reply: .json(RecordWire.self, "The record."),
            timeout: RecordWriting.timeout,
            .recordsWrite
        ) { call, context in
            try await RecordWriting.updateOne(replacing: method == .put, call, context)
        }
    }

    private static func deleteMany(_ door: AirtableDoor) -> Route {
        door.route(
            .delete,
            door.records,
            "deleteRecords",
            "Deletes up to ten records.",
            query: [RecordWriting.deletedRecords],
            reply: .json(DeletedRecordsWire.self, "They are deleted."),
            .recordsDelete,
            RecordWriting.deleteMany
        )
    }

    private static func deleteOne(_ door: AirtableDoor) -> Route {
        door.route(
            .delete,
            door.record,
            "deleteRecord",
            "Deletes a record.",
            reply: .json(DeletedWire.self, "It is deleted."),
            .recordsDelete,
            RecordWriting.deleteOne
        )
    }
}
