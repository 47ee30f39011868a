import Access
import Domain

/// What a new key should be, as the API takes it.
struct APIKeyDraftWire: WrittenShape, Hashable {
    let value: JSONValue

    func draft() throws -> APIKeyDraft {
        let addresses = try APIKeyLimitWire.addresses(value["allowedAddresses"])
        return APIKeyDraft(
            name: value["name"]?.stringValue ?? "",
            scopes: APIKeyLimitWire.scopes(value["scopes"]) ?? [],
            bases: try APIKeyLimitWire.bases(value["bases"]),
            tables: try APIKeyLimitWire.tables(value["tables"]) ?? [:],
            addresses: addresses,
            expires: try APIKeyLimitWire.time(value["expires"])
        )
    }

    static let schemaName = "ApiKeyDraft"
    static let schema = JSONSchema.object(
        properties: [
            "name": APIKeyLimitWire.name,
            "scopes": APIKeyLimitWire.scopes,
            "bases": APIKeyLimitWire.bases,
            "tables": APIKeyLimitWire.tables,
            "allowedAddresses": APIKeyLimitWire.addresses,
            "expires": APIKeyLimitWire.expires,
        ],
        required: ["name", "scopes"]
    )
    static let example: JSONValue = [
        "name": "Website", "scopes": ["records:read", "search"],
        "tables": [Sample.base.description: [.string(Sample.table.description)]],
    ]
}

/// What should be different about a key; null takes a limit away.
struct APIKeyChangeWire: WrittenShape, Hashable {
    let value: JSONValue

    func change() throws -> APIKeyChange {
        var change = APIKeyChange(
            name: value["name"]?.stringValue,
            scopes: APIKeyLimitWire.scopes(value["scopes"]),
            isDisabled: value["disabled"]?.boolValue
        )
        if let bases = value["bases"] { change.bases = .some(try APIKeyLimitWire.bases(bases)) }
        if let tables = value["tables"] { change.tables = try APIKeyLimitWire.tables(tables) ?? [:] }
        if let list = value["allowedAddresses"] { change.addresses = .some(try APIKeyLimitWire.addresses(list)) }
        if let expires = value["expires"] { change.expires = .some(try APIKeyLimitWire.time(expires)) }
        return change
    }

    static let schemaName = "ApiKeyChange"
    static let schema = JSONSchema.object(
        properties: [
            "name": APIKeyLimitWire.name,
            "scopes": APIKeyLimitWire.scopes,
            "bases": APIKeyLimitWire.bases.nullable,
            "tables": APIKeyLimitWire.tables.nullable,
            "allowedAddresses": APIKeyLimitWire.addresses.nullable,
            "expires": APIKeyLimitWire.expires.nullable,
            "disabled": .boolean(),
        ],
        description: "What is not named stays as it is; null takes a limit away."
    )
    static let example: JSONValue = ["name": "Old website", "disabled": true]
}

/// An API key without its secret.
struct APIKeyWire: DocumentedWireType, Hashable {
    let id: KeyID
    let owner: UserID
    let name: String
    let prefix: String
    let lastFour: String
    let scopes: [String]
    let bases: [BaseID]?
    let tables: [String: [TableID]]?
    let allowedAddresses: [String]?
    let expires: String?
    let disabled: Bool
    let createdTime: String
    let lastUsedTime: String?

    init(_ key: APIKey) {
        id = key.id
        owner = key.owner
        name = key.name
        prefix = key.prefix
        lastFour = key.lastFour
        scopes = key.scopes.map(\.rawValue).sorted()
        bases = key.bases?.sorted()
        tables =
            key.tables.isEmpty
            ? nil : Dictionary(uniqueKeysWithValues: key.tables.map { ($0.key.description, $0.value.sorted()) })
        allowedAddresses = key.addresses?.networks.map(\.description)
        expires = key.expires?.iso8601
        disabled = key.isDisabled
        createdTime = key.createdTime.iso8601
        lastUsedTime = key.lastUsedTime?.iso8601
    }

    static let schemaName = "ApiKey"
    static let properties: KeyValuePairs<String, JSONSchema> = [
        "id": PathParameter.keyId.schema,
        "owner": PathParameter.userId.schema.described("Whose rights it carries."),
        "name": .string(),
        "prefix": .string(description: "What its text begins with."),
        "lastFour": .string(description: "The last four characters of its text."),
        "scopes": .array(of: .string(enum: Permission.allCases.map(\.rawValue))),
        "bases": .array(of: PathParameter.baseId.schema, description: "The only bases it sees whole."),
        "tables": .dictionary(
            of: .array(of: PathParameter.tableId.schema),
            description: "By base, the only tables of it that the key sees."
        ),
        "allowedAddresses": .array(of: .string(), description: "The only networks it may come from."),
        "expires": .string(format: "date-time"),
        "disabled": .boolean(),
        "createdTime": .string(format: "date-time"),
        "lastUsedTime": .string(description: "A minute late at most; absent when never.", format: "date-time"),
    ]
    static let required = [
        "id", "owner", "name", "prefix", "lastFour", "scopes", "disabled", "createdTime",
    ]
    static let schema = JSONSchema.object(
        properties: properties,
        required: required,
        description: "An API key without its secret. What limits it is absent where nothing does."
    )
    static let sample = APIKeyWire(.sample)
}

/// A key just made: the only answer that has its text.
struct IssuedAPIKeyWire: DocumentedWireType, Hashable {
    let key: APIKeyWire
    let text: String

    init(_ issued: IssuedKey) {
        key = APIKeyWire(issued.key)
        text = issued.text
    }

    private init() {
        key = .sample
        text = "pat_live_Website0000001_…"
    }

    static let schemaName = "IssuedApiKey"
    static let schema = JSONSchema.object(
        properties: [
            "key": APIKeyWire.schema,
            "text": .string(description: "For the header Authorization: Bearer. Shown only now."),
        ],
        required: ["key", "text"]
    )
    static let sample = IssuedAPIKeyWire()
}

struct APIKeyListWire: DocumentedWireType, Hashable {
    let keys: [APIKeyWire]

    static let schemaName = "ApiKeyList"
    static let schema = JSONSchema.object(properties: ["keys": .array(of: APIKeyWire.schema)], required: ["keys"])
    static let sample = APIKeyListWire(keys: [.sample])
}

/// The limits of a key in a body, whose schema has been checked.
enum APIKeyLimitWire {
    static let name = JSONSchema.string(description: "For people.", minLength: 1, maxLength: 100)
    static let scopes = JSONSchema.array(
        of: .string(enum: Permission.allCases.map(\.rawValue)),
        description: "What it may do at most; its owner may do less.",
        minItems: 1,
        maxItems: Permission.allCases.count
    )
    static let bases = JSONSchema.array(
        of: PathParameter.baseId.schema,
        description: "The only bases it sees.",
        maxItems: Limits.keyPlaces
    )
    static let tables = JSONSchema.dictionary(
        of: .array(of: PathParameter.tableId.schema, minItems: 1, maxItems: Limits.keyPlaces),
        description: "By base, the only tables it sees of it. A base stands here or in `bases`."
    )
    static let addresses = JSONSchema.array(
        of: .string(maxLength: 64),
        description: "The only networks it may come from, such as `203.0.113.7` or `2001:db8::/32`.",
        minItems: 1,
        maxItems: Limits.keyAddresses
    )
    static let expires = JSONSchema.string(
        description: "Dead from then on.",
        maxLength: 40,
        format: "date-time"
    )

    static func scopes(_ value: JSONValue?) -> Set<Permission>? {
        value?.arrayValue.map { Set($0.compactMap { $0.stringValue.flatMap(Permission.init(rawValue:)) }) }
    }

    static func bases(_ value: JSONValue?) throws -> Set<BaseID>? {
        try value?.arrayValue.map { Set(try $0.map { try identifier($0, "a base") }) }
    }

    static func tables(_ value: JSONValue?) throws -> [BaseID: Set<TableID>]? {
        try value?.objectValue.map { members in
            try members.reduce(into: [:]) { tables, member in
                let base: BaseID = try identifier(.string(member.key), "a base")
                tables[base] = Set(try (member.value.arrayValue ?? []).map { try identifier($0, "a table") })
            }
        }
    }

    static func addresses(_ value: JSONValue?) throws -> AddressList? {
        try value?.arrayValue.map { elements in
            guard let list = AddressList(elements.map { $0.stringValue ?? "" }) else {
                throw GatewayError(
                    .invalidBody,
                    "One of the allowed addresses is no address and no network.",
                    hint: "write them like 203.0.113.7, 10.1.0.0/16 or 2001:db8::/32"
                )
            }
            return list
        }
    }

    static func time(_ value: JSONValue?) throws -> Instant? {
        try value?.stringValue.map { text in
            guard let time = Instant(iso8601: text) else {
                throw GatewayError(.invalidBody, "The expiry is no date and time such as 2030-05-01T12:00:00Z.")
            }
            return time
        }
    }

    private static func identifier<Kind>(_ value: JSONValue, _ what: String) throws -> Identifier<Kind> {
        guard let identifier = value.stringValue.flatMap({ Identifier<Kind>($0) }) else {
            throw GatewayError(.invalidBody, "What should name \(what) is no identifier of one.")
        }
        return identifier
    }
}

extension APIKey {
    static let sample = APIKey(
        id: KeyID("keyWebsite0000001")!,
        owner: Sample.user,
        name: "Website",
        scopes: [.recordsRead, .search],
        bases: nil,
        tables: [Sample.base: [Sample.table]],
        expires: nil,
        isDisabled: false,
        createdTime: Sample.time,
        lastUsedTime: nil,
        lastFour: "0000"
    )
}
