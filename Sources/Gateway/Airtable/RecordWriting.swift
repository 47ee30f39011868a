import Airtable
import Domain
import HTTPTypes

/// What requests to write records do, whether they came by Airtable's own paths or by ours: bodies and answers are
/// the same.
enum RecordWriting {
    /// Files that cells name by address are fetched before the write answers, however long the rest may take.
    static let timeout = Limits.attachmentFetchTime + .seconds(30)

    static let createBody = RouteBody(CreateRecordsBody.self, limit: Limits.jsonBytes, isChecked: false)
    static let updateBody = RouteBody(UpdateRecordBody.self, limit: Limits.jsonBytes, isChecked: false)
    static let updatesBody = RouteBody(UpdateRecordsBody.self, limit: Limits.jsonBytes, isChecked: false)
    static let deletedRecords = QueryParameter(
        "records[]",
        "A record's identifier; may be given again.",
        .string()
    )

    @Sendable
    static func create(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let writes = try RecordWrites(call.airtableBody(), takesID: false)
        let table = try await call.anyTable(context)
        let records = try await call.services.airtable.create(
            writes.items.map { RecordDraft(fields: $0.fields) },
            in: table.id,
            typecast: writes.typecast,
            context: context
        )
        return try await answer(records, writes, table, call, context)
    }

    static func updateOne(
        replacing: Bool,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        let id: RecordID = try call.identifier(.recordId)
        let writes = try RecordWrites(one: call.airtableBody())
        let table = try await call.anyTable(context)
        let records = try await existing(id) {
            try await call.services.airtable.update(
                writes.items.map { RecordUpdate(id: id, fields: $0.fields) },
                in: table.id,
                replacing: replacing,
                typecast: writes.typecast,
                check: call.recordCheck(table),
                context: context
            )
        }
        var reply = try await answer(records, writes, table, call, context)
        if let record = records.first { reply.headers[.eTag] = EntityTag(of: record, in: table).text }
        return reply
    }

    static func updateMany(
        replacing: Bool,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        let writes = try RecordWrites(call.airtableBody(), takesID: true)
        let table = try await call.anyTable(context)
        if let mergeOn = writes.mergeOn {
            return try await upsert(writes, mergeOn, replacing: replacing, table, call, context)
        }
        let records = try await call.services.airtable.update(
            writes.items.compactMap { item in item.id.map { RecordUpdate(id: $0, fields: item.fields) } },
            in: table.id,
            replacing: replacing,
            typecast: writes.typecast,
            context: context
        )
        return try await answer(records, writes, table, call, context)
    }

    private static func upsert(
        _ writes: RecordWrites,
        _ mergeOn: [String],
        replacing: Bool,
        _ table: Table,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> Reply {
        for item in writes.items where item.id == nil {
            for name in mergeOn {
                let field = table.field(name)
                let names = [name, field?.name, field?.id.description].compactMap(\.self)
                guard names.contains(where: { item.fields[$0] != nil }) else {
                    throw AirtableRefusal.invalid("Each record needs a value of the field \"\(name)\" it is merged on.")
                }
            }
        }
        let result = try await call.services.airtable.upsert(
            writes.items.map { RecordUpsert(id: $0.id, fields: $0.fields) },
            mergeOn: mergeOn,
            in: table.id,
            replacing: replacing,
            typecast: writes.typecast,
            context: context
        )
        return try await answer(result.records, writes, table, call, context) { writer in
            write(result.created, as: "createdRecords", to: &writer)
            write(result.updated, as: "updatedRecords", to: &writer)
        }
    }

    @Sendable
    static func deleteOne(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let id: RecordID = try call.identifier(.recordId)
        let table = try await call.anyTable(context)
        try await existing(id) {
            try await call.services.airtable.delete(
                [id],
                in: table.id,
                check: call.recordCheck(table),
                context: context
            )
        }
        return try AirtableReply.deleted(id)
    }

    @Sendable
    static func deleteMany(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        guard let texts = try call.airtableQuery().texts("records") else { throw AirtableRefusal.missing("records") }
        try RecordWrites.checkCount(texts.count)
        var ids: [RecordID] = []
        for (number, text) in texts.enumerated() {
            guard let id = RecordID(text) else { throw AirtableRefusal.noRecordID("records[\(number)]") }
            ids.append(id)
        }
        let table = try await call.anyTable(context)
        try await call.services.airtable.delete(ids, in: table.id, context: context)
        return try AirtableReply.json([
            "records": .array(ids.map { ["id": .string($0.description), "deleted": true] })
        ])
    }

    // MARK: Answers

    /// What `write` gives; a record of the path that does not exist is not found, while one that a cell links to is
    /// a wrong value.
    private static func existing<T: Sendable>(
        _ id: RecordID,
        _ write: () async throws -> T
    ) async throws -> T {
        do {
            return try await write()
        } catch let error as AirtableError
            where error.code == .rowDoesNotExist && error.message.contains(id.description)
        {
            throw AirtableError(.notFound, error.message)
        }
    }

    /// The records with the fields that may be seen, as of the write: typecasting may have added choices.
    private static func answer(
        _ records: [Record],
        _ writes: RecordWrites,
        _ table: Table,
        _ call: RouteCall,
        _ context: Domain.RequestContext,
        more: (inout JSONWriter) -> Void = { _ in }
    ) async throws -> Reply {
        let shown = writes.typecast ? try await call.reads.table(id: table.id, context: context) : table
        let address = try await call.attachmentAddress(shown.fields, context)
        let format = RecordJSON(fields: shown.fields, byFieldID: writes.byFieldID, address: address)
        if writes.isSingle, let record = records.first { return try AirtableReply.record(record, format) }
        return try AirtableReply.records(records, format, more: more)
    }

    private static func write(_ ids: [RecordID], as key: String, to writer: inout JSONWriter) {
        writer.key(key)
        writer.beginArray()
        for id in ids { writer.string(id.description) }
        writer.endArray()
    }
}
