/// Text behind codes: escapes, base64, hexadecimal and decimal numbers of letters.
enum HiddenCodes {
    /// What may be in some bytes, told by one pass over them. Says rather too much than too little.
    struct Signs {
        /// `_` or `-`.
        private(set) var underscores = false
        private(set) var escapes = false
        private(set) var base64 = false
        private(set) var hexadecimal = false
        private(set) var decimal = false

        var hasCodes: Bool { escapes || base64 || hexadecimal || decimal }

        init(of bytes: [UInt8]) {
            var seen: UInt8 = 0
            var (base64Run, hexRun, numbers) = (0, 0, 0)
            var (base64Max, hexMax) = (0, 0)
            var before: UInt8 = 0
            bytes.withUnsafeBufferPointer { bytes in
                kinds.withUnsafeBufferPointer { kinds in
                    for byte in bytes {
                        let kind = kinds[Int(byte)]
                        seen |= kind
                        base64Run = kind & Kind.base64 != 0 ? base64Run + 1 : 0
                        base64Max = max(base64Max, base64Run)
                        if kind & Kind.hexDigit != 0 { hexRun += 1 } else if kind & Kind.separator == 0 { hexRun = 0 }
                        hexMax = max(hexMax, hexRun)
                        if kind & ~before & Kind.digit != 0 { numbers += 1 }
                        before = kind
                    }
                }
            }
            underscores = seen & Kind.underscore != 0
            escapes = seen & Kind.mark != 0
            base64 = base64Max >= runMin
            hexadecimal = hexMax >= runMin
            decimal = numbers >= numbersMin
        }
    }

    /// Whether any text behind codes is what is looked for.
    static func contains(in bytes: [UInt8], _ signs: Signs, _ isFound: ([UInt8]) -> Bool) -> Bool {
        guard bytes.count >= runMin else { return false }
        if signs.escapes, isFound(unescaped(bytes)) { return true }
        if signs.base64 {
            for run in base64Runs(of: bytes) {
                // What stands before it without a gap may be of the same letters.
                for offset in 0..<4 {
                    let text = base64(run.dropFirst(offset))
                    if !text.isEmpty, isFound(text) { return true }
                }
            }
        }
        if signs.hexadecimal {
            for run in hexadecimalRuns(of: bytes) {
                for offset in 0..<2 where isFound(hexadecimal(run.dropFirst(offset))) { return true }
            }
        }
        return signs.decimal && isFound(decimal(bytes))
    }

    /// Shorter runs hold no name.
    private static let runMin = 16
    private static let numbersMin = 8

    private enum Kind {
        static let base64: UInt8 = 1
        static let hexDigit: UInt8 = 2
        /// Between hexadecimal codes.
        static let separator: UInt8 = 4
        static let digit: UInt8 = 8
        static let mark: UInt8 = 16
        static let underscore: UInt8 = 32
        static let space: UInt8 = 64
    }

    private static let kinds: [UInt8] = {
        var kinds = [UInt8](repeating: 0, count: 256)
        for byte in UInt8.min...UInt8.max {
            var kind: UInt8 = 0
            if PlainText.isLetter(byte) || PlainText.isDigit(byte) || "+/-_".utf8.contains(byte) { kind |= Kind.base64 }
            if PlainText.isDigit(byte) { kind |= Kind.digit }
            if PlainText.isDigit(byte) || ("a"..."f").contains(Unicode.Scalar(PlainText.lowered(byte))) {
                kind |= Kind.hexDigit
            }
            if byte == 0x20 || (0x09...0x0D).contains(byte) { kind |= Kind.space | Kind.separator }
            if ":,-xX\\".utf8.contains(byte) { kind |= Kind.separator }
            if "%=&\\".utf8.contains(byte) { kind |= Kind.mark }
            if "_-".utf8.contains(byte) { kind |= Kind.underscore }
            kinds[Int(byte)] = kind
        }
        return kinds
    }()

    private static func isA(_ kind: UInt8, _ byte: UInt8) -> Bool { kinds[Int(byte)] & kind != 0 }

    // MARK: Base64

    /// Runs of base64, lines put together. Words are shorter.
    private static func base64Runs(of bytes: [UInt8]) -> [[UInt8]] {
        let kinds = kinds
        func isA(_ kind: UInt8, _ byte: UInt8) -> Bool { kinds[Int(byte)] & kind != 0 }
        var runs: [[UInt8]] = []
        var isGoingOn = false
        var place = 0
        while place < bytes.count {
            let gap = place
            while place < bytes.count, !isA(Kind.base64, bytes[place]) { place += 1 }
            if isGoingOn { isGoingOn = bytes[gap..<place].allSatisfy { isA(Kind.space, $0) } }
            let start = place
            while place < bytes.count, isA(Kind.base64, bytes[place]) { place += 1 }
            guard start < place else { break }
            if isGoingOn, let last = runs.indices.last {
                runs[last] += bytes[start..<place]
            } else if place - start >= runMin {
                runs.append(Array(bytes[start..<place]))
            }
            isGoingOn = place - start >= runMin
        }
        return runs
    }

    /// What digits stand for; nothing unless a stretch of it could be read, which in digits that are none is seldom.
    private static func base64(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        let values = values
        return [UInt8](unsafeUninitializedCapacity: digits.count * 3 / 4 + 1) { result, length in
            var (bits, count): (UInt32, Int) = (0, 0)
            var (readable, readableMax) = (0, 0)
            for digit in digits {
                bits = bits << 6 | UInt32(values[Int(digit)])
                count += 6
                guard count >= 8 else { continue }
                count -= 8
                let byte = UInt8(truncatingIfNeeded: bits >> UInt32(count))
                result[length] = byte
                length += 1
                readable = (0x20...0x7E).contains(byte) || (0x09...0x0D).contains(byte) ? readable + 1 : 0
                readableMax = max(readableMax, readable)
            }
            if readableMax < readableMin { length = 0 }
        }
    }

    /// A name is longer, and so is whatever is hidden once more.
    private static let readableMin = 8

    /// Of digits of base64.
    private static let values: [UInt8] = (UInt8.min...UInt8.max).map { digit in
        switch digit {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): digit - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): digit - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        default: 63
        }
    }

    // MARK: Numbers

    /// Runs of hexadecimal digits, without what is between codes.
    private static func hexadecimalRuns(of bytes: [UInt8]) -> [[UInt8]] {
        let kinds = kinds
        func isA(_ kind: UInt8, _ byte: UInt8) -> Bool { kinds[Int(byte)] & kind != 0 }
        var (runs, run): ([[UInt8]], [UInt8]) = ([], [])
        for byte in bytes {
            if isA(Kind.hexDigit, byte) {
                run.append(byte)
            } else if isA(Kind.separator, byte) {
                // Of `0x`.
                if byte | 0x20 == UInt8(ascii: "x"), run.last == UInt8(ascii: "0") { run.removeLast() }
            } else {
                if run.count >= runMin { runs.append(run) }
                run.removeAll(keepingCapacity: true)
            }
        }
        if run.count >= runMin { runs.append(run) }
        return runs
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var (result, high): ([UInt8], UInt8?) = ([], nil)
        result.reserveCapacity(digits.count / 2)
        for digit in digits {
            let value = hexValue(digit)
            if let first = high { result.append(first << 4 | value) }
            high = high == nil ? value : nil
        }
        return result
    }

    /// Numbers of letters, one after another; a space for a number that is none.
    private static func decimal(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var (value, digits) = (0, 0)
        for byte in bytes + [0x20] {
            if PlainText.isDigit(byte) {
                digits += 1
                if digits <= 3 { value = value * 10 + Int(byte) - 0x30 }
            } else if digits > 0 {
                result.append(digits <= 3 ? UInt8(exactly: value) ?? 0x20 : 0x20)
                (value, digits) = (0, 0)
            }
        }
        return result
    }

    private static func hexValue(_ byte: UInt8) -> UInt8 {
        PlainText.isDigit(byte) ? byte - 0x30 : PlainText.lowered(byte) - UInt8(ascii: "a") + 10
    }

    // MARK: Escapes

    /// With `%5F`, `=5F`, `&#95;`, `&#x5f;`, `&lowbar;`, `\x5f`, `\u005f` and `\u{5F}` as what they stand for.
    private static func unescaped(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            if isA(Kind.mark, bytes[place]), let (value, length) = escape(in: bytes, at: place) {
                if value > 0, value < 0x80 {
                    result.append(UInt8(value))
                } else if let scalar = Unicode.Scalar(value) {
                    result += PlainText.bytes(of: String(scalar))
                }
                place += length
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return result
    }

    /// What an escape stands for, and how long it is.
    private static func escape(in bytes: [UInt8], at place: Int) -> (UInt32, Int)? {
        func next(_ offset: Int) -> UInt8 { place + offset < bytes.count ? bytes[place + offset] : 0 }
        /// With as many digits as there are, up to `most`, and what may end it; or of exactly `most`.
        func number(_ start: Int, most: Int, isHex: Bool = true, end: Character? = nil) -> (UInt32, Int)? {
            var (value, length): (UInt32, Int) = (0, start)
            while length - start < most, isA(isHex ? Kind.hexDigit : Kind.digit, next(length)) {
                value = value * (isHex ? 16 : 10) + UInt32(hexValue(next(length)))
                length += 1
            }
            guard length > start, end != nil || length - start == most else { return nil }
            return (value, end?.asciiValue == next(length) ? length + 1 : length)
        }
        switch (bytes[place], next(1)) {
        case (UInt8(ascii: "&"), UInt8(ascii: "#")):
            return next(2) | 0x20 == UInt8(ascii: "x")
                ? number(3, most: 6, end: ";") : number(2, most: 7, isHex: false, end: ";")
        case (UInt8(ascii: "&"), UInt8(ascii: "l")):
            return bytes[place...].starts(with: lowbar) ? (0x5F, lowbar.count) : nil
        case (UInt8(ascii: "\\"), UInt8(ascii: "u")):
            return next(2) == UInt8(ascii: "{") ? number(3, most: 6, end: "}") : number(2, most: 4)
        case (UInt8(ascii: "\\"), UInt8(ascii: "U")): return number(2, most: 8)
        case (UInt8(ascii: "\\"), UInt8(ascii: "x")), (UInt8(ascii: "%"), UInt8(ascii: "u")):
            return number(2, most: next(1) == UInt8(ascii: "u") ? 4 : 2)
        case (UInt8(ascii: "%"), _), (UInt8(ascii: "="), _): return number(1, most: 2)
        default: return nil
        }
    }

    private static let lowbar = Array("&lowbar;".utf8)
}
