import Domain
import LLM
import Synchronization

/// Remembers turns with tool calls that were handed to callers, so that a provider gets its own message back as it
/// was, with what the dialect has no place for: signatures, thoughts, the provider's own identifiers.
///
/// Callers know a call by an identifier made here, random and used once, so no two turns can be taken for each other.
/// What is forgotten (the oldest first, and all at a restart) is sent to the provider as the caller tells it.
final class OpenAICallMemory: Sendable {
    private struct Turn {
        let owner: Owner
        let message: ModelMessage
        /// The identifiers that the caller knows, in the order of the calls.
        let identifiers: [String]
    }

    /// A turn is given back to whom it was given.
    struct Owner: Hashable {
        let tenant: TenantID
        let user: UserID

        init(tenant: TenantID, user: UserID) {
            self.tenant = tenant
            self.user = user
        }

        init(_ context: RequestContext) {
            tenant = context.tenant
            user = context.principal.user
        }
    }

    private struct State {
        var turns: [Int: Turn] = [:]
        /// Where each identifier's turn is.
        var places: [String: Int] = [:]
        var oldest = 0
        var next = 0
    }

    private let state = Mutex(State())
    private let capacity: Int
    private let makeIdentifier: @Sendable () -> String

    init(
        capacity: Int = Limits.rememberedTurns,
        makeIdentifier: @escaping @Sendable () -> String = OpenAICallMemory.randomIdentifier
    ) {
        self.capacity = capacity
        self.makeIdentifier = makeIdentifier
    }

    /// Keeps a turn; gives the identifiers that the caller is to know its calls by.
    func keep(_ message: ModelMessage, for owner: Owner) -> [String] {
        let identifiers = message.toolCalls.map { _ in makeIdentifier() }
        state.withLock { state in
            state.turns[state.next] = Turn(owner: owner, message: message, identifiers: identifiers)
            for identifier in identifiers { state.places[identifier] = state.next }
            state.next += 1
            while state.turns.count > capacity {
                for identifier in state.turns[state.oldest]?.identifiers ?? [] { state.places[identifier] = nil }
                state.turns[state.oldest] = nil
                state.oldest += 1
            }
        }
        return identifiers
    }

    /// The turn as the provider gave it; nil when it is not known, not this owner's, or the caller changed it.
    ///
    /// - Parameter message: as the caller tells it.
    func turn(_ message: ModelMessage, of owner: Owner) -> ModelMessage? {
        guard let first = message.toolCalls.first?.id else { return nil }
        let found = state.withLock { state in state.places[first].flatMap { state.turns[$0] } }
        guard let found, found.owner == owner, found.identifiers == message.toolCalls.map(\.id),
            found.message.text == message.text
        else { return nil }
        let isSame = zip(found.message.toolCalls, message.toolCalls).allSatisfy {
            $0.name == $1.name && $0.arguments == $1.arguments
        }
        return isSame ? found.message : nil
    }

    @Sendable static func randomIdentifier() -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        return "call_" + String((0..<24).map { _ in letters.randomElement() ?? "x" })
    }
}
