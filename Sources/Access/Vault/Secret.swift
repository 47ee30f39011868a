import Crypto

/// Bytes that must not be shown: a key, a token, a password.
///
/// Prints as `<redacted>` however it is printed, dumped or interpolated, is compared in constant time, is not
/// `Codable`, and its memory is overwritten when the last copy goes (CryptoKit's key storage does both).
public struct Secret: Sendable {
    private let storage: SymmetricKey

    public init(_ text: String) { self.init(bytes: Array(text.utf8)) }

    public init(bytes: [UInt8]) { storage = SymmetricKey(data: bytes) }

    public var byteCount: Int { storage.bitCount / 8 }

    /// The bytes themselves, for sealing, sending or showing once. Copies of it are no longer overwritten.
    public var revealedBytes: [UInt8] { storage.withUnsafeBytes { Array($0) } }

    /// The text itself; bytes that are no UTF-8 come out as U+FFFD.
    public var revealed: String { storage.withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension Secret {
    /// Sixteen hexadecimal digits by which two secrets are told apart, and which betray nothing of one that cannot be guessed.
    ///
    /// - Parameter purpose: other purposes give other digits.
    package func fingerprint(for purpose: String) -> String {
        var hash = SHA256()
        hash.update(data: Array("pyairtable fingerprint\0\(purpose)\0".utf8))
        hash.update(data: revealedBytes)
        return hash.finalize().prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension Secret: Hashable {
    public static func == (left: Self, right: Self) -> Bool { left.storage == right.storage }

    /// Only the length: a hash of the content would be a second place where it shows.
    public func hash(into hasher: inout Hasher) { hasher.combine(byteCount) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "<redacted>" }
    public var debugDescription: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
