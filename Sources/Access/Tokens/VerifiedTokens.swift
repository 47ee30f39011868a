import Crypto
import Domain
import Synchronization

/// Access tokens whose signature was found good, by the digest of their text, so that each is verified once.
///
/// An entry says nothing of the session, which is asked for at each request, nor of the clock: whoever takes one out
/// looks whether its time and its key have passed. Only good tokens get in, so a guesser cannot fill it.
final class VerifiedTokens: Sendable {
    struct Entry: Sendable, Hashable {
        let claims: AccessClaims
        /// The key that signed it.
        let keyID: String
    }

    private let entries = Mutex<[[UInt8]: Entry]>([:])
    private let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0, "a cache of \(capacity) tokens holds none")
        self.capacity = capacity
    }

    static func digest(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { Array(SHA256.hash(data: $0)) }
    }

    subscript(_ digest: [UInt8]) -> Entry? { entries.withLock { $0[digest] } }

    func add(_ entry: Entry, for digest: [UInt8], at now: Instant) {
        entries.withLock { entries in
            if entries.count >= capacity, entries[digest] == nil {
                entries = entries.filter { TokenVerifier.isAlive($0.value.claims, at: now) }
                // Full of live ones: starting over costs one signature a token.
                if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
            }
            entries[digest] = entry
        }
    }

    func remove(_ digest: [UInt8]) { entries.withLock { _ = $0.removeValue(forKey: digest) } }

    var count: Int { entries.withLock { $0.count } }
}
