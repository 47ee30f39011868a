import Domain
import Synchronization

/// The ways back to the client of one session over HTTP.
///
/// Each body has a stream of its own, each connection that listens another. What nobody asked for goes to the one that listens
/// since last, never to two.
final class StreamTable: MessageOutlet {
    private let isResumable: Bool
    private let state = Mutex(State())

    private struct State {
        var streams: [Int: MessageStream] = [:]
        var exchanges: [ExchangeID: MessageStream] = [:]
        /// Numbers of those that listen, oldest first.
        var listeners: [Int] = []
        /// Ended streams that a client can still come back to, oldest first.
        var kept: [(number: Int, byteCount: Int)] = []
        var lastNumber = 0
        var isEnded = false
    }

    /// - Parameter isResumable: whether clients can come back.
    init(isResumable: Bool) { self.isResumable = isResumable }

    /// Opens the way back for a body.
    ///
    /// - Parameter answerAlone: whether the client takes nothing else.
    func open(answerAlone: Bool) -> (exchange: ExchangeID, stream: MessageStream) {
        state.withLock { state in
            let stream = makeStream(&state, takes: answerAlone ? .answer : .everything)
            let exchange = ExchangeID(number: stream.number)
            state.exchanges[exchange] = stream
            return (exchange, stream)
        }
    }

    /// Opens a stream for what nobody asked for.
    ///
    /// - Returns: nil when the session has ended.
    func listen() -> MessageStream? {
        let (stream, pushedOut) = state.withLock { state -> (MessageStream?, MessageStream?) in
            guard !state.isEnded else { return (nil, nil) }
            let stream = makeStream(&state)
            state.listeners.append(stream.number)
            // The oldest is most likely a connection that broke without our noticing.
            guard state.listeners.count > Limits.mcpStreamsPerSession else { return (stream, nil) }
            let oldest = state.listeners.removeFirst()
            return (stream, state.streams.removeValue(forKey: oldest))
        }
        pushedOut?.settle()
        return stream
    }

    /// The stream that a client comes back to; nil when it is not there any more.
    func stream(_ number: Int) -> MessageStream? { state.withLock { $0.streams[number] } }

    /// The client has read all of the stream, or will not come back to it.
    func forget(_ stream: MessageStream) {
        state.withLock { state in
            state.streams[stream.number] = nil
            state.exchanges[ExchangeID(number: stream.number)] = nil
            state.listeners.removeAll { $0 == stream.number }
            state.kept.removeAll { $0.number == stream.number }
        }
    }

    /// Ends every stream.
    func end() {
        let streams = state.withLock { state in
            state.isEnded = true
            defer { (state.listeners, state.kept) = ([], []) }
            return state.streams.values
        }
        for stream in streams { stream.settle() }
    }

    // MARK: MessageOutlet

    func send(_ message: OutboundMessage, to channel: Channel) {
        let stream = state.withLock { state in
            switch channel {
            case .exchange(let exchange): state.exchanges[exchange]
            case .unsolicited: listener(state)
            }
        }
        stream?.send(message)
    }

    func settle(_ exchange: ExchangeID) {
        let stream = state.withLock { state -> MessageStream? in
            guard let stream = state.exchanges.removeValue(forKey: exchange) else { return nil }
            // Whoever got a single answer has nothing to come back for.
            if isResumable, stream.isStream { keep(stream, &state) } else { state.streams[stream.number] = nil }
            return stream
        }
        stream?.settle()
    }

    func release(_ exchange: ExchangeID) { state.withLock { $0.exchanges[exchange] }?.release() }

    // MARK: Private

    /// Of those that are being read the one that listens since last; else the last, whose client may come back to it.
    private func listener(_ state: State) -> MessageStream? {
        let listeners = state.listeners.compactMap { state.streams[$0] }.filter { !$0.isSettled }
        return listeners.last(where: \.isRead) ?? listeners.last
    }

    private func makeStream(_ state: inout State, takes: MessageStream.Takes = .everything) -> MessageStream {
        state.lastNumber += 1
        let stream = MessageStream(number: state.lastNumber, keepsMessages: isResumable, takes: takes)
        state.streams[stream.number] = stream
        return stream
    }

    /// Keeps an ended stream for a client that comes back, as long as there is room.
    private func keep(_ stream: MessageStream, _ state: inout State) {
        state.kept.append((stream.number, stream.byteCount))
        while let oldest = state.kept.first, state.kept.count > 1,
            state.kept.count > Limits.mcpKeptStreams
                || state.kept.reduce(0, { $0 + $1.byteCount }) > Limits.mcpKeptStreamBytes
        {
            state.streams[oldest.number] = nil
            state.kept.removeFirst()
        }
    }
}
