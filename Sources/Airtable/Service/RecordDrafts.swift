public import Domain

/// A record to be made: cells in Airtable's JSON shapes, by field name or identifier.
public struct RecordDraft: Sendable, Hashable {
    public var fields: JSONObject

    public init(fields: JSONObject) { self.fields = fields }

    public init(_ cells: [FieldID: JSONValue]) { self.init(fields: JSONObject(cells: cells)) }
}

/// Cells to be set in an existing record; null clears one.
public struct RecordUpdate: Sendable, Hashable {
    public var id: RecordID
    public var fields: JSONObject

    public init(id: RecordID, fields: JSONObject) {
        self.id = id
        self.fields = fields
    }

    public init(id: RecordID, _ cells: [FieldID: JSONValue]) { self.init(id: id, fields: JSONObject(cells: cells)) }
}

/// A record to be made, or to be updated when one with the same values in the merge fields is
/// there.
public struct RecordUpsert: Sendable, Hashable {
    /// With an identifier it is a plain update.
    public var id: RecordID?
    public var fields: JSONObject

    public init(id: RecordID? = nil, fields: JSONObject) {
        self.id = id
        self.fields = fields
    }
}

public struct UpsertResult: Sendable, Hashable {
    /// In the order of the request.
    public let records: [Record]
    public let created: [RecordID]
    public let updated: [RecordID]
}

extension JSONObject {
    fileprivate init(cells: [FieldID: JSONValue]) {
        self.init(cells.sorted { $0.key < $1.key }.map { (key: $0.key.description, value: $0.value) })
    }
}
