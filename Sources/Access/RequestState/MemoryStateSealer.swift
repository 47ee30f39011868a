import Crypto
public import Domain
import Synchronization

/// Seals with a key of its own and uses up in memory: for a server of one process without a database. What it sealed dies
/// with it.
public final class MemoryStateSealer: StateSealer {
    private struct Nonce: Hashable {
        let tenant: TenantID
        let text: String
    }

    private let seal = StateSeal(key: SigningKey(key: SymmetricKey(size: .bits256)))
    private let spent = Mutex<[Nonce: Instant]>([:])
    private let now: InstantSource

    public init(now: @escaping InstantSource = { .now() }) { self.now = now }

    public func seal(_ payload: [UInt8], boundTo purpose: [UInt8]) throws -> String {
        try seal.seal(payload, boundTo: purpose)
    }

    public func open(_ text: String, boundTo purpose: [UInt8]) throws -> [UInt8] {
        try seal.open(text, boundTo: purpose)
    }

    public func spend(_ nonce: String, until: Instant, context: RequestContext) async throws -> Bool {
        let time = now()
        guard time < until, NonceStore.isUsable(nonce) else { return false }
        let key = Nonce(tenant: context.tenant, text: nonce)
        return spent.withLock { spent in
            if spent.count >= Limits.rememberedNonces { spent = spent.filter { time < $0.value } }
            guard spent.count < Limits.rememberedNonces, spent[key] == nil else { return false }
            spent[key] = until
            return true
        }
    }
}
