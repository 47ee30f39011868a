import Domain
import Synchronization

/// The hashes of dry runs that were shown to callers, each to be given back once.
///
/// In memory: a restart forgets them, and whoever wants to confirm one then has to look at it again.
final class HandedProposals: Sendable {
    private struct Key: Hashable {
        let tenant: TenantID
        let user: UserID
        let key: KeyID?
        let hash: String

        init(_ hash: String, _ context: RequestContext) {
            tenant = context.tenant
            user = context.principal.user
            key = context.principal.key
            self.hash = hash
        }
    }

    private struct State {
        var expiries: [Key: Instant] = [:]
        /// Oldest first; may name what is used up.
        var order: [Key] = []
    }

    private let state = Mutex(State())

    func add(_ hash: String, until expiry: Instant, now: Instant, for context: RequestContext) {
        let key = Key(hash, context)
        state.withLock { state in
            if state.expiries.updateValue(expiry, forKey: key) == nil { state.order.append(key) }
            guard state.order.count > Limits.handedProposals else { return }
            state.order.removeAll { key in state.expiries[key].map { $0 <= now } ?? true }
            state.expiries = state.expiries.filter { $0.value > now }
            while state.order.count > Limits.handedProposals {
                state.expiries[state.order.removeFirst()] = nil
            }
        }
    }

    /// Whether the hash was handed to this caller and can still be given back; it cannot again.
    func take(_ hash: String, now: Instant, for context: RequestContext) -> Bool {
        let key = Key(hash, context)
        return state.withLock { state in
            guard let expiry = state.expiries.removeValue(forKey: key) else { return false }
            state.order.removeAll { $0 == key }
            return now < expiry
        }
    }
}
