/// Base64 for addresses and tokens: RFC 4648, section 5, without padding.
enum Base64URL {
    private static let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// From a byte to its six bits; 255 for what is no letter.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: .max, count: 256)
        for (value, letter) in letters.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    static func encoded(_ bytes: some Collection<UInt8>) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 4 / 3 + 2)
        var (bits, bitCount) = (0, 0)
        for byte in bytes {
            (bits, bitCount) = (bits << 8 | Int(byte), bitCount + 8)
            while bitCount >= 6 {
                bitCount -= 6
                text.append(letters[bits >> bitCount & 63])
            }
            bits &= 63
        }
        if bitCount > 0 { text.append(letters[bits << (6 - bitCount) & 63]) }
        return text
    }

    static func text(_ bytes: some Collection<UInt8>) -> String { String(decoding: encoded(bytes), as: UTF8.self) }

    /// Nil for anything that `encoded` would not have written: other letters, padding, bits left over that are not zero.
    /// So no two texts mean the same bytes.
    static func decoded(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.count % 4 != 1 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count * 3 / 4)
        var (bits, bitCount) = (0, 0)
        for letter in text {
            let value = values[Int(letter)]
            guard value != .max else { return nil }
            (bits, bitCount) = (bits << 6 | Int(value), bitCount + 6)
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(bits >> bitCount & 255))
                bits &= (1 << bitCount) - 1
            }
        }
        return bits == 0 ? bytes : nil
    }
}
