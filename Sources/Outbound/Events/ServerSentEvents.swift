public import Domain

extension OutboundBody {
    /// The body as server-sent events, as they arrive. May be iterated once, like the body.
    public func serverSentEvents(eventBytesMax: Int = Limits.outboundEventBytes) -> ServerSentEvents {
        ServerSentEvents(body: self, eventBytesMax: eventBytesMax)
    }
}

/// The events of one body; throws what the body throws, and `replyTooLarge`.
public struct ServerSentEvents: AsyncSequence, Sendable {
    public typealias Element = ServerSentItem

    let body: OutboundBody
    let eventBytesMax: Int

    public struct AsyncIterator: AsyncIteratorProtocol {
        private var pieces: OutboundBody.AsyncIterator
        private var splitter: ServerSentEventSplitter
        /// Complete and not given yet, the next one last.
        private var waiting: [ServerSentItem] = []
        private var isOver = false

        init(pieces: OutboundBody.AsyncIterator, splitter: ServerSentEventSplitter) {
            self.pieces = pieces
            self.splitter = splitter
        }

        public mutating func next() async throws -> ServerSentItem? {
            while waiting.isEmpty, !isOver {
                if let piece = try await pieces.next() {
                    waiting = try splitter.take(piece).reversed()
                } else {
                    isOver = true
                    waiting = try splitter.finish().reversed()
                }
            }
            return waiting.popLast()
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(pieces: body.makeAsyncIterator(), splitter: ServerSentEventSplitter(eventBytesMax: eventBytesMax))
    }
}
