import Crypto
import Domain

/// An event in its place: numbered without gaps in its chain, and hashed with the hash of the entry before.
public struct AuditEntry: Sendable, Hashable {
    public let chain: AuditChain
    /// From 1, without gaps.
    public let sequence: Int64
    public let event: AuditEvent
    /// The canonical JSON that is stored and hashed.
    public let body: [UInt8]
    /// SHA-256 of the hash of the entry before (of the first one, `genesis` of its chain) followed by `body`.
    public let hash: [UInt8]

    init(_ event: AuditEvent, chain: AuditChain, after previous: [UInt8], sequence: Int64) {
        self.chain = chain
        self.sequence = sequence
        self.event = event
        body = Self.body(of: event, chain: chain, sequence: sequence)
        hash = Self.hash(previous, body)
    }

    /// Nil when the body is none of ours.
    init?(_ stored: StoredEntry, of chain: AuditChain) {
        guard let event = Self.event(of: stored.body) else { return nil }
        self.chain = chain
        self.sequence = stored.sequence
        self.event = event
        self.body = stored.body
        self.hash = stored.hash
    }

    static func hash(_ previous: [UInt8], _ body: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: previous)
        hash.update(data: body)
        return Array(hash.finalize())
    }

    /// What stands in place of a hash before the first entry: no two chains begin alike.
    static func genesis(_ chain: AuditChain) -> [UInt8] {
        Array(SHA256.hash(data: Array("pyairtable/audit/1\0\(chain.name)".utf8)))
    }

    // MARK: Canonical JSON

    /// Members in this order, those without a value left out, details by name, no white space. The writer escapes
    /// control characters, so an entry is one line whatever it holds.
    static func body(of event: AuditEvent, chain: AuditChain, sequence: Int64) -> [UInt8] {
        var members: JSONObject = [
            "v": 1,
            "chain": .string(chain.name),
            "sequence": .number(JSONNumber(Int(sequence))),
            "time": .string(event.time.iso8601),
            "action": .string(event.action.rawValue),
            "result": .string(event.result.rawValue),
        ]
        members["user"] = event.user.map { .string($0.description) }
        members["key"] = event.key.map { .string($0.description) }
        members["session"] = event.session.map { .string($0.description) }
        members["agent"] = event.agent.map { .string(bounded($0)) }
        members["origin"] = event.origin.map { .string($0.rawValue) }
        members["object"] = event.object.map { object in
            ["kind": .string(object.kind.rawValue), "id": .string(bounded(object.id))]
        }
        members["before"] = event.before.map { .string(bounded($0)) }
        members["after"] = event.after.map { .string(bounded($0)) }
        members["request"] = event.requestID.map { .string(bounded($0)) }
        members["address"] = event.address.map { .string(bounded($0)) }
        if !event.details.isEmpty {
            let details = event.details.sorted { $0.key.rawValue < $1.key.rawValue }
            members["details"] = .object(
                JSONObject(details.map { (key: $0.key.rawValue, value: .string(bounded($0.value))) })
            )
        }
        return JSONValue.object(members).encoded()
    }

    static func bounded(_ text: String) -> String {
        // PostgreSQL takes no U+0000, and nothing that is looked for has one.
        if text.utf8.count <= Limits.auditCharacters, !text.utf8.contains(0) { return text }
        return String(
            String.UnicodeScalarView(text.unicodeScalars.lazy.filter { $0 != "\0" }.prefix(Limits.auditCharacters))
        )
    }

    /// Nil unless it is what `body(of:chain:sequence:)` writes; an action that this program does not know is not.
    static func event(of body: [UInt8]) -> AuditEvent? {
        guard let json = try? JSONValue(parsing: body),
            let action = json["action"]?.stringValue.flatMap(AuditAction.init(rawValue:)),
            let result = json["result"]?.stringValue.flatMap(AuditEvent.Result.init(rawValue:)),
            let time = json["time"]?.stringValue.flatMap(Instant.init(iso8601:))
        else { return nil }
        var event = AuditEvent(action, result: result, at: time)
        event.user = json["user"]?.stringValue.flatMap { UserID($0) }
        event.key = json["key"]?.stringValue.flatMap { KeyID($0) }
        event.session = json["session"]?.stringValue.flatMap { SessionID($0) }
        event.agent = json["agent"]?.stringValue
        event.origin = json["origin"]?.stringValue.flatMap(Origin.init(rawValue:))
        if let kind = json["object"]?["kind"]?.stringValue.flatMap(AuditObject.Kind.init(rawValue:)),
            let id = json["object"]?["id"]?.stringValue
        {
            event.object = AuditObject(kind, id)
        }
        event.before = json["before"]?.stringValue
        event.after = json["after"]?.stringValue
        event.requestID = json["request"]?.stringValue
        event.address = json["address"]?.stringValue
        for (name, value) in json["details"]?.objectValue ?? JSONObject() {
            guard let detail = AuditEvent.Detail(rawValue: name) else { continue }
            event.details[detail] = value.stringValue
        }
        return event
    }
}
