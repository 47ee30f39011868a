import Crypto
package import Domain

/// A secret that another store keeps: sealed like a credential, but lying in that store's own row.
package struct SealedSecret: Sendable, Hashable {
    /// Number of the tenant's data key that seals it.
    package let dataKey: Int64
    package let bytes: [UInt8]

    package init(dataKey: Int64, bytes: [UInt8]) {
        self.dataKey = dataKey
        self.bytes = bytes
    }
}

/// For stores that hold many secrets of a tenant, each beside what it belongs to.
///
/// No permission is asked for here: whoever keeps the secret has asked for its own.
extension CredentialVault {
    /// - Parameter label: what the secret is for, such as `webhook.ach…`; it opens under this label only.
    package func seal(
        _ secret: Secret,
        for label: String,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> SealedSecret {
        let dataKey = try await currentDataKey(of: tenant, deadline: deadline)
        let bytes = try Self.seal(
            secret.revealedBytes,
            with: try unwrap(dataKey),
            boundTo: Self.binding(label: label, dataKey)
        )
        return SealedSecret(dataKey: dataKey.number, bytes: bytes)
    }

    /// - Throws: `masterKeyMismatch`; `corrupt` when it was changed or moved.
    package func open(
        _ sealed: SealedSecret,
        for label: String,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> Secret {
        guard let dataKey = try await store.dataKey(sealed.dataKey, tenant: tenant, deadline: deadline),
            let bytes = Self.open(
                sealed.bytes,
                with: try unwrap(dataKey),
                boundTo: Self.binding(label: label, dataKey)
            )
        else { throw AccessError.corrupt("sealed secret", "label \(label)") }
        return Secret(bytes: bytes)
    }

    /// A key of the tenant's for signing what `label` names: derived (HKDF, RFC 5869) from its data key, so that it is
    /// stored nowhere and lives through a rotation of the master key.
    package func signingKey(
        for label: String,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> SigningKey {
        let dataKey = try await currentDataKey(of: tenant, deadline: deadline)
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: try unwrap(dataKey),
            info: Array("pyairtable/signing/1\0\(tenant)\0\(label)".utf8),
            outputByteCount: 32
        )
        return SigningKey(key: derived)
    }

    /// Labels hold no NUL, being written in our programs or made of identifiers.
    private static func binding(label: String, _ dataKey: CredentialStore.DataKey) -> [UInt8] {
        Array("pyairtable/sealed/1\0\(dataKey.tenant)\0\(label)\0\(dataKey.number)".utf8)
    }
}
