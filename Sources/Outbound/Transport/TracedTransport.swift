import Synchronization

/// What one call sent and got back, without its keys, for recording. The last call wins when there are several.
public final class OutboundTrace: Sendable {
    public struct Record: Sendable, Hashable {
        public var path = ""
        public var request: [UInt8] = []
        /// Nil while no head of a reply came.
        public var status: Int?
        /// As it arrived, up to where it was read.
        public var reply: [UInt8] = []
    }

    private struct State {
        var record = Record()
        var sent: OutboundRequest?
    }

    private let state = Mutex(State())

    public init() {}

    /// So far. What an upstream echoes of a key is taken out.
    public var record: Record {
        let state = state.withLock { $0 }
        var record = state.record
        record.reply = state.sent?.redacted(record.reply) ?? record.reply
        return record
    }

    fileprivate func begin(_ request: OutboundRequest, path: String) {
        state.withLock { $0 = State(record: Record(path: path, request: request.body), sent: request) }
    }

    fileprivate func update(_ change: (inout Record) -> Void) { state.withLock { change(&$0.record) } }
}

/// Notes a call in a trace as it happens.
public struct TracedTransport: HTTPTransport {
    private let base: any HTTPTransport
    private let trace: OutboundTrace

    public init(_ base: any HTTPTransport, trace: OutboundTrace) {
        self.base = base
        self.trace = trace
    }

    public func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let path = try OutboundAddress(request.url).rest
        trace.begin(request, path: path)
        let reply = try await base.send(request)
        trace.update { $0.status = reply.status }
        let body = reply.body
        let trace = trace
        return OutboundReply(
            status: reply.status,
            headers: reply.headers,
            body: OutboundBody {
                let iterator = SerialIterator(body.makeAsyncIterator())
                return {
                    let piece = try await iterator.next()
                    if let piece { trace.update { $0.reply += piece } }
                    return piece
                }
            }
        )
    }
}
