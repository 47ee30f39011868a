import Crypto
import Domain
import Synchronization

/// Tickets that wait to be used, by the digest of their text.
///
/// In memory only, so a ticket is good in the process that issued it: behind several replicas a client must reach the
/// same one within the ticket's life, or come with its key.
final class TicketBook: Sendable {
    struct Entry: Sendable {
        let principal: Principal
        let tenant: TenantID
        /// By a clock that never goes back. A ticket is dead at this moment, not after it.
        let expires: ContinuousClock.Instant
    }

    private let entries = Mutex<[[UInt8]: Entry]>([:])
    private let capacity: Int
    private let perUser: Int

    init(capacity: Int, perUser: Int) {
        self.capacity = capacity
        self.perUser = perUser
    }

    /// - Returns: the ticket: 43 characters of base64url, 256 random bits.
    /// - Throws: `limitReached` when too many wait.
    func issue(_ entry: Entry, at now: ContinuousClock.Instant) throws(AccessError) -> String {
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<4).flatMap { _ in withUnsafeBytes(of: generator.next() as UInt64) { Array($0) } }
        let text = Base64URL.text(bytes)
        let isFull = entries.withLock { entries in
            entries = entries.filter { $0.value.expires > now }
            let own = entries.values.count { $0.tenant == entry.tenant && $0.principal.user == entry.principal.user }
            guard entries.count < capacity, own < perUser else { return true }
            entries[Self.digest(of: text)] = entry
            return false
        }
        guard !isFull else {
            throw AccessError(
                .limitReached,
                "Too many tickets wait to be used.",
                hint: "use one, or let them expire: each lives \(Limits.ticketSeconds) seconds"
            )
        }
        return text
    }

    /// Takes the ticket out, so that it opens nothing a second time; nil when it is unknown, used or dead.
    ///
    /// Looking up by digest: what a guesser could learn from its time is about digests, which they cannot choose.
    func redeem(_ text: String, at now: ContinuousClock.Instant) -> Entry? {
        guard text.utf8.count == Self.length else { return nil }
        let digest = Self.digest(of: text)
        return entries.withLock { entries in
            guard let entry = entries.removeValue(forKey: digest), entry.expires > now else { return nil }
            return entry
        }
    }

    var count: Int { entries.withLock { $0.count } }

    private static let length = 43

    private static func digest(of text: String) -> [UInt8] { Array(SHA256.hash(data: Array(text.utf8))) }
}
