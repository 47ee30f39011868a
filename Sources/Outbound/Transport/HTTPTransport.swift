/// The head of a reply, and its body as it arrives.
public struct OutboundReply: Sendable {
    public let status: Int
    /// In the order sent; names in lower case.
    public let headers: [(name: String, value: String)]
    /// May be iterated once. Not reading on slows the sender; leaving it, or cancelling the task, closes the connection.
    public let body: OutboundBody

    public init(status: Int, headers: [(name: String, value: String)], body: OutboundBody) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The first header of that name (lower case).
    public func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
}

/// A body piece by piece, as the peer sends it: pieces are not lines, and may end inside a character.
///
/// Iteration throws `OutboundError` (`stalled`, `timedOut`, `replyTooLarge`, `connectionLost`) or `CancellationError`.
public struct OutboundBody: AsyncSequence, Sendable {
    public typealias Element = [UInt8]

    private let makeNext: @Sendable () -> @Sendable () async throws -> [UInt8]?

    /// - Parameter makeNext: called once for each iteration; what it gives answers the next piece, nil at the end.
    package init(_ makeNext: @escaping @Sendable () -> @Sendable () async throws -> [UInt8]?) {
        self.makeNext = makeNext
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        let nextPiece: @Sendable () async throws -> [UInt8]?
        public mutating func next() async throws -> [UInt8]? { try await nextPiece() }
    }

    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(nextPiece: makeNext()) }
}

/// Sends one request once. Retrying, breaking circuits and guarding addresses are decorators of this protocol.
public protocol HTTPTransport: Sendable {
    /// Returns at the head of the reply, whatever its status.
    ///
    /// - Throws: `OutboundError`, `CancellationError`.
    func send(_ request: OutboundRequest) async throws -> OutboundReply
}
