extension JSONScanner {
    /// Whether the bytes are one number and nothing else.
    mutating func scansOneNumber() -> Bool {
        guard let first = bytes.first, first == UInt8(ascii: "-") || isDigit(first) else { return false }
        do throws(JSONFault) {
            try scanNumber()
        } catch {
            return false
        }
        return position == bytes.count
    }

    /// Scans a number from its first byte.
    @inline(__always)
    mutating func scanNumber() throws(JSONFault) {
        let start = position
        if bytes[position] == UInt8(ascii: "-") { position += 1 }
        let firstDigit = position
        skipDigits()
        let wholeEnd = position
        if wholeEnd == firstDigit { throw number(start, "a digit must follow '-'") }
        if bytes[firstDigit] == UInt8(ascii: "0"), wholeEnd > firstDigit + 1 {
            throw JSONFault(.invalidNumber, at: firstDigit, "leading zeros are not allowed")
        }
        // Whole numbers of so few digits need no further look.
        if wholeEnd - firstDigit <= 300, position < bytes.count, !continuesNumber(bytes[position]) {
            if position - start > limits.numberBytes { throw tooLong(start) }
            return
        }
        try scanFractionAndExponent(start: start, firstDigit: firstDigit, wholeEnd: wholeEnd)
    }

    private mutating func scanFractionAndExponent(
        start: Int,
        firstDigit: Int,
        wholeEnd: Int
    ) throws(JSONFault) {
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            let fraction = position
            skipDigits()
            if position == fraction { throw number(start, "a digit must follow '.'") }
        }
        let digitsEnd = position
        var exponent = 0
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            var isNegative = false
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                isNegative = bytes[position] == UInt8(ascii: "-")
                position += 1
            }
            let power = position
            skipDigits()
            if position == power { throw number(start, "a digit must follow the exponent's sign or 'e'") }
            for index in power..<position {
                exponent = min(exponent * 10 + Int(bytes[index] - UInt8(ascii: "0")), 1 << 40)
            }
            if isNegative { exponent = -exponent }
        }
        if position - start > limits.numberBytes { throw tooLong(start) }
        try checkRange(start: start, digits: firstDigit..<digitsEnd, wholeEnd: wholeEnd, exponent: exponent)
    }

    /// Refuses what would be infinite. What is too small for a Double is nearest to zero, and taken.
    private func checkRange(
        start: Int,
        digits: Range<Int>,
        wholeEnd: Int,
        exponent: Int
    ) throws(JSONFault) {
        guard wholeEnd - digits.lowerBound + exponent > 308 else { return }
        let first = digits.first { bytes[$0] != UInt8(ascii: "0") && bytes[$0] != UInt8(ascii: ".") }
        guard let first else { return }
        // The power of ten of the first digit that is not zero.
        let power = exponent + (first < wholeEnd ? wholeEnd - first - 1 : wholeEnd - first)
        guard power >= 308 else { return }
        if power == 308, let value = Double(String(decoding: bytes[start..<position], as: UTF8.self)), value.isFinite {
            return
        }
        throw JSONFault(.numberOutOfRange, at: start)
    }

    @inline(__always)
    private mutating func skipDigits() {
        while position < bytes.count, isDigit(bytes[position]) { position += 1 }
    }

    @inline(__always)
    private func isDigit(_ byte: UInt8) -> Bool { byte &- UInt8(ascii: "0") < 10 }

    @inline(__always)
    private func continuesNumber(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ".") || byte | 0x20 == UInt8(ascii: "e")
    }

    /// The number stops where a digit should be: it is cut off, or no number.
    private func number(_ start: Int, _ reason: String) -> JSONFault {
        guard position < bytes.count else { return JSONFault(.unexpectedEnd, at: bytes.count, "a digit") }
        return JSONFault(.invalidNumber, at: position, reason)
    }

    private func tooLong(_ start: Int) -> JSONFault {
        JSONFault(.numberTooLong, at: start, String(limits.numberBytes))
    }
}
