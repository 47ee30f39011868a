import Crypto
import Database

/// Secrets of the server itself, which belong to no tenant: sealed with the master key directly.
extension CredentialVault {
    /// - Parameter label: what the secret is for; it opens under this label only.
    /// - Returns: the master key's fingerprint and the seal, to be stored together.
    func sealServerSecret(_ secret: Secret, for label: String) throws -> (master: String, sealed: [UInt8]) {
        let sealed = try Self.seal(secret.revealedBytes, with: master.key, boundTo: Self.binding(server: label))
        return (master.fingerprint, sealed)
    }

    /// - Throws: `masterKeyMismatch`; `corrupt` when it was changed or moved.
    func openServerSecret(_ sealed: [UInt8], master fingerprint: String, for label: String) throws -> Secret {
        guard fingerprint == master.fingerprint else { throw mismatch(fingerprint) }
        guard let bytes = Self.open(sealed, with: master.key, boundTo: Self.binding(server: label)) else {
            throw AccessError.corrupt("sealed secret", "label \(label)")
        }
        return Secret(bytes: bytes)
    }

    /// A key for signing what `label` names: derived (HKDF, RFC 5869) from the master key, so that it is stored nowhere and is the
    /// same in every process. Another master key gives another: for what lives no longer than that matters.
    func serverSigningKey(for label: String) -> SigningKey {
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: master.key,
            info: Array("pyairtable/server-signing/1\0\(label)".utf8),
            outputByteCount: 32
        )
        return SigningKey(key: derived)
    }

    /// Seals the private parts of signing keys with `next`, as data keys are in the same transaction.
    func resealSigningKeys(with next: CredentialVault, _ transaction: any Transaction) throws {
        try TokenKeyStore.reseal(transaction) { key in
            if key.master == next.master.fingerprint { return nil }
            let label = TokenKeyRing.label(key.id)
            let seed = try openServerSecret(key.sealed, master: key.master, for: label)
            return try next.sealServerSecret(seed, for: label)
        }
    }

    /// Labels hold no NUL, being written in our programs or made of identifiers.
    private static func binding(server label: String) -> [UInt8] { Array("pyairtable/server/1\0\(label)".utf8) }
}
