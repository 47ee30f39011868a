import Domain
import Synchronization

/// The signing keys at hand: which one signs now, and which ones verify.
///
/// Read from the database every few seconds at most, and once more, at most once a second, for a key that is not known
/// yet. A new key signs only after `Limits.signingKeyLeadSeconds`, when every process has read it. With the database
/// gone for longer than that, nothing verifies.
final class TokenKeyRing: Sendable {
    /// How old the table may be before one caller reads it again, and before all must.
    private static let fresh = Duration.seconds(5)
    private static let stale = Duration.seconds(10)
    /// Between two reads for keys that are not known.
    private static let curiosity = Duration.seconds(1)

    private struct Table: Sendable {
        let stored: [TokenKeyStore.StoredKey]
        let verifying: [String: (key: TokenVerifyingKey, ends: Instant?)]
        /// When it was about to be read.
        let time: ContinuousClock.Instant
    }

    private struct State: Sendable {
        var table: Table?
        var lastRead: ContinuousClock.Instant?
        /// The private key that was opened last.
        var signer: TokenSigner?
    }

    private let state = Mutex(State())
    private let store: TokenKeyStore
    private let vault: @Sendable () throws -> CredentialVault
    private let now: InstantSource
    private let tick: @Sendable () -> ContinuousClock.Instant

    init(
        store: TokenKeyStore,
        vault: @escaping @Sendable () throws -> CredentialVault,
        now: @escaping InstantSource,
        tick: @escaping @Sendable () -> ContinuousClock.Instant
    ) {
        self.store = store
        self.vault = vault
        self.now = now
        self.tick = tick
    }

    /// The key of ours with this identifier that still verifies; nil when there is none.
    func verifyingKey(_ id: String, deadline: ContinuousClock.Instant?) async throws -> TokenVerifyingKey? {
        let table = try await table(deadline: deadline) { $0.verifying[id] == nil }
        guard let found = table.verifying[id], found.ends.map({ now() < $0 }) ?? true else { return nil }
        return found.key
    }

    /// Every key that verifies now or will, the newest first.
    func verifyingKeys(deadline: ContinuousClock.Instant?) async throws -> [TokenVerifyingKey] {
        let table = try await table(deadline: deadline)
        let time = now()
        return table.stored.reversed().compactMap { stored in
            guard stored.endsTime.map({ time < $0 }) ?? true else { return nil }
            return table.verifying[stored.id]?.key
        }
    }

    /// The key that signs now, made when there is none.
    ///
    /// - Throws: `masterKeyUnusable`, `masterKeyMismatch`, `corrupt`.
    func signer(deadline: ContinuousClock.Instant?) async throws -> TokenSigner {
        if let stored = current(in: try await table(deadline: deadline)) { return try opened(stored) }
        let time = now()
        try await store.insertFirst(try Self.sealed(TokenSigner(), vault(), time, activeTime: time), deadline: deadline)
        // Read again: another process may have been first.
        guard let stored = current(in: try await read(deadline: deadline)) else {
            throw AccessError.corrupt("access_signing_keys", "none is active")
        }
        return try opened(stored)
    }

    /// Puts a new key in place of the present one, which goes on verifying until its last token is dead, unless it
    /// `isCompromised`: then every token dies now.
    ///
    /// - Returns: the new key's identifier, and when it begins to sign.
    /// - Throws: `limitReached`.
    func rotate(
        afterlife seconds: Int64,
        isCompromised: Bool,
        deadline: ContinuousClock.Instant?
    ) async throws -> (id: String, active: Instant) {
        let time = now()
        // Where nothing signs yet there is nobody to go on meanwhile.
        let isAlone = current(in: try await read(deadline: deadline)) == nil
        let active = isCompromised || isAlone ? time : time.adding(seconds: Limits.signingKeyLeadSeconds)
        let signer = TokenSigner()
        // Other processes sign with the old key until they have looked again.
        let end = active.adding(seconds: Limits.signingKeyLeadSeconds + seconds)
        let isAdded = try await store.insertNext(
            try Self.sealed(signer, vault(), time, activeTime: active),
            isCompromised ? .atOnce : .until(end),
            limit: Limits.signingKeys,
            at: time,
            audit: AuditEvent(
                .signingKeyRotated,
                at: time,
                object: AuditObject(.signingKey, signer.id),
                details: [.reason: isCompromised ? "compromised" : "planned"]
            ),
            deadline: deadline
        )
        guard isAdded else {
            throw AccessError(
                .limitReached,
                "\(Limits.signingKeys) signing keys still verify tokens.",
                hint: "wait until the oldest is over, some \(seconds / 60) minutes after it was replaced"
            )
        }
        _ = try await read(deadline: deadline)
        return (signer.id, active)
    }

    /// Removes keys that verify nothing any more.
    func sweep(deadline: ContinuousClock.Instant?) async throws {
        try await store.deleteOver(at: now(), deadline: deadline)
    }

    // MARK: The table

    private func table(
        deadline: ContinuousClock.Instant?,
        lacking: (Table) -> Bool = { _ in false }
    ) async throws -> Table {
        let time = tick()
        let present = state.withLock { state -> Table? in
            // Without a key there is nothing to wait for: the first one signs at once, wherever it was made.
            guard let table = state.table, !table.stored.isEmpty, time - table.time < Self.stale else { return nil }
            guard time - table.time >= Self.fresh || lacking(table) else { return table }
            if let last = state.lastRead, time - last < Self.curiosity { return table }
            state.lastRead = time
            return nil
        }
        if let present { return present }
        return try await read(deadline: deadline)
    }

    private func read(deadline: ContinuousClock.Instant?) async throws -> Table {
        let time = tick()
        let stored = try await store.keys(deadline: deadline)
        var verifying: [String: (key: TokenVerifyingKey, ends: Instant?)] = [:]
        for row in stored where row.algorithm == TokenVerifyingKey.algorithm {
            guard let key = TokenVerifyingKey(bytes: row.publicKey), key.id == row.id else {
                throw AccessError.corrupt("access_signing_keys", "number \(row.number)")
            }
            verifying[row.id] = (key, row.endsTime)
        }
        let table = Table(stored: stored, verifying: verifying, time: time)
        state.withLock { state in
            state.lastRead = max(state.lastRead ?? time, time)
            // A read that began earlier and came back later knows less.
            if state.table.map({ $0.time <= time }) ?? true { state.table = table }
        }
        return table
    }

    private func current(in table: Table) -> TokenKeyStore.StoredKey? {
        let time = now()
        return table.stored.last { $0.activeTime <= time && table.verifying[$0.id] != nil }
    }

    // MARK: Private keys

    private func opened(_ stored: TokenKeyStore.StoredKey) throws -> TokenSigner {
        if let signer = state.withLock({ $0.signer }), signer.id == stored.id { return signer }
        let seed = try vault().openServerSecret(stored.sealed, master: stored.master, for: Self.label(stored.id))
        guard let signer = TokenSigner(seed: seed), signer.id == stored.id else {
            throw AccessError.corrupt("access_signing_keys", "number \(stored.number)")
        }
        state.withLock { $0.signer = signer }
        return signer
    }

    private static func sealed(
        _ signer: TokenSigner,
        _ vault: CredentialVault,
        _ time: Instant,
        activeTime: Instant
    ) throws -> TokenKeyStore.StoredKey {
        let secret = try vault.sealServerSecret(signer.seed, for: label(signer.id))
        return TokenKeyStore.StoredKey(
            number: 1,
            id: signer.id,
            algorithm: TokenVerifyingKey.algorithm,
            publicKey: signer.verifyingKey.bytes,
            master: secret.master,
            sealed: secret.sealed,
            createdTime: time,
            activeTime: activeTime
        )
    }

    static func label(_ keyID: String) -> String { "signing-key.\(keyID)" }
}
