import Crypto

/// The key that wraps every tenant's data key: 256 random bits kept outside the database.
///
/// Written as 64 hexadecimal digits or 44 characters of Base64. Losing it loses every stored credential (tokens of
/// Airtable, keys of language models), which then have to be given again; API keys and records do not depend on it.
public struct MasterKey: Sendable {
    static let byteCount = 32

    let key: SymmetricKey
    /// Sixteen hexadecimal digits that tell master keys apart and betray nothing; stored beside what it wraps.
    package let fingerprint: String

    init(bytes: [UInt8]) {
        precondition(bytes.count == Self.byteCount, "a master key of \(bytes.count) bytes")
        key = SymmetricKey(data: bytes)
        var hash = SHA256()
        hash.update(data: Array("pyairtable master key\0".utf8))
        hash.update(data: bytes)
        fingerprint = hash.finalize().prefix(8).map(hexadecimal).joined()
    }

    /// A new key from the system's secure generator.
    static func random() -> Self { Self(bytes: SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }) }

    /// Reads a key from text, white space at both ends aside.
    ///
    /// - Parameter source: what to call it in an error, such as a file name; never the text itself.
    public init(text: Secret, source: String) throws(AccessError) {
        let bytes = text.revealedBytes.filter { $0 > 0x20 }
        guard let decoded = Self.decode(bytes) else {
            throw AccessError(
                .masterKeyUnusable,
                "The master key in \(source) is not 32 bytes as 64 hexadecimal digits or as Base64.",
                hint: "make one with `openssl rand -base64 32`"
            )
        }
        guard Set(decoded).count > 8 else {
            throw AccessError(
                .masterKeyUnusable,
                "The master key in \(source) is an example, not random bytes.",
                hint: "make one with `openssl rand -base64 32`"
            )
        }
        self.init(bytes: decoded)
    }

    /// As the file holds it: Base64 and a line feed.
    var fileText: [UInt8] { encodeBase64(key.withUnsafeBytes { Array($0) }) + [UInt8(ascii: "\n")] }

    private static func decode(_ text: [UInt8]) -> [UInt8]? {
        let bytes =
            switch text.count {
            case 2 * byteCount: decodeHexadecimal(text)
            case 43, 44: decodeBase64(text)
            default: [UInt8]?.none
            }
        return bytes?.count == byteCount ? bytes : nil
    }
}

extension MasterKey: CustomStringConvertible, CustomReflectable {
    public var description: String { "<redacted master key \(fingerprint)>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

private func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }

private func decodeHexadecimal(_ text: [UInt8]) -> [UInt8]? {
    let digits = text.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
    guard digits.count == text.count else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

private let base64Alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

/// RFC 4648 with padding. Written out, because Foundation would come in for these lines alone.
private func encodeBase64(_ bytes: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        let word = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
        for digit in 0..<4 {
            let isPadding = digit > group.count
            text.append(isPadding ? UInt8(ascii: "=") : base64Alphabet[Int(word >> UInt32(18 - 6 * digit) & 63)])
        }
    }
    return text
}

/// RFC 4648, padding optional; nil for anything else, bits left over that are not zero included.
private func decodeBase64(_ text: [UInt8]) -> [UInt8]? {
    let digits = text.reversed().drop { $0 == UInt8(ascii: "=") }.reversed().map { base64Alphabet.firstIndex(of: $0) }
    guard text.count - digits.count <= 2, digits.count % 4 != 1 else { return nil }
    var bytes: [UInt8] = []
    var word = 0
    var bits = 0
    for digit in digits {
        guard let digit else { return nil }
        word = word << 6 | digit
        bits += 6
        if bits >= 8 {
            bits -= 8
            bytes.append(UInt8(word >> bits & 255))
        }
        word &= (1 << bits) - 1
    }
    return word == 0 ? bytes : nil
}
