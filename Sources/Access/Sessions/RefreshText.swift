import Crypto

/// The text form of a refresh token: `prt_<environment>_<secret><checksum>`.
///
/// `secret` is 43 characters of base 62 (256 bits), `checksum` six, as in an API key: recognisable to secret scanners,
/// and what is made up or mistyped is refused without asking the database. It says nothing: what it is good for stands
/// in its row, which is found by its digest.
package struct RefreshText: Sendable, Hashable {
    private static let prefix = Array("prt_\(KeyText.environment)_".utf8)
    private static let secretLength = 43
    private static let byteCount = prefix.count + secretLength + KeyText.checksumLength

    /// The whole token. Shown once, never stored.
    package let secret: Secret
    /// SHA-256 of the whole token, 32 bytes: what is stored. Plain, since 256 random bits cannot be guessed.
    package let digest: [UInt8]

    /// A new token, whose secret comes from `generator`.
    package init(using generator: inout some RandomNumberGenerator) {
        var bytes = Self.prefix
        for _ in 0..<Self.secretLength { bytes.append(KeyText.letter(using: &generator)) }
        bytes += KeyText.checksum(of: bytes)
        self.init(checked: bytes)
    }

    /// Reads a token as sent by a client; nil unless form and checksum are right.
    ///
    /// - Complexity: O(1): no more than `byteCount` bytes are looked at.
    package init?(_ text: String) {
        guard text.utf8.count == Self.byteCount else { return nil }
        let bytes = Array(text.utf8)
        let end = Self.byteCount - KeyText.checksumLength
        guard bytes.starts(with: Self.prefix), bytes[Self.prefix.count..<end].allSatisfy(KeyText.isLetter),
            Array(bytes[end...]) == KeyText.checksum(of: bytes[..<end])
        else { return nil }
        self.init(checked: bytes)
    }

    private init(checked bytes: [UInt8]) {
        secret = Secret(bytes: bytes)
        digest = Array(SHA256.hash(data: bytes))
    }
}
