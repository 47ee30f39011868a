/// The escape sequences of JSON strings.
enum JSONEscapes {
    /// Writes the text of a checked string and returns its length, which is never more than the input's.
    static func decode(
        _ content: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>
    ) -> Int {
        var position = 0
        var count = 0
        while position < content.count {
            let byte = content[position]
            guard byte == UInt8(ascii: "\\") else {
                output[count] = byte
                count += 1
                position += 1
                continue
            }
            let letter = content[position + 1]
            position += 2
            if letter == UInt8(ascii: "u") {
                var scalar = hex(content, position)
                position += 4
                if scalar & 0xFC00 == 0xD800 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + hex(content, position + 2) & 0x3FF
                    position += 6
                }
                count += encode(scalar, into: output, at: count)
            } else {
                output[count] = simple(letter) ?? letter
                count += 1
            }
        }
        return count
    }

    /// What `\letter` stands for; nil when it is no escape, or is `u`.
    @inline(__always)
    static func simple(_ letter: UInt8) -> UInt8? {
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): letter
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "t"): 0x09
        default: nil
        }
    }

    @inline(__always)
    static func hexDigit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt32(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt32(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    /// Four checked hexadecimal digits.
    private static func hex(_ bytes: UnsafeBufferPointer<UInt8>, _ position: Int) -> UInt32 {
        (position..<position + 4).reduce(0) { $0 << 4 | (hexDigit(bytes[$1]) ?? 0) }
    }

    private static func encode(
        _ scalar: UInt32,
        into output: UnsafeMutableBufferPointer<UInt8>,
        at position: Int
    ) -> Int {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
        switch scalar {
        case ..<0x80:
            output[position] = UInt8(scalar)
            return 1
        case ..<0x800:
            output[position] = 0xC0 | UInt8(scalar >> 6)
            output[position + 1] = tail(0)
            return 2
        case ..<0x10000:
            output[position] = 0xE0 | UInt8(scalar >> 12)
            output[position + 1] = tail(6)
            output[position + 2] = tail(0)
            return 3
        default:
            output[position] = 0xF0 | UInt8(scalar >> 18)
            output[position + 1] = tail(12)
            output[position + 2] = tail(6)
            output[position + 3] = tail(0)
            return 4
        }
    }
}
