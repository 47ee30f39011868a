import Crypto
public import Database
public import Domain

/// What a stored credential is for, such as `airtable.token`: one credential of a tenant each.
public struct CredentialPurpose: RawRepresentable, Sendable, Hashable {
    public let rawValue: String

    /// Nil unless it is 1 to 64 lower-case letters, digits, dots and hyphens.
    public init?(rawValue: String) {
        let isClean = rawValue.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard isClean, (1...64).contains(rawValue.utf8.count) else { return nil }
        self.rawValue = rawValue
    }
}

/// Customers' tokens and keys for other services, encrypted at rest.
///
/// Each tenant has a data key of its own; it seals that tenant's credentials with AES-256-GCM and is itself sealed,
/// "wrapped", by the master key, which is outside the database. Both seals are bound to what they are for: a data key
/// to its tenant and number, a credential to its tenant, purpose and data key. A row moved to another tenant or
/// purpose does not open. Copying the database without the master key gives nothing.
public struct CredentialVault: Sendable {
    let store: CredentialStore
    let master: MasterKey
    let now: InstantSource

    public init(
        database: any SQLDatabase,
        master: MasterKey,
        now: @escaping InstantSource = { .now() }
    ) {
        self.store = CredentialStore(database: database)
        self.master = master
        self.now = now
    }

    /// Stores a credential in place of the one that was there. Needs `admin`.
    ///
    /// - Throws: `invalid` when empty or longer than `Limits.credentialBytes`; `masterKeyMismatch`.
    public func store(_ secret: Secret, for purpose: CredentialPurpose, context: RequestContext) async throws {
        try context.require(.admin)
        guard (1...Limits.credentialBytes).contains(secret.byteCount) else {
            throw AccessError(.invalid, "A credential has 1 to \(Limits.credentialBytes) bytes.")
        }
        let dataKey = try await currentDataKey(of: context.tenant, deadline: context.deadline)
        let sealed = try Self.seal(
            secret.revealedBytes,
            with: try unwrap(dataKey),
            boundTo: Self.binding(of: purpose, dataKey)
        )
        try await store.put(
            sealed,
            dataKey: dataKey.number,
            purpose: purpose,
            tenant: context.tenant,
            time: now(),
            audit: AuditEvent(
                .credentialStored,
                at: now(),
                by: context,
                object: AuditObject(.credential, purpose.rawValue)
            ),
            deadline: context.deadline
        )
    }

    /// The credential, for the service that uses it on the caller's behalf: no edge may show it, hence no permission
    /// is asked for here and it is not public.
    ///
    /// - Returns: nil when there is none.
    /// - Throws: `masterKeyMismatch`; `corrupt` when the row was changed or moved.
    package func read(_ purpose: CredentialPurpose, context: RequestContext) async throws -> Secret? {
        let found = try await store.credential(purpose, tenant: context.tenant, deadline: context.deadline)
        guard let found else { return nil }
        let bytes = Self.open(
            found.sealed,
            with: try unwrap(found.dataKey),
            boundTo: Self.binding(of: purpose, found.dataKey)
        )
        guard let bytes else { throw AccessError.corrupt("access_credentials", "purpose \(purpose.rawValue)") }
        return Secret(bytes: bytes)
    }

    /// Which credentials the tenant has, and since when; never what they are. Needs `admin`.
    public func purposes(
        context: RequestContext
    ) async throws -> [(purpose: CredentialPurpose, updatedTime: Instant)] {
        try context.require(.admin)
        return try await store.purposes(tenant: context.tenant, deadline: context.deadline)
    }

    /// Deletes a credential. Needs `admin`.
    ///
    /// - Throws: `notFound`.
    public func delete(_ purpose: CredentialPurpose, context: RequestContext) async throws {
        try context.require(.admin)
        let isFound = try await store.delete(
            purpose,
            tenant: context.tenant,
            audit: AuditEvent(
                .credentialDeleted,
                at: now(),
                by: context,
                object: AuditObject(.credential, purpose.rawValue)
            ),
            deadline: context.deadline
        )
        guard isFound else { throw AccessError.notFound("credential") }
    }

    // MARK: Rotation

    /// Wraps every tenant's data key, and the server's signing keys, with another master key; the credentials themselves
    /// stay as they are.
    ///
    /// All or nothing, and harmless to repeat. Processes that still hold the old key find `masterKeyMismatch` until
    /// they start again.
    ///
    /// - Parameter audit: what the data directory's log says of it, in the same transaction.
    /// - Returns: a vault with the new key, and how many data keys were wrapped anew.
    /// - Throws: `masterKeyMismatch` when a data key is wrapped with neither.
    public func rotate(
        to next: MasterKey,
        audit: (event: AuditEvent, tenant: TenantID)? = nil
    ) async throws -> (vault: CredentialVault, dataKeys: Int) {
        let vault = CredentialVault(rewrapped: self, master: next)
        let count = try await store.rewrapDataKeys(
            audit: audit,
            alsoIn: { try resealSigningKeys(with: vault, $0) },
            { dataKey in
                if dataKey.master == next.fingerprint { return nil }
                let plain = try unwrap(dataKey)
                return try Self.wrap(plain, tenant: dataKey.tenant, number: dataKey.number, master: next)
            }
        )
        return (vault, count)
    }

    /// Replaces the master key file of a data directory by a new random one.
    ///
    /// The new key is on disk before anything is wrapped with it, and takes the old one's place after everything is.
    /// Interrupted anywhere, it is finished by calling it again.
    public func rotate(
        directory: String,
        audit: (event: AuditEvent, tenant: TenantID)? = nil
    ) async throws -> (vault: CredentialVault, dataKeys: Int) {
        let file = MasterKeyFile.next(directory)
        let rotated = try await rotate(to: try file.readOrCreate(), audit: audit)
        try file.replace(.current(directory))
        return rotated
    }

    private init(rewrapped vault: CredentialVault, master: MasterKey) {
        self.store = vault.store
        self.master = master
        self.now = vault.now
    }

    // MARK: Data keys

    /// The tenant's newest data key, made when there is none.
    func currentDataKey(
        of tenant: TenantID,
        deadline: ContinuousClock.Instant?
    ) async throws -> CredentialStore.DataKey {
        if let existing = try await store.newestDataKey(tenant: tenant, deadline: deadline) { return existing }
        let made = try Self.wrap(SymmetricKey(size: .bits256), tenant: tenant, number: 1, master: master)
        try await store.insert(made, time: now(), deadline: deadline)
        // Read again: another process may have been first.
        guard let stored = try await store.newestDataKey(tenant: tenant, deadline: deadline) else {
            throw AccessError.corrupt("access_data_keys", "gone after it was written")
        }
        return stored
    }

    func unwrap(_ dataKey: CredentialStore.DataKey) throws -> SymmetricKey {
        guard dataKey.master == master.fingerprint else { throw mismatch(dataKey.master) }
        let binding = Self.binding(tenant: dataKey.tenant, number: dataKey.number)
        guard let bytes = Self.open(dataKey.wrapped, with: master.key, boundTo: binding),
            bytes.count == MasterKey.byteCount
        else { throw AccessError.corrupt("access_data_keys", "number \(dataKey.number)") }
        return SymmetricKey(data: bytes)
    }

    func mismatch(_ fingerprint: String) -> AccessError {
        AccessError(
            .masterKeyMismatch,
            "The stored credentials were sealed with another master key.",
            hint: "give the master key \(fingerprint), or finish an interrupted rotation by rotating again",
            detail: "this master key is \(master.fingerprint)"
        )
    }

    private static func wrap(
        _ key: SymmetricKey,
        tenant: TenantID,
        number: Int64,
        master: MasterKey
    ) throws -> CredentialStore.DataKey {
        CredentialStore.DataKey(
            tenant: tenant,
            number: number,
            master: master.fingerprint,
            wrapped: try seal(
                key.withUnsafeBytes { Array($0) },
                with: master.key,
                boundTo: binding(tenant: tenant, number: number)
            )
        )
    }

    // MARK: Seals

    /// What a seal is bound to. Parts are separated by NUL, which none of them can hold, so no two differ and look
    /// the same.
    private static func binding(tenant: TenantID, number: Int64) -> [UInt8] {
        Array("pyairtable/data-key/1\0\(tenant)\0\(number)".utf8)
    }

    private static func binding(of purpose: CredentialPurpose, _ dataKey: CredentialStore.DataKey) -> [UInt8] {
        Array("pyairtable/credential/1\0\(dataKey.tenant)\0\(purpose.rawValue)\0\(dataKey.number)".utf8)
    }

    /// Twelve bytes of random nonce, the ciphertext, sixteen bytes of tag. A tenant's data key seals far fewer than
    /// the 2³² messages up to which random nonces are safe.
    static func seal(_ bytes: [UInt8], with key: SymmetricKey, boundTo binding: [UInt8]) throws -> [UInt8] {
        let box = try AES.GCM.seal(bytes, using: key, authenticating: binding)
        return Array(box.nonce) + Array(box.ciphertext) + Array(box.tag)
    }

    /// Nil when the seal is broken: changed, moved, or closed with another key.
    static func open(_ sealed: [UInt8], with key: SymmetricKey, boundTo binding: [UInt8]) -> [UInt8]? {
        // Why it does not open is never told, so the cause is dropped.
        guard let box = try? AES.GCM.SealedBox(combined: sealed),
            let bytes = try? AES.GCM.open(box, using: key, authenticating: binding)
        else { return nil }
        return Array(bytes)
    }
}
