import Crypto
package import Domain

/// The text form of an API key: `pat_<environment>_<id>_<secret><checksum>`.
///
/// Recognisable to people and to secret scanners; the checksum lets a mistyped or made-up one be refused without
/// asking the database. `id` is the fourteen characters of the key's identifier, `secret` 32 characters of base 62
/// (190 bits), `checksum` the CRC-32 of all before it as six digits of base 62.
package struct KeyText: Sendable, Hashable {
    package static let environment = "live"
    static let secretLength = 32
    static let checksumLength = 6
    private static let prefix = Array("pat_\(environment)_".utf8)
    /// Bytes of a whole key: anything else is refused by its length alone.
    package static let byteCount = prefix.count + KeyID.suffixLength + 1 + secretLength + checksumLength

    package let id: KeyID
    /// The whole key. Shown once, never stored.
    package let secret: Secret
    /// SHA-256 of the whole key, 32 bytes: what is stored.
    package let digest: [UInt8]

    /// A new key for `id`; the secret comes from `generator`.
    package init(id: KeyID, using generator: inout some RandomNumberGenerator) {
        var bytes = Self.prefix + Array(id.description.utf8.dropFirst(3)) + [UInt8(ascii: "_")]
        for _ in 0..<Self.secretLength { bytes.append(Self.letter(using: &generator)) }
        bytes += Self.checksum(of: bytes)
        self.id = id
        self.secret = Secret(bytes: bytes)
        self.digest = Self.digest(of: bytes)
    }

    /// Reads a key as sent by a client; nil unless form and checksum are right.
    ///
    /// - Complexity: O(1): no more than `byteCount` bytes are looked at.
    package init?(_ text: String) {
        guard text.utf8.count == Self.byteCount else { return nil }
        let bytes = Array(text.utf8)
        let idStart = Self.prefix.count
        let secretStart = idStart + KeyID.suffixLength + 1
        let checksumStart = Self.byteCount - Self.checksumLength
        guard bytes.starts(with: Self.prefix), bytes[secretStart - 1] == UInt8(ascii: "_"),
            let id = KeyID("key" + String(decoding: bytes[idStart..<secretStart - 1], as: UTF8.self)),
            bytes[secretStart..<checksumStart].allSatisfy(Self.isLetter),
            Array(bytes[checksumStart...]) == Self.checksum(of: bytes[..<checksumStart])
        else { return nil }
        self.id = id
        self.secret = Secret(bytes: bytes)
        self.digest = Self.digest(of: bytes)
    }

    /// The last four characters, which may be shown to tell keys apart. They belong to the checksum.
    package var lastFour: String { String(secret.revealed.suffix(4)) }

    /// Plain SHA-256: a secret of 190 random bits cannot be guessed, so a slow hash or a pepper would protect nothing,
    /// and a pepper would make every key die with the master key.
    private static func digest(of bytes: [UInt8]) -> [UInt8] { Array(SHA256.hash(data: bytes)) }

    /// One of the 62 letters and digits, each as likely as any other.
    static func letter(using generator: inout some RandomNumberGenerator) -> UInt8 {
        base62[Int.random(in: 0..<62, using: &generator)]
    }

    static func isLetter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    static func checksum(of bytes: some Sequence<UInt8>) -> [UInt8] {
        var rest = crc32(bytes)
        var digits = [UInt8](repeating: base62[0], count: checksumLength)
        for position in stride(from: checksumLength - 1, through: 0, by: -1) {
            digits[position] = base62[Int(rest % 62)]
            rest /= 62
        }
        return digits
    }
}

private let base62 = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

/// CRC-32 as in ISO 3309, zlib and PNG: reflected polynomial 0xEDB88320. Bit by bit: 55 bytes a request.
func crc32(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder: UInt32 = 0xFFFF_FFFF
    for byte in bytes {
        remainder ^= UInt32(byte)
        for _ in 0..<8 { remainder = remainder >> 1 ^ (remainder & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
    return ~remainder
}

/// Whether two byte strings are equal, in a time that depends on their lengths only.
func isEqualInConstantTime(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    guard left.count == right.count else { return false }
    var difference: UInt8 = 0
    for position in left.indices { difference |= left[position] ^ right[position] }
    return difference == 0
}
