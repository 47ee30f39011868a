import Crypto

/// Verifies access tokens of one signing key.
package struct TokenVerifyingKey: Sendable {
    /// What every key of ours is for. Stands with the key, so that a token cannot choose.
    package static let algorithm = "EdDSA"

    /// The JWK thumbprint (RFC 7638) of the key, so that it names no file, row or address.
    package let id: String
    /// 32 bytes.
    package let bytes: [UInt8]
    private let key: Curve25519.Signing.PublicKey

    /// Nil when `bytes` are no Ed25519 key.
    package init?(bytes: [UInt8]) {
        // Which way it is wrong helps nobody.
        guard let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else { return nil }
        self.key = key
        self.bytes = bytes
        let members = "{\"crv\":\"Ed25519\",\"kty\":\"OKP\",\"x\":\"\(Base64URL.text(bytes))\"}"
        self.id = Base64URL.text(Array(SHA256.hash(data: Array(members.utf8))))
    }

    /// Ed25519 (RFC 8032): there is one good signature of a text, since an S beyond the group's order is refused.
    func accepts(_ signature: [UInt8], of bytes: [UInt8]) -> Bool {
        signature.count == 64 && key.isValidSignature(signature, for: bytes)
    }
}

/// Signs access tokens.
package struct TokenSigner: Sendable {
    package let verifyingKey: TokenVerifyingKey
    private let key: Curve25519.Signing.PrivateKey

    /// A new key from the system's secure generator.
    package init() { self.init(Curve25519.Signing.PrivateKey()) }

    /// Nil unless `seed` is 32 bytes.
    package init?(seed: Secret) {
        guard seed.byteCount == 32,
            let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed.revealedBytes)
        else { return nil }
        self.init(key)
    }

    private init(_ key: Curve25519.Signing.PrivateKey) {
        guard let verifyingKey = TokenVerifyingKey(bytes: Array(key.publicKey.rawRepresentation)) else {
            preconditionFailure("a private key whose public key is none")
        }
        self.key = key
        self.verifyingKey = verifyingKey
    }

    package var id: String { verifyingKey.id }

    package var seed: Secret { Secret(bytes: Array(key.rawRepresentation)) }

    /// 64 bytes.
    package func signature(of bytes: [UInt8]) throws -> [UInt8] { Array(try key.signature(for: bytes)) }
}

extension TokenSigner: CustomStringConvertible, CustomReflectable {
    package var description: String { "<redacted signing key \(id)>" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
