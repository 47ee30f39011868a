import Domain

/// The text form of a sealed payload: `v1.payload.signature`, both in base64url.
///
/// Signed with HMAC-SHA-256 and not encrypted: the program that carries it may know what it holds, and a signature has no
/// nonces to run out of.
struct StateSeal: Sendable {
    private static let prefix = Array("v1.".utf8)
    private static let label = Array("pyairtable/request-state/1".utf8)
    private static let signatureBytes = 32
    /// Of the longest text.
    private static let textBytes = prefix.count + (Limits.requestStateBytes * 4 + 2) / 3 + 1 + 43

    let key: SigningKey

    func seal(_ payload: [UInt8], boundTo purpose: [UInt8]) throws(StateSealError) -> String {
        guard payload.count <= Limits.requestStateBytes else { throw .tooLong(byteCount: payload.count) }
        let signature = key.signature(of: Self.signed(payload, purpose))
        let text =
            Self.prefix + Base64URL.encoded(payload) + [UInt8(ascii: ".")] + Base64URL.encoded(signature)
        return String(decoding: text, as: UTF8.self)
    }

    func open(_ text: String, boundTo purpose: [UInt8]) throws(StateSealError) -> [UInt8] {
        guard text.utf8.count <= Self.textBytes else { throw .broken }
        let bytes = Array(text.utf8)
        guard bytes.starts(with: Self.prefix) else { throw .broken }
        let parts = bytes.dropFirst(Self.prefix.count)
            .split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 2, let payload = Base64URL.decoded(parts[0]),
            let signature = Base64URL.decoded(parts[1]), signature.count == Self.signatureBytes,
            key.accepts(signature, of: Self.signed(payload, purpose))
        else { throw .broken }
        return payload
    }

    /// The purpose with its length before it, so that no part of it can pass for one of the payload.
    private static func signed(_ payload: [UInt8], _ purpose: [UInt8]) -> [UInt8] {
        let length = (0..<8).map { UInt8(truncatingIfNeeded: purpose.count >> (8 * (7 - $0))) }
        return label + length + purpose + payload
    }
}
