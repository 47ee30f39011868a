import Domain
import Outbound

/// One thing that a caller wants of the hosted service.
enum HostedOrder: Sendable, Hashable {
    /// Goes out as it is.
    case plain(HostedRequest, base: BaseID?)
    /// May go out with others of its kind.
    case write(HostedWrite)

    var base: BaseID? {
        switch self {
        case .plain(_, let base): base
        case .write(let write): write.base
        }
    }

    /// The line it waits in.
    var line: String { base?.description ?? "meta" }

    var isRepeatable: Bool {
        switch self {
        case .plain(let request, _): request.isRepeatable
        case .write(let write): write.isRepeatable
        }
    }

    /// Whether it changes nothing.
    var isRead: Bool { if case .plain(let request, _) = self { request.isRead } else { false } }

    /// What makes two reads the same; nil for what is no read.
    func readKey(_ token: OutboundSecret) -> ReadKey? {
        guard case .plain(let request, _) = self, request.isRead else { return nil }
        return ReadKey(token: token, target: request.target, body: request.body)
    }

    struct ReadKey: Sendable, Hashable {
        /// Tokens see different things: an answer belongs to one.
        let token: OutboundSecret
        let target: String
        let body: [UInt8]
    }

    func queued(id: UInt64, for call: HostedCall) -> QueuedCall {
        switch self {
        case .plain:
            return QueuedCall(
                id: id,
                caller: call.caller,
                lane: call.lane,
                token: call.token,
                merge: nil,
                weight: 1,
                keys: []
            )
        case .write(let write):
            return QueuedCall(
                id: id,
                caller: call.caller,
                lane: call.lane,
                token: call.token,
                merge: QueuedCall.MergeKey(token: call.token, table: write.table, operation: write.mergeText),
                weight: write.items.count,
                keys: write.keys
            )
        }
    }

    /// One request for orders that the queue put together.
    static func request(_ orders: [HostedOrder]) -> HostedRequest {
        if case .plain(let request, _) = orders[0] { return request }
        return HostedWrite.request(orders.compactMap(\.write))
    }

    /// Each order's own part of the reply; nil when it does not fit.
    static func split(_ reply: JSONValue, for orders: [HostedOrder]) -> [JSONValue]? {
        if case .plain = orders[0] { return [reply] }
        return HostedWrite.split(reply, for: orders.compactMap(\.write))
    }

    private var write: HostedWrite? { if case .write(let write) = self { write } else { nil } }
}
