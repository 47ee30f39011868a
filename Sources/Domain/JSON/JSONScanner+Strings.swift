extension JSONScanner {
    /// Scans a string from its opening quote to after its closing one and lists it.
    @inline(__always)
    mutating func scanString() throws(JSONFault) {
        let start = position
        position += 1
        var isEscaped = false
        while true {
            skipPlainText()
            guard position < bytes.count else { throw JSONFault(.unexpectedEnd, at: bytes.count, "'\"'") }
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                isEscaped = true
                try scanEscape()
            } else if byte < 0x20 {
                throw JSONFault(.controlCharacter, at: position)
            } else {
                try scanMultibyteText()
            }
            if position - start - 1 > limits.stringBytes { break }
        }
        if position - start - 1 > limits.stringBytes {
            throw JSONFault(.stringTooLong, at: start, String(limits.stringBytes))
        }
        position += 1
        try append(isEscaped ? .escapedString : .string, start)
    }

    /// Stops at the next byte that is a quote, a backslash, a control character or not ASCII.
    @inline(__always)
    private mutating func skipPlainText() {
        guard let base = UnsafeRawPointer(bytes.baseAddress) else { return }
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        while position + 8 <= bytes.count {
            let word = UInt64(littleEndian: base.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            // In each byte's top bit: below 0x20, equal to a quote or backslash, or not ASCII. A borrow can
            // only mark bytes above a true mark, so the lowest one is right.
            let quote = word ^ (ones &* UInt64(UInt8(ascii: "\"")))
            let slash = word ^ (ones &* UInt64(UInt8(ascii: "\\")))
            let control = (word &- ones &* 0x20) & ~word
            let found = (control | ((quote &- ones) & ~quote) | ((slash &- ones) & ~slash) | word) & tops
            if found != 0 {
                position += found.trailingZeroBitCount >> 3
                return
            }
            position += 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            if byte < 0x20 || byte >= 0x80 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { return }
            position += 1
        }
    }

    private mutating func scanEscape() throws(JSONFault) {
        let start = position
        guard position + 1 < bytes.count else { throw JSONFault(.unexpectedEnd, at: bytes.count, "an escape") }
        let letter = bytes[position + 1]
        position += 2
        guard letter == UInt8(ascii: "u") else {
            if JSONEscapes.simple(letter) == nil { throw JSONFault(.invalidEscape, at: start) }
            return
        }
        let unit = try scanHex(escape: start)
        guard unit & 0xF800 == 0xD800 else { return }
        guard unit < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw JSONFault(.loneSurrogate, at: start) }
        let second = position
        position += 2
        guard try scanHex(escape: second) & 0xFC00 == 0xDC00 else { throw JSONFault(.loneSurrogate, at: start) }
    }

    private mutating func scanHex(escape start: Int) throws(JSONFault) -> UInt32 {
        var unit: UInt32 = 0
        for _ in 0..<4 {
            guard position < bytes.count else {
                throw JSONFault(.unexpectedEnd, at: bytes.count, "a hexadecimal digit")
            }
            guard let digit = JSONEscapes.hexDigit(bytes[position]) else { throw JSONFault(.invalidEscape, at: start) }
            unit = unit << 4 | digit
            position += 1
        }
        return unit
    }

    /// Scans scalars above ASCII as long as they follow one another.
    private mutating func scanMultibyteText() throws(JSONFault) {
        while position < bytes.count, bytes[position] >= 0x80 {
            let length = Self.multibyteLength(bytes, at: position)
            guard length > 0 else { throw JSONFault(.invalidUTF8, at: position) }
            position += length
        }
    }

    /// Bytes of the well-formed scalar above ASCII at `position`; 0 when it is ill-formed: overlong, a
    /// surrogate, above U+10FFFF or cut off (Unicode 16, table 3-7).
    @inline(__always)
    private static func multibyteLength(_ bytes: UnsafeBufferPointer<UInt8>, at position: Int) -> Int {
        let lead = bytes[position]
        let left = bytes.count - position
        func isTail(_ offset: Int) -> Bool { bytes[position + offset] & 0xC0 == 0x80 }
        switch lead {
        case 0xC2...0xDF:
            return left >= 2 && isTail(1) ? 2 : 0
        case 0xE0...0xEF:
            guard left >= 3, isTail(1), isTail(2) else { return 0 }
            let second = bytes[position + 1]
            return (lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ? 0 : 3
        case 0xF0...0xF4:
            guard left >= 4, isTail(1), isTail(2), isTail(3) else { return 0 }
            let second = bytes[position + 1]
            return (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F) ? 0 : 4
        default:
            return 0
        }
    }
}
