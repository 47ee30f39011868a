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
        /// Of each webhook its payloads, as they are given.
        public var payloads: [String: [JSONValue]] = [:]
        /// Which base a webhook watches.
        var hooks: [String: String] = [:]
        /// When a record was last changed, by whom ever.
        var changed: [String: Moment] = [:]
        var givesWebhooks = true
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

    /// Changes a base as its people do.
    public func change(_ base: String, _ body: (inout [Table]) -> Void) {
        state.withLock { state in
            let before = state.tables[base, default: []]
            body(&state.tables[base, default: []])
            for table in state.tables[base] ?? [] {
                let old = before.first { $0.id == table.id } ?? Table(id: table.id, name: table.name, fields: [])
                state.note(old, table, base: base, at: .now)
            }
        }
    }

    /// Ends every webhook, and lets nobody make one until this is called again with true.
    public func setGivesWebhooks(_ gives: Bool) {
        state.withLock { state in
            state.givesWebhooks = gives
            if !gives { (state.hooks, state.payloads) = ([:], [:]) }
        }
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
                    _ = state.answer(question, at: now)
                    reply = .answer(status: status, body: Array(#"{"error":{"type":"SERVER_ERROR"}}"#.utf8))
                case .cutAfter:
                    _ = state.answer(question, at: now)
                    reply = .cut
                case nil: reply = state.answer(question, at: now)
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
