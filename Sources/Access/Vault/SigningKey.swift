import Crypto

/// A key that proves who made a text: HMAC with SHA-256.
package struct SigningKey: Sendable {
    private let key: SymmetricKey

    package init(_ secret: Secret) { key = SymmetricKey(data: secret.revealedBytes) }

    init(key: SymmetricKey) { self.key = key }

    /// 32 bytes.
    package func signature(of bytes: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }

    /// Whether `signature` is this key's of `bytes`; takes as long whichever byte differs.
    package func accepts(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: bytes, using: key)
    }
}
