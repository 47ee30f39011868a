extension FormulaValue {
    /// The shortest decimal that reads back as `number`, in the form JavaScript gives it: no `.0`, and an exponent
    /// from 1e21 and below 1e-6 (ECMA-262, Number::toString).
    static func text(of number: Double) -> String {
        if number.magnitude < 0x1p53, let whole = Int(exactly: number) { return String(whole) }
        if number.isNaN { return "NaN" }
        if number.isInfinite { return number < 0 ? "-Infinity" : "Infinity" }
        let (digits, exponent) = shortestDigits(of: number.magnitude)
        let sign = number < 0 ? "-" : ""
        let count = digits.count
        // The value is 0.digits × 10^exponent.
        if (count...21).contains(exponent) {
            return sign + digits + String(repeating: "0", count: exponent - count)
        }
        if (1..<22).contains(exponent) {
            return sign + digits.prefix(exponent) + "." + digits.dropFirst(exponent)
        }
        if (-5...0).contains(exponent) {
            return sign + "0." + String(repeating: "0", count: -exponent) + digits
        }
        let power = exponent - 1
        let fraction = count > 1 ? "." + digits.dropFirst() : ""
        return sign + digits.prefix(1) + fraction + (power < 0 ? "e-" : "e+") + String(power.magnitude)
    }

    /// Decimal digits without zeros at either end, and the power of ten of the point before them.
    static func shortestDigits(of magnitude: Double) -> (digits: String, exponent: Int) {
        var digits: [UInt8] = []
        var pointAfter: Int?
        var power = 0
        for byte in magnitude.description.utf8 {
            if byte == UInt8(ascii: "e") { break }
            if byte == UInt8(ascii: ".") { pointAfter = digits.count } else { digits.append(byte) }
        }
        if let mark = magnitude.description.firstIndex(of: "e") {
            power = Int(magnitude.description[mark...].dropFirst()) ?? 0
        }
        var exponent = (pointAfter ?? digits.count) + power
        let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(zeros)
        exponent -= zeros
        while digits.last == UInt8(ascii: "0") { digits.removeLast() }
        return (String(decoding: digits, as: UTF8.self), exponent)
    }

    /// The number that a text is: a decimal with sign, point and exponent, white space around it ignored.
    package static func number(in text: String) -> Double? {
        var text = text
        let digits: (isNumber: Bool, first: Int, last: Int) = text.withUTF8 { bytes in
            var first = 0
            var last = bytes.count
            while first < last, isSpace(bytes[first]) { first += 1 }
            while last > first, isSpace(bytes[last - 1]) { last -= 1 }
            return (isDecimal(UnsafeBufferPointer(rebasing: bytes[first..<last])), first, last)
        }
        guard digits.isNumber else { return nil }
        if digits.first == 0, digits.last == text.utf8.count { return Double(text) }
        return Double(String(decoding: Array(text.utf8)[digits.first..<digits.last], as: UTF8.self))
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private static func isDecimal(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
        var position = 0
        func digits() -> Int {
            let start = position
            while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
                position += 1
            }
            return position - start
        }
        func take(_ marks: [UInt8]) -> Bool {
            guard position < bytes.count, marks.contains(bytes[position]) else { return false }
            position += 1
            return true
        }
        _ = take([UInt8(ascii: "+"), UInt8(ascii: "-")])
        let whole = digits()
        let fraction = take([UInt8(ascii: ".")]) ? digits() : 0
        guard whole + fraction > 0 else { return false }
        if take([UInt8(ascii: "e"), UInt8(ascii: "E")]) {
            _ = take([UInt8(ascii: "+"), UInt8(ascii: "-")])
            guard digits() > 0 else { return false }
        }
        return position == bytes.count
    }
}
