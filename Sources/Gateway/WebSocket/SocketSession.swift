import Domain

/// Why a socket ends, as the close frame says it.
struct SocketClose: Sendable, Hashable {
    let code: UInt16
    /// At most 123 bytes, for people who debug.
    let reason: String

    static let normal = Self(code: 1000, reason: "")
    static let goingAway = Self(code: 1001, reason: "the server is shutting down; come back")
    static let protocolError = Self(code: 1002, reason: "not as RFC 6455 has it")
    static let notText = Self(code: 1003, reason: "messages are text")
    static let notUTF8 = Self(code: 1007, reason: "text is UTF-8")
    static let tooManyMessages = Self(code: 1008, reason: "far too many messages")
    static let unauthenticated = Self(code: 1008, reason: "the key is no longer valid")
    static let tooLarge = Self(code: 1009, reason: "a message has at most \(Limits.socketMessageBytes) bytes")
    static let failed = Self(code: 1011, reason: "the server failed")

    /// What answers a client's close frame: its own code, when a client may send it.
    static func echo(_ code: UInt16?) -> Self {
        guard let code else { return .normal }
        switch code {
        case 1000...1003, 1007...1014, 3000...4999: return Self(code: code, reason: "")
        default: return .protocolError
        }
    }
}

/// One socket's protocol, without the socket: what comes in, when, and what is to be done about it.
///
/// No clock, no I/O; the driver is `SocketConnection`.
struct SocketSession: Sendable {
    enum Event: Sendable {
        case text([UInt8])
        case binary
        case ping([UInt8])
        case pong
        /// A close frame, with its code.
        case close(UInt16?)
        /// A frame that breaks the protocol.
        case broken(SocketClose)
        /// Every `heartbeatInterval`.
        case tick
        /// The server decides to end it.
        case end(SocketClose)
    }

    enum Action: Sendable, Equatable {
        case perform(ClientMessage)
        case reply(ServerMessage)
        case ping
        case pong([UInt8])
        /// Send a close frame; nothing else after it.
        case close(SocketClose)
        /// Both sides have closed, or the client is dead: end the connection.
        case finish
    }

    private let heartbeatInterval: Duration
    private var heard: ContinuousClock.Instant
    private var bucket: TokenBucket
    private var isClosing = false
    /// Runs whose events are being sent, or about to be.
    private(set) var following: Set<RunID> = []

    init(heartbeatInterval: Duration, at now: ContinuousClock.Instant) {
        self.heartbeatInterval = heartbeatInterval
        heard = now
        bucket = TokenBucket(
            capacity: Limits.socketMessageBurst,
            perSecond: Limits.socketMessagesPerSecond,
            at: now
        )
    }

    mutating func handle(_ event: Event, at now: ContinuousClock.Instant) -> [Action] {
        switch event {
        case .tick: return ticked(now)
        case .end(let close): return closing(close)
        case .broken(let close): return closing(close) + [.finish]
        case .close(let code):
            heard = now
            return closing(.echo(code)) + [.finish]
        case .pong:
            heard = now
            return []
        case .ping(let bytes):
            heard = now
            guard !isClosing else { return [] }
            // A flood of pings is answered to the limit, and then no more.
            return bucket.take(at: now) ? [.pong(bytes)] : refused()
        case .binary:
            heard = now
            return closing(.notText)
        case .text(let bytes):
            heard = now
            return isClosing ? [] : message(bytes, now)
        }
    }

    /// - Returns: whether the run was not followed yet.
    mutating func follow(_ run: RunID) -> Bool { following.insert(run).inserted }

    mutating func unfollow(_ run: RunID) { following.remove(run) }

    private mutating func message(_ bytes: [UInt8], _ now: ContinuousClock.Instant) -> [Action] {
        guard String(validating: bytes, as: UTF8.self) != nil else { return closing(.notUTF8) }
        guard bucket.take(at: now) else {
            let refused = refused()
            guard refused.isEmpty else { return refused }
            return [.reply(.error(SocketError.tooFast, id: ClientMessage.id(in: bytes)))]
        }
        do {
            let message = try ClientMessage(parsing: bytes)
            if let failure = obstacle(to: message) { return [.reply(.error(failure, id: message.id))] }
            if message.action == .ping { return [.reply(.pong(id: message.id))] }
            return [.perform(message)]
        } catch {
            let failure = error as? any Failure ?? UnknownFailure(error)
            return [.reply(.error(failure, id: ClientMessage.id(in: bytes)))]
        }
    }

    private func obstacle(to message: ClientMessage) -> SocketError? {
        switch message.action {
        case .send, .follow:
            if case .follow(let run, _) = message.action, following.contains(run) { return .alreadyFollowed }
            return following.count >= Limits.socketRuns ? .tooManyRuns : nil
        case .cancel, .ping: return nil
        }
    }

    /// Beyond patience the socket is closed.
    private mutating func refused() -> [Action] {
        bucket.refusals > Limits.socketRefusals ? closing(.tooManyMessages) : []
    }

    private mutating func closing(_ close: SocketClose) -> [Action] {
        guard !isClosing else { return [] }
        isClosing = true
        return [.close(close)]
    }

    private func ticked(_ now: ContinuousClock.Instant) -> [Action] {
        let silence = heard.duration(to: now)
        if silence > heartbeatInterval * 4 { return [.finish] }
        return silence >= heartbeatInterval && !isClosing ? [.ping] : []
    }
}

/// What a socket refuses on its own account.
struct SocketError: Failure, Equatable {
    enum Code: String, Sendable { case tooFast, tooManyRuns, alreadyFollowed }

    let code: Code
    let message: String
    let hint: String?
    var kind: FailureKind { code == .alreadyFollowed ? .conflict : .tooLarge }

    static let tooFast = Self(
        code: .tooFast,
        message: "A socket takes \(Limits.socketMessagesPerSecond) messages a second; this one was dropped.",
        hint: "send it again in a moment"
    )
    static let tooManyRuns = Self(
        code: .tooManyRuns,
        message: "A socket follows at most \(Limits.socketRuns) runs at once.",
        hint: "wait until one ends, or open another socket"
    )
    static let alreadyFollowed = Self(
        code: .alreadyFollowed,
        message: "This socket follows the run already.",
        hint: "its events come in order, each once"
    )
}

/// So many at once, so many a second after.
struct TokenBucket: Sendable {
    private let capacity: Double
    private let perSecond: Double
    private var level: Double
    private var time: ContinuousClock.Instant
    /// How many in a row there was none for.
    private(set) var refusals = 0

    init(capacity: Int, perSecond: Int, at now: ContinuousClock.Instant) {
        self.capacity = Double(capacity)
        self.perSecond = Double(perSecond)
        level = self.capacity
        time = now
    }

    mutating func take(at now: ContinuousClock.Instant) -> Bool {
        level = min(capacity, level + max(0, time.duration(to: now) / .seconds(1)) * perSecond)
        time = max(time, now)
        guard level >= 1 else {
            refusals += 1
            return false
        }
        level -= 1
        refusals = 0
        return true
    }
}
