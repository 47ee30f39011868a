import Domain
import Synchronization

/// A short stand-in for what somebody could read at some moment: two that differ were made from different things.
enum ContentPrint: Sendable, Hashable {
    /// There was nothing for them.
    case missing
    /// A 64-bit hash with this process's seed.
    case content(Int)

    init(_ content: ResourceContent) { self = .of(content.json.text) }

    static func of(_ value: some Hashable) -> Self {
        var hasher = Hasher()
        hasher.combine(value)
        return .content(hasher.finalize())
    }
}

/// What was there when somebody asked to watch it, or what a listener was told last before they stopped listening, until they
/// listen again, which is a moment later: what changes in between is not lost.
final class RecentPrints: Sendable {
    /// Whose it is.
    enum Keeper: Hashable {
        case caller(UserID, KeyID?, SessionID?)
        /// By the number in their interest.
        case listener(UInt64)

        init(_ principal: Principal) { self = .caller(principal.user, principal.key, principal.session) }
    }

    private struct Key: Hashable {
        let keeper: Keeper
        let offer: WatchedOffer
    }

    private struct State {
        var prints: [Key: (print: ContentPrint, time: ContinuousClock.Instant)] = [:]
        /// Oldest first; some may be gone.
        var order: [Key] = []
    }

    private static let life = Duration.seconds(60)

    private let state = Mutex(State())
    private let now: @Sendable () -> ContinuousClock.Instant

    init(now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) { self.now = now }

    func keep(_ print: ContentPrint, of offer: WatchedOffer, for keeper: Keeper) {
        let key = Key(keeper: keeper, offer: offer)
        let time = now()
        state.withLock { state in
            state.prints[key] = (print, time)
            state.order.append(key)
            guard state.order.count > Limits.watchedContents else { return }
            // Whoever is forgotten too early is told of what changes once they listen.
            for old in state.order.prefix(Limits.watchedContents / 2) { state.prints[old] = nil }
            state.order.removeFirst(Limits.watchedContents / 2)
        }
    }

    /// Gives it once; nil when it is gone or old.
    func take(_ offer: WatchedOffer, for keeper: Keeper) -> ContentPrint? {
        let time = now()
        let found = state.withLock { $0.prints.removeValue(forKey: Key(keeper: keeper, offer: offer)) }
        guard let found, time - found.time < Self.life else { return nil }
        return found.print
    }

    var count: Int { state.withLock(\.prints.count) }
}
