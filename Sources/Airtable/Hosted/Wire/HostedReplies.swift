public import Domain

/// A record as the hosted service gives it.
public struct HostedRecord: Sendable, Hashable {
    public let id: RecordID
    /// As it came, to the byte.
    public let createdTime: String
    /// By name, or by identifier when that was asked for. Empty cells are absent.
    public let fields: JSONObject
    public let commentCount: Int?

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap({ RecordID($0) }),
            let createdTime = json["createdTime"]?.stringValue, let fields = json["fields"]?.objectValue
        else { return nil }
        self.id = id
        self.createdTime = createdTime
        self.fields = fields
        commentCount = json["commentCount"]?.intValue
    }
}

/// A part of a listing.
public struct HostedPage: Sendable, Hashable {
    public let records: [HostedRecord]
    /// Nil on the last page.
    public let offset: String?

    init?(_ json: JSONValue) {
        guard let list = json["records"]?.arrayValue else { return nil }
        let records = list.compactMap { HostedRecord($0) }
        guard records.count == list.count else { return nil }
        self.records = records
        offset = json["offset"]?.stringValue
    }
}

public struct HostedUpsert: Sendable, Hashable {
    public let record: HostedRecord
    public let isCreated: Bool
}

/// A base that a token may see.
public struct HostedBase: Sendable, Hashable {
    public let id: BaseID
    public let name: String
    /// `none read comment edit create`.
    public let permissionLevel: String

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap({ BaseID($0) }), let name = json["name"]?.stringValue else {
            return nil
        }
        self.id = id
        self.name = name
        permissionLevel = json["permissionLevel"]?.stringValue ?? "none"
    }
}

/// A field of a hosted table. Types and options are the service's own, some of which the store may not know.
public struct HostedField: Sendable, Hashable {
    public let id: FieldID
    public let name: String
    public let type: String
    public let description: String?
    public let options: JSONObject

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap({ FieldID($0) }), let name = json["name"]?.stringValue,
            let type = json["type"]?.stringValue
        else { return nil }
        self.id = id
        self.name = name
        self.type = type
        description = json["description"]?.stringValue
        options = json["options"]?.objectValue ?? JSONObject()
    }

    /// The table that records of this cell stand in, or that this field looks into.
    var linkedTable: TableID? { options["linkedTableId"]?.stringValue.flatMap { TableID($0) } }
}

public struct HostedTable: Sendable, Hashable {
    public let id: TableID
    public let name: String
    public let description: String?
    public let primaryField: FieldID
    public let fields: [HostedField]

    init?(_ json: JSONValue) {
        guard let id = json["id"]?.stringValue.flatMap({ TableID($0) }), let name = json["name"]?.stringValue,
            let primaryField = json["primaryFieldId"]?.stringValue.flatMap({ FieldID($0) }),
            let list = json["fields"]?.arrayValue
        else { return nil }
        let fields = list.compactMap { HostedField($0) }
        guard fields.count == list.count else { return nil }
        self.id = id
        self.name = name
        self.primaryField = primaryField
        self.fields = fields
        description = json["description"]?.stringValue
    }
}
