import Airtable
import Domain

/// What every writing tool answers.
struct WriteAnswer: WireType {
    enum Status: String, Codable, Sendable, CaseIterable {
        /// The change is made.
        case done
        /// A dry run: nothing was changed.
        case proposed
        /// All is as wanted already.
        case unchanged
        /// The user said no, or nothing.
        case declined
        /// What was changed since stands against it; nothing was changed.
        case conflict
    }

    struct RecordReport: Codable, Sendable, Hashable {
        enum Outcome: String, Codable, Sendable, CaseIterable {
            case created, updated, unchanged, deleted
        }

        var id: String
        var outcome: Outcome
    }

    /// Something with a name that was made or changed.
    struct Made: Codable, Sendable, Hashable {
        var kind: String
        var id: String
        var name: String
    }

    struct Conflict: Codable, Sendable, Hashable {
        var record: String?
        var reason: String
        var fields: [String]?
        /// The newest change of the record since.
        var since: Int64?
    }

    struct Proposal: Codable, Sendable, Hashable {
        struct Change: Codable, Sendable, Hashable {
            var change: String
            var record: String?
            var name: String?
            /// Before and after, by field name.
            var cells: [String: [JSONValue]]
        }

        var hash: String
        var expires: String
        var asks: Bool
        var created: Int
        var updated: Int
        var deleted: Int
        var changes: [Change]
        var moreChanges: Int
        var notes: [String]
    }

    var status: Status
    /// Of the change log.
    var transaction: Int64?
    var created: Int?
    var updated: Int?
    var unchanged: Int?
    var deleted: Int?
    /// In the order of the request.
    var records: [RecordReport]?
    var moreRecords: Int?
    var made: [Made]?
    var conflicts: [Conflict]?
    var proposal: Proposal?
    var notes: [String]?
    /// Whether this is the answer of an earlier call with the same idempotency key.
    var repeated: Bool?
    /// The text, for it is made where more is known.
    private(set) var text = ""

    init(_ status: Status, text: String = "") {
        self.status = status
        self.text = text
    }

    func reading(_ text: String) -> Self {
        var answer = self
        answer.text = text
        return answer
    }

    private enum CodingKeys: String, CodingKey {
        case status, transaction, created, updated, unchanged, deleted, records, moreRecords, made, conflicts, proposal
        case notes, repeated
    }

    static let schema: JSONSchema = Self.schema(records: true, made: true)

    /// Terse, for each client pays for all of them in every conversation: no more than a program needs to go on, and other
    /// members may be there.
    ///
    /// - Parameters:
    ///   - records: whether the tool changes records.
    ///   - made: whether it makes things with names.
    ///   - conflicts: whether something may stand against it.
    static func schema(records: Bool = false, made: Bool = false, conflicts: Bool = false) -> JSONSchema {
        var properties: JSONObject = [
            "status": JSONSchema.string(enum: Status.allCases.map(\.rawValue)).json
        ]
        if records || conflicts { properties["transaction"] = JSONSchema.integer().json }
        if records {
            for name in ["created", "updated", "deleted"] { properties[name] = JSONSchema.integer().json }
            properties["records"] = Self.list(["id", "outcome"])
        }
        if made { properties["made"] = Self.list(["kind", "id", "name"]) }
        if conflicts { properties["conflicts"] = Self.list(["record", "reason"]) }
        if records || conflicts { properties["proposal"] = JSONSchema.anyObject.json }
        return JSONSchema(json: ["type": "object", "properties": .object(properties), "required": ["status"]])
    }

    private static func list(_ names: [String]) -> JSONValue {
        let members = names.map { (key: $0, value: ["type": "string"] as JSONValue) }
        return ["type": "array", "items": ["type": "object", "properties": .object(JSONObject(members))]]
    }
}

extension JSONSchema {
    /// An object with whatever members.
    static let anyObject = JSONSchema(json: ["type": "object", "properties": [:]])
}
