import Domain

/// What a request writes into records.
struct RecordWrites: Sendable {
    struct Item: Sendable {
        let id: RecordID?
        let fields: JSONObject
    }

    let items: [Item]
    /// Whether they came as one record, not as an array.
    let isSingle: Bool
    let typecast: Bool
    let byFieldID: Bool
    /// The fields of an upsert; nil for plain writes.
    let mergeOn: [String]?

    /// Several records by `records`, or one by `fields`.
    ///
    /// - Parameter takesID: whether each record names the one to change, which only those of an array can.
    /// - Throws: `missingFields`, `invalidRequest` (more than 10 records, members of the wrong type), `invalidRecordID`.
    init(_ body: AirtableBody, takesID: Bool) throws(AirtableRefusal) {
        let upsert = takesID ? try body.object("performUpsert") : nil
        var mergeOn: [String]?
        if let upsert {
            guard let names = try upsert.texts("fieldsToMergeOn") else {
                throw .missing(upsert.path("fieldsToMergeOn"))
            }
            mergeOn = names
        }
        guard let records = try body.objects("records") else {
            if takesID { throw .missing("records") }
            try self.init(one: body)
            return
        }
        try Self.checkCount(records.count)
        var items: [Item] = []
        items.reserveCapacity(records.count)
        for record in records {
            let id = takesID ? try Self.id(of: record, isNeeded: mergeOn == nil) : nil
            items.append(Item(id: id, fields: try Self.fields(of: record)))
        }
        try self.init(items, isSingle: false, mergeOn, body)
    }

    /// One record by `fields`.
    init(one body: AirtableBody) throws(AirtableRefusal) {
        try self.init([Item(id: nil, fields: Self.fields(of: body))], isSingle: true, nil, body)
    }

    private init(_ items: [Item], isSingle: Bool, _ mergeOn: [String]?, _ body: AirtableBody) throws(AirtableRefusal) {
        self.items = items
        self.isSingle = isSingle
        self.mergeOn = mergeOn
        typecast = try body.flag("typecast") ?? false
        byFieldID = try body.flag("returnFieldsByFieldId") ?? false
    }

    /// - Throws: `invalidRequest` for more than a batch.
    static func checkCount(_ count: Int) throws(AirtableRefusal) {
        guard count <= Limits.batchRecords else {
            throw .invalid("records takes at most \(Limits.batchRecords) records, received \(count).")
        }
    }

    private static func fields(of record: AirtableBody) throws(AirtableRefusal) -> JSONObject {
        guard let fields = try record.object("fields") else { throw .missing(record.path("fields")) }
        return fields.members
    }

    private static func id(of record: AirtableBody, isNeeded: Bool) throws(AirtableRefusal) -> RecordID? {
        guard let text = try record.text("id") else {
            if isNeeded { throw .missing(record.path("id")) }
            return nil
        }
        guard let id = RecordID(text) else { throw .noRecordID(record.path("id")) }
        return id
    }
}
