import Domain
import HTTPTypes

/// Changing bases, tables and records by the platform's own paths: bodies and answers are those of the same resource
/// under `/v0`, failures are problem documents.
enum AirtableChangeRoutes {
    static let all = [
        createBase, deleteBase, createTable, deleteTable,
        createRecords, updateRecords, deleteRecords, updateRecord, deleteRecord,
    ]

    private static let bases = "/api/v1/airtable/bases"
    private static let tables = bases + "/{baseId}/tables"
    private static let records = tables + "/{tableId}/records"

    private static let createBase = Route(
        .post,
        bases,
        name: "createBase",
        summary: "Makes a base with its tables.",
        body: SchemaWriting.baseBody,
        reply: .json(CreatedBaseWire.self, "The base and its tables."),
        problems: [.notFound, .conflict],
        handler: .requires(.schemaWrite, SchemaWriting.createBase)
    )

    private static let deleteBase = Route(
        .delete,
        bases + "/{baseId}",
        name: "deleteBase",
        summary: "Deletes a base with all its tables.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .requires(.schemaWrite, SchemaWriting.deleteBase)
    )

    private static let createTable = Route(
        .post,
        tables,
        name: "createTable",
        summary: "Adds a table to a base.",
        body: SchemaWriting.tableBody,
        reply: .json(MetaTableWire.self, "The table."),
        problems: [.conflict],
        handler: .requires(.schemaWrite, SchemaWriting.createTable)
    )

    private static let deleteTable = Route(
        .delete,
        tables + "/{tableId}",
        name: "deleteTable",
        summary: "Deletes a table with its records, and the fields that link to it.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .requires(.schemaWrite, SchemaWriting.deleteTable)
    )

    private static let createRecords = Route(
        .post,
        records,
        name: "createRecords",
        summary: "Makes one record, or up to ten.",
        body: RecordWriting.createBody,
        reply: .json(RecordOrRecordsWire.self, "The record, or the records in the order of the request."),
        handler: .requires(.recordsWrite, RecordWriting.create)
    )

    private static let updateRecords = Route(
        .patch,
        records,
        name: "updateRecords",
        summary: "Sets cells of up to ten records, or upserts them.",
        body: RecordWriting.updatesBody,
        reply: .json(UpsertedRecordsWire.self, "The records in the order of the request."),
        handler: .requires(.recordsWrite) { call, context in
            try await RecordWriting.updateMany(replacing: false, call, context)
        }
    )

    private static let deleteRecords = Route(
        .delete,
        records,
        name: "deleteRecords",
        summary: "Deletes up to ten records.",
        query: [RecordWriting.deletedRecords],
        readsQuery: true,
        reply: .json(DeletedRecordsWire.self, "They are deleted."),
        handler: .requires(.recordsDelete, RecordWriting.deleteMany)
    )

    private static let updateRecord = Route(
        .patch,
        records + "/{recordId}",
        name: "updateRecord",
        summary: "Sets cells of a record.",
        body: RecordWriting.updateBody,
        reply: .json(RecordWire.self, "The record."),
        handler: .requires(.recordsWrite) { call, context in
            try await RecordWriting.updateOne(replacing: false, call, context)
        }
    )

    private static let deleteRecord = Route(
        .delete,
        records + "/{recordId}",
        name: "deleteRecord",
        summary: "Deletes a record.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .requires(.recordsDelete, RecordWriting.deleteOne)
    )
}
