import Domain
import Synchronization

/// The messages for one way back to a client: the answer to a body, or what a client that listens hears.
///
/// Written by the session, read by one connection at a time; a connection that comes takes over from the one before. A stream of
/// a session keeps its messages under numbers, so that a client whose connection broke can go on after the last it saw
/// (Streamable HTTP, "Resumability").
final class MessageStream: Sendable {
    /// Unique in its session.
    let number: Int
    private let keepsMessages: Bool
    private let takes: Takes
    private let state = Mutex(State())

    /// A message with its place in the stream, from 1.
    struct Numbered: Sendable {
        let place: Int
        let message: OutboundMessage
    }

    /// What the client takes.
    enum Takes: Sendable {
        case everything
        /// What is said beside the answer is left out.
        case answer
    }

    /// What a reader gets next.
    enum Next: Sendable {
        case message(Numbered)
        /// The connection is to end; the client will come back.
        case released
        case end
    }

    /// How the answer to a body is to be given.
    enum Form: Sendable {
        /// One message is all there is.
        case message(OutboundMessage)
        /// There is nothing to say.
        case nothing
        /// There is more than one message, or it takes long.
        case stream
    }

    private struct State {
        var messages: [Numbered] = []
        var lastPlace = 0
        /// Nothing more will come.
        var isSettled = false
        var isReleased = false
        var isLong = false
        var reader = 0
        /// Whether the latest reader is at it.
        var isRead = false
        var waiters: [@Sendable () -> Void] = []

        var isOverfull: Bool { messages.count > Limits.mcpStreamMessages }

        /// Whether more is said than an answer, or was promised to be.
        var isStream: Bool { isReleased || isLong || messages.contains { !$0.message.isAnswer } }
    }

    /// - Parameter keepsMessages: whether a client can come back for what it did not see.
    init(number: Int, keepsMessages: Bool, takes: Takes) {
        self.number = number
        self.keepsMessages = keepsMessages
        self.takes = takes
    }

    // MARK: Writing

    func send(_ message: OutboundMessage) {
        if takes == .answer, !message.isAnswer { return }
        change { state in
            guard !state.isSettled else { return }
            state.lastPlace += 1
            state.messages.append(Numbered(place: state.lastPlace, message: message))
            guard state.isOverfull else { return }
            // Of those that are kept the oldest go, so that the answer can still be had. Else nobody reads: it is over.
            if keepsMessages { state.messages.removeFirst() } else { state.isSettled = true }
        }
    }

    func settle() { change { $0.isSettled = true } }

    /// Whoever reads is sent away, and may come back.
    func release() {
        if takes == .answer { return }
        change { $0.isReleased = true }
    }

    /// What is not answered by now takes long.
    func becomeLong() { change { $0.isLong = true } }

    var isSettled: Bool { state.withLock { $0.isSettled } }

    /// Whether more is said than an answer, which a client may come back for.
    var isStream: Bool { state.withLock { $0.isStream } }

    /// Bytes of the messages that are there.
    ///
    /// - Complexity: writes them all.
    var byteCount: Int { state.withLock { $0.messages }.reduce(0) { $0 + $1.message.json.encoded().count } }

    /// Whether nothing after `place` is lost.
    func has(after place: Int) -> Bool {
        state.withLock { state in
            place <= state.lastPlace && place + 1 >= state.messages.first?.place ?? (state.lastPlace + 1)
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let waiters = state.withLock { state in
            body(&state)
            defer { state.waiters = [] }
            return state.waiters
        }
        for wake in waiters { wake() }
    }

    // MARK: Reading

    /// Waits until it is known how the answer is to be given.
    ///
    /// - Returns: nil when the task was cancelled.
    func form() async -> Form? {
        await first { state in
            if state.isSettled, !state.isReleased, state.messages.allSatisfy(\.message.isAnswer) {
                return state.messages.first.map { .message($0.message) } ?? .nothing
            }
            return state.isStream ? .stream : nil
        }
    }

    /// Takes the stream over.
    ///
    /// - Parameter isComingBack: whether it was let go before, which is over then.
    /// - Returns: the new reader's number.
    func attach(isComingBack: Bool) -> Int {
        var reader = 0
        change { state in
            state.reader += 1
            state.isRead = false
            if isComingBack { state.isReleased = false }
            reader = state.reader
        }
        return reader
    }

    /// The reader begins, or has gone. One that was taken over from says nothing.
    func setRead(_ isRead: Bool, by reader: Int) {
        state.withLock { state in
            if state.reader == reader { state.isRead = isRead }
        }
    }

    /// Whether somebody reads.
    var isRead: Bool { state.withLock { $0.isRead } }

    /// What comes after `place`; waits for it.
    ///
    /// - Returns: nil when the task was cancelled.
    func next(after place: Int, reader: Int) async -> Next? {
        await first { [keepsMessages] state in
            guard state.reader == reader else { return .end }
            if !keepsMessages { state.messages.removeAll { $0.place <= place } }
            if let message = state.messages.first(where: { $0.place > place }) { return .message(message) }
            if state.isSettled { return .end }
            return state.isReleased ? .released : nil
        }
    }

    /// Waits until `look` finds something.
    ///
    /// - Returns: nil when the task was cancelled.
    private func first<T: Sendable>(_ look: @escaping @Sendable (inout State) -> T?) async -> T? {
        while !Task.isCancelled {
            let found = await withTaskCancellationHandler {
                await withCheckedContinuation { (continuation: CheckedContinuation<T?, Never>) in
                    let (isDone, found) = state.withLock { state -> (Bool, T?) in
                        if let found = look(&state) { return (true, found) }
                        if Task.isCancelled { return (true, nil) }
                        state.waiters.append { continuation.resume(returning: nil) }
                        return (false, nil)
                    }
                    if isDone { continuation.resume(returning: found) }
                }
            } onCancel: {
                change { _ in }
            }
            if let found { return found }
        }
        return nil
    }
}
