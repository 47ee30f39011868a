public import Domain
import Synchronization

/// Seals with a key that follows from the master key, the same in every process that has it, and uses up in the database.
final class VaultStateSealer: StateSealer {
    static let label = "request-state"

    private let nonces: NonceStore
    private let vault: @Sendable () throws -> CredentialVault
    private let now: InstantSource
    /// Made when it is first needed: a process that seals nothing reads no master key.
    private let made = Mutex<StateSeal?>(nil)

    init(nonces: NonceStore, vault: @escaping @Sendable () throws -> CredentialVault, now: @escaping InstantSource) {
        self.nonces = nonces
        self.vault = vault
        self.now = now
    }

    func seal(_ payload: [UInt8], boundTo purpose: [UInt8]) throws -> String {
        try sealing().seal(payload, boundTo: purpose)
    }

    func open(_ text: String, boundTo purpose: [UInt8]) throws -> [UInt8] {
        try sealing().open(text, boundTo: purpose)
    }

    func spend(_ nonce: String, until: Instant, context: RequestContext) async throws -> Bool {
        try await nonces.spend(nonce, until: until, at: now(), tenant: context.tenant, deadline: context.deadline)
    }

    private func sealing() throws -> StateSeal {
        try made.withLock { made in
            if let made { return made }
            let seal = StateSeal(key: try vault().serverSigningKey(for: Self.label))
            made = seal
            return seal
        }
    }
}

extension AccessService {
    /// Removes what was used up and is dead by now.
    ///
    /// - Returns: how many.
    public func sweepNonces(tenant: TenantID, deadline: ContinuousClock.Instant? = nil) async throws -> Int {
        try await nonces.sweep(at: now(), limit: Limits.sweepRows, tenant: tenant, deadline: deadline)
    }
}
