public import Domain
import Foundation
import Synchronization

/// Stands in for the hosted service: bases, tables, records in memory, its limits, and whatever faults a test wants.
///
/// Pure but for its lock: each request brings the moment of its arrival. Knows the rules that matter to a client:
/// batches of ten, all or none; field names and numbers are checked; more than five requests of a base within a second
/// are refused with 429, and everything of that base for half a minute after.
public final class HostedStandIn: Sendable {
    public typealias Moment = ContinuousClock.Instant

    public struct Row: Sendable, Equatable {
        public let id: String
        public let createdTime: String
        public var fields: JSONObject

        public init(id: String, createdTime: String, fields: JSONObject) {
            self.id = id
            self.createdTime = createdTime
            self.fields = fields
        }
    }

    public struct Table: Sendable {
        public let id: String
        public var name: String
        /// As the schema gives them: id, name, type, options.
        public var fields: [JSONObject]
        /// In the order they were made.
        public var rows: [Row] = []

        public init(id: String, name: String, fields: [JSONObject]) {
            self.id = id
            self.name = name
            self.fields = fields
        }
    }

    /// What goes wrong with one request.
    public enum Fault: Sendable {
        /// Answered instead of being dealt with.
        case status(Int, body: String)
        /// Dealt with, and answered with this status all the same.
        case statusAfter(Int)
        case cutBefore
        case cutAfter
    }

    public enum Reply: Sendable {
        case answer(status: Int, body: [UInt8])
        case cut
    }

    public struct Arrival: Sendable {
        public let time: Moment
        public let method: String
        /// Path and query below the version.
        public let target: String
        public let token: String
        public let status: Int
    }

    public struct State: Sendable {
        public var tables: [String: [Table]] = [:]
        public var names: [String: String] = [:]
        public var arrivals: [Arrival] = []
        /// Every write to a record that was done, in order.
        public var writes: [(id: String, fields: JSONObject)] = []
        var recent: [String: [Moment]] = [:]
        var lockedUntil: [String: Moment] = [:]
        var lastRow = 0
        var requests = 0
    }

    private let state = Mutex(State())
    /// Gives the fault of a request by its number, from 1.
    private let fault: @Sendable (Int) -> Fault?
    private let callsPerSecond: Int

    public init(callsPerSecond: Int = 5, fault: @escaping @Sendable (Int) -> Fault? = { _ in nil }) {
        self.callsPerSecond = callsPerSecond
        self.fault = fault
    }

    public func add(base: String, name: String, _ tables: [Table]) {
        state.withLock { state in
            state.tables[base] = tables
            state.names[base] = name
        }
    }

    public func change(_ base: String, _ body: (inout [Table]) -> Void) {
        state.withLock { body(&$0.tables[base, default: []]) }
    }

    public var snapshot: State { state.withLock { $0 } }
    public var arrivals: [Arrival] { snapshot.arrivals }
    public func rows(_ base: String, _ table: Int = 0) -> [Row] { snapshot.tables[base]?[table].rows ?? [] }
    /// Requests that were refused for the limit a second.
    public var refusals: Int { arrivals.count { $0.status == 429 } }

    /// Takes one request.
    ///
    /// - Parameter target: path and query below the version.
    public func handle(_ method: String, _ target: String, body: [UInt8], token: String, at now: Moment) -> Reply {
        state.withLock { state in
            state.requests += 1
            let question = Question(method: method, target: target, body: body)
            let reply: Reply
            if let refusal = limit(question.base, &state, at: now) {
                reply = refusal
            } else {
                switch fault(state.requests) {
                case .status(let status, let body): reply = .answer(status: status, body: Array(body.utf8))
                case .cutBefore: reply = .cut
                case .statusAfter(let status):
                    _ = state.answer(question)
                    reply = .answer(status: status, body: Array(#"{"error":{"type":"SERVER_ERROR"}}"#.utf8))
                case .cutAfter:
                    _ = state.answer(question)
                    reply = .cut
                case nil: reply = state.answer(question)
                }
            }
            var status = 0
            if case .answer(let code, _) = reply { status = code }
            state.arrivals.append(Arrival(time: now, method: method, target: target, token: token, status: status))
            return reply
        }
    }

    private func limit(_ base: String, _ state: inout State, at now: Moment) -> Reply? {
        let refusal = Reply.answer(
            status: 429,
            body: Array(#"{"errors":[{"error":"RATE_LIMIT_REACHED","message":"Rate limit exceeded."}]}"#.utf8)
        )
        if let end = state.lockedUntil[base], now < end { return refusal }
        var recent = state.recent[base, default: []]
        recent.removeAll { $0 + .seconds(1) <= now }
        recent.append(now)
        state.recent[base] = recent
        guard recent.count > callsPerSecond else { return nil }
        state.lockedUntil[base] = now + .seconds(30)
        return refusal
    }
}

/// A request, taken apart.
private struct Question {
    let method: String
    /// Decoded segments.
    let path: [String]
    let query: [(name: String, value: String)]
    let body: JSONValue

    init(method: String, target: String, body: [UInt8]) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1)
        path = (parts.first ?? "").split(separator: "/").map { $0.removingPercentEncoding ?? "" }
        query = (parts.dropFirst().first ?? "").split(separator: "&").map { item in
            let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (sides[0].removingPercentEncoding ?? "", sides.last?.removingPercentEncoding ?? "")
        }
        self.body = (try? JSONValue(parsing: body)) ?? .null  // what is no JSON is refused as null is
    }

    var base: String { path.first == "meta" ? (path.count > 2 ? path[2] : "meta") : path.first ?? "" }
}

extension HostedStandIn.State {
    fileprivate mutating func answer(_ question: Question) -> HostedStandIn.Reply {
        do throws(Refusal) {
            return .answer(status: 200, body: try reply(question).encoded())
        } catch {
            return .answer(status: error.status, body: error.body.encoded())
        }
    }

    private struct Refusal: Error {
        let status: Int
        let body: JSONValue

        init(_ status: Int, _ type: String, _ message: String) {
            self.status = status
            body = ["error": ["type": .string(type), "message": .string(message)]]
        }

        static let notFound = Refusal(status: 404, body: ["error": "NOT_FOUND"])

        private init(status: Int, body: JSONValue) {
            self.status = status
            self.body = body
        }
    }

    private mutating func reply(_ question: Question) throws(Refusal) -> JSONValue {
        if question.path.first == "meta" { return try meta(question.path) }
        guard question.path.count >= 2, let base = question.path.first, let all = tables[base],
            let table = all.firstIndex(where: { [$0.id, $0.name].contains(question.path[1]) })
        else { throw Refusal(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "Invalid permissions, or not found.") }
        switch (question.method, question.path.count) {
        case ("GET", 2), ("POST", 3): return list(all[table], question)
        case ("GET", 3):
            guard let row = all[table].rows.first(where: { $0.id == question.path[2] }) else { throw Refusal.notFound }
            return row.json(all[table], question)
        case ("POST", 2): return try write(base, table, question, replaces: false)
        case ("PATCH", 2): return try write(base, table, question, replaces: false)
        case ("PUT", 2): return try write(base, table, question, replaces: true)
        case ("DELETE", 2): return try delete(base, table, question)
        default: throw Refusal.notFound
        }
    }

    private func meta(_ path: [String]) throws(Refusal) -> JSONValue {
        if path == ["meta", "bases"] {
            let bases = names.sorted { $0.key < $1.key }.map { id, name -> JSONValue in
                ["id": .string(id), "name": .string(name), "permissionLevel": "create"]
            }
            return ["bases": .array(bases)]
        }
        guard path.count == 4, let list = tables[path[2]] else { throw Refusal.notFound }
        return [
            "tables": .array(
                list.map { table in
                    [
                        "id": .string(table.id), "name": .string(table.name),
                        "primaryFieldId": table.fields[0]["id"] ?? .null,
                        "fields": .array(table.fields.map { .object($0) }), "views": [],
                    ]
                }
            )
        ]
    }

    private func list(_ table: HostedStandIn.Table, _ question: Question) -> JSONValue {
        let size = Int(question["pageSize"] ?? "") ?? question.body["pageSize"]?.intValue ?? 100
        let offset = question["offset"] ?? question.body["offset"]?.stringValue
        // Pages begin after a record, so that one that is made or deleted meanwhile moves nothing.
        let after = offset.map { String($0.split(separator: "/")[1]) } ?? ""
        let rest = table.rows.filter { $0.id > after }
        let page = rest.prefix(size)
        var reply: JSONObject = ["records": .array(page.map { $0.json(table, question) })]
        if rest.count > page.count, let last = page.last { reply["offset"] = .string("itr00000000000000/\(last.id)") }
        return .object(reply)
    }

    private mutating func write(
        _ base: String,
        _ table: Int,
        _ question: Question,
        replaces: Bool
    ) throws(Refusal) -> JSONValue {
        let items = question.body["records"]?.arrayValue ?? []
        guard (1...10).contains(items.count) else {
            throw Refusal(422, "INVALID_REQUEST_UNKNOWN", "received \(items.count) records")
        }
        guard let stored = tables[base]?[table] else { throw Refusal.notFound }
        var copy = stored
        var created: [JSONValue] = []
        var done: [(id: String, fields: JSONObject)] = []
        var rows: [JSONValue] = []
        let merge = (question.body["performUpsert"]?["fieldsToMergeOn"]?.arrayValue ?? []).compactMap(\.stringValue)
        for item in items {
            let fields = try checked(item["fields"]?.objectValue ?? JSONObject(), copy)
            var index = try position(of: item, merge, fields, in: copy, isCreate: question.method == "POST")
            if let found = index, done.contains(where: { $0.id == copy.rows[found].id }) {
                throw Refusal(422, "INVALID_REQUEST_UNKNOWN", "Cannot update the same record twice in one request.")
            }
            if index == nil {
                lastRow += 1
                let id = "rec" + String(repeating: "0", count: 14 - "\(lastRow)".count) + "\(lastRow)"
                copy.rows.append(.init(id: id, createdTime: "2024-05-01T12:00:00.000Z", fields: JSONObject()))
                index = copy.rows.count - 1
                created.append(.string(id))
            }
            guard let index else { throw Refusal.notFound }
            if replaces { copy.rows[index].fields = JSONObject() }
            for (name, value) in fields { copy.rows[index].fields[name] = value.isNull ? nil : value }
            done.append((copy.rows[index].id, fields))
            rows.append(copy.rows[index].json(copy, question))
        }
        tables[base]?[table] = copy
        writes += done
        var reply: JSONObject = ["records": .array(rows)]
        if !merge.isEmpty { reply["createdRecords"] = .array(created) }
        return .object(reply)
    }

    /// Where the record of a write stands; nil when one is to be made.
    private func position(
        of item: JSONValue,
        _ merge: [String],
        _ fields: JSONObject,
        in table: HostedStandIn.Table,
        isCreate: Bool
    ) throws(Refusal) -> Int? {
        if isCreate { return nil }
        if let id = item["id"]?.stringValue {
            guard let index = table.rows.firstIndex(where: { $0.id == id }) else {
                throw Refusal(422, "ROW_DOES_NOT_EXIST", "Record ID \(id) does not exist in this table")
            }
            return index
        }
        return table.rows.firstIndex { row in merge.allSatisfy { fields[$0] != nil && row.fields[$0] == fields[$0] } }
    }

    /// The cells by field name.
    private func checked(_ fields: JSONObject, _ table: HostedStandIn.Table) throws(Refusal) -> JSONObject {
        var checked = JSONObject()
        for (key, value) in fields {
            let field = table.fields.first { [$0["id"], $0["name"]].contains(.string(key)) }
            guard let field, let name = field["name"]?.stringValue else {
                throw Refusal(422, "UNKNOWN_FIELD_NAME", "Unknown field name: \"\(key)\"")
            }
            if field["type"] == "number", value.numberValue == nil, !value.isNull {
                throw Refusal(422, "INVALID_VALUE_FOR_COLUMN", "Field \"\(name)\" cannot accept the provided value")
            }
            checked[name] = value
        }
        return checked
    }

    private mutating func delete(_ base: String, _ table: Int, _ question: Question) throws(Refusal) -> JSONValue {
        let ids = question.query.filter { $0.name == "records[]" }.map(\.value)
        let known = Set(tables[base]?[table].rows.map(\.id) ?? [])
        for id in ids where !known.contains(id) {
            throw Refusal(422, "ROW_DOES_NOT_EXIST", "Record ID \(id) does not exist in this table")
        }
        tables[base]?[table].rows.removeAll { ids.contains($0.id) }
        return ["records": .array(ids.map { ["id": .string($0), "deleted": true] })]
    }
}

extension Question {
    fileprivate subscript(name: String) -> String? { query.first { $0.name == name }?.value }
}

extension HostedStandIn.Row {
    fileprivate func json(_ table: HostedStandIn.Table, _ question: Question) -> JSONValue {
        var shown = fields
        if question["returnFieldsByFieldId"] == "true" || question.body["returnFieldsByFieldId"] == true {
            shown = JSONObject()
            for field in table.fields {
                guard let id = field["id"]?.stringValue, let name = field["name"]?.stringValue else { continue }
                shown[id] = fields[name]
            }
        }
        return ["id": .string(id), "createdTime": .string(createdTime), "fields": .object(shown)]
    }
}
