import Domain
import Foundation

/// Finds names of tools in text, however they are hidden, in time that grows with the text.
///
/// Known are names spelled out, with letters of other alphabets that look alike, marks on letters, `-` for `_`, or characters
/// that do not show between them; turned round; moved by 13 letters; in base64, hexadecimal or decimal codes, with escapes of
/// URLs, HTML and programs; two of these in one another; and cut in two between values, records or answers. Not known are
/// names that are only meant: an order in words alone, in whatever language, is one that no list of names finds.
struct OrderText: Sendable {
    /// The last bytes of what stood in each place.
    struct Ends: Sendable {
        fileprivate var texts: [String: [UInt8]] = [:]
    }

    /// In lower case, with `_`; as they are, turned round, and both moved by 13.
    private let names: [(letters: [UInt8], underscore: Int)]
    private let lengthMax: Int

    init(names: [String]) {
        let plain = names.map { Array($0.utf8) }
        let all = plain + plain.map { $0.reversed() }
        self.names = (all + all.map { $0.map(Self.moved) }).compactMap { name in
            name.firstIndex(of: UInt8(ascii: "_")).map { (name, $0) }
        }
        lengthMax = plain.map(\.count).max() ?? 0
    }

    /// Whether an order stands in it.
    ///
    /// - Parameter ends: of what was shown before; of this afterwards.
    func isOrder(_ shown: JSONValue, after ends: inout Ends) -> Bool {
        // What belongs together may stand in the same member of many objects, or in one value after another.
        var joined = ends.texts
        // What stands alone was looked at by itself.
        var pieces = joined.mapValues { _ in 1 }
        var found = false
        func visit(_ value: JSONValue, _ place: String) {
            switch value {
            case .string(let text):
                let bytes = Self.plain(text)
                if !found { found = isNamed(in: bytes, depth: 0) }
                guard !found, !Self.isIdentifier(bytes) else { return }
                for place in place.isEmpty ? [""] : ["", place] {
                    joined[place, default: []] += bytes
                    pieces[place, default: 0] += 1
                }
            case .array(let elements): for element in elements where !found { visit(element, place) }
            case .object(let members):
                for (key, value) in members where !found {
                    found = isNamed(in: Self.plain(key), depth: 0)
                    visit(value, key)
                }
            case .null, .bool, .number: break
            }
        }
        visit(shown, "")
        if !found { found = joined.contains { pieces[$0.key] ?? 0 > 1 && isNamed(in: $0.value, depth: 0) } }
        ends.texts = [:]
        for (place, text) in joined.prefix(Self.endsMax) { ends.texts[place] = text.suffix(lengthMax) }
        ends.texts[""] = joined[""].map { $0.suffix(lengthMax) }
        return found
    }

    private static let endsMax = 64

    // MARK: Plain text

    /// Without what does not show or only looks different; ASCII letters as they are, for base64 tells them apart.
    private static func plain(_ text: String) -> [UInt8] {
        if text.utf8.allSatisfy({ $0 < 0x80 }) { return Array(text.utf8) }
        var bytes: [UInt8] = []
        for scalar in text.decomposedStringWithCompatibilityMapping.unicodeScalars {
            if scalar.value < 0x80 {
                bytes.append(UInt8(scalar.value))
            } else if let twin = twins[scalar] {
                bytes.append(twin)
            } else if !HiddenText.isHidden(scalar), scalar.properties.generalCategory != .nonspacingMark {
                bytes += Array(String(scalar).utf8)
            }
        }
        return bytes
    }

    /// Letters that look like those of names.
    private static let twins: [Unicode.Scalar: UInt8] = {
        let pairs = zip(
            "аеорсутхіѕԁһјкмпвիոսцոαεορτυινμκχϲⅼᴀᴄᴅᴇᴍᴏᴘʀᴛᴜ‿⁀ˍ‐‑‒–−",
            "aeopcytxisdhjkmnbinuunaeoptuivmkxclacdemoprtu___-----"
        )
        return Dictionary(
            pairs.compactMap { look, letter in
                letter.asciiValue.flatMap { value in look.unicodeScalars.first.map { ($0, value) } }
            },
            uniquingKeysWith: { first, _ in first }
        )
    }()

    /// Records have one between any two values.
    private static func isIdentifier(_ bytes: [UInt8]) -> Bool {
        bytes.count == 17 && bytes.allSatisfy { isLetter($0) || isDigit($0) }
            && ["rec", "tbl", "app", "fld", "viw", "com", "att", "usr"].contains { bytes.starts(with: $0.utf8) }
    }

    // MARK: Names

    private func isNamed(in bytes: [UInt8], depth: Int) -> Bool {
        let isSpelled = bytes.withUnsafeBufferPointer { bytes in
            for place in bytes.indices where bytes[place] == UInt8(ascii: "_") || bytes[place] == UInt8(ascii: "-") {
                for name in names where Self.stands(name.letters, name.underscore, at: place, in: bytes) { return true }
            }
            return false
        }
        if isSpelled { return true }
        guard depth < 2, bytes.count >= Self.encodedMin else { return false }
        return decodings(of: bytes).contains { isNamed(in: $0, depth: depth + 1) }
    }

    /// Whether a name whose underscore is at `place` stands there.
    private static func stands(
        _ name: [UInt8],
        _ underscore: Int,
        at place: Int,
        in bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let start = place - underscore
        guard start >= 0, start + name.count <= bytes.count else { return false }
        for index in name.indices where index != underscore && lowered(bytes[start + index]) != name[index] {
            return false
        }
        return true
    }

    // MARK: Codes

    /// Shorter runs hold no name.
    private static let encodedMin = 16

    private func decodings(of bytes: [UInt8]) -> [[UInt8]] {
        var results: [[UInt8]] = []
        if let text = Self.unescaped(bytes) { results.append(text) }
        for run in Self.base64Runs(of: bytes) {
            // What stands before it without a gap may be of the same letters.
            for offset in 0..<4 { results.append(Self.base64(run.dropFirst(offset))) }
        }
        for run in Self.hexadecimalRuns(of: bytes) {
            for offset in 0..<2 { results.append(Self.hexadecimal(run.dropFirst(offset))) }
        }
        if let text = Self.decimal(bytes) { results.append(text) }
        return results
    }

    /// Runs of hexadecimal digits, without what is between codes.
    private static func hexadecimalRuns(of bytes: [UInt8]) -> [[UInt8]] {
        var (runs, run): ([[UInt8]], [UInt8]) = ([], [])
        for byte in bytes {
            if hexValue(byte) != nil {
                run.append(byte)
            } else if isSeparator(byte) {
                // Of `0x`.
                if byte | 0x20 == UInt8(ascii: "x"), run.last == UInt8(ascii: "0") { run.removeLast() }
            } else {
                if run.count >= encodedMin { runs.append(run) }
                run.removeAll(keepingCapacity: true)
            }
        }
        return run.count >= encodedMin ? runs + [run] : runs
    }

    /// Runs of base64, lines put together. Words are shorter.
    private static func base64Runs(of bytes: [UInt8]) -> [[UInt8]] {
        var runs: [[UInt8]] = []
        var isGoingOn = false
        var rest = bytes[...]
        while let start = rest.firstIndex(where: isBase64) {
            let isNext = rest[..<start].allSatisfy(isSpace)
            let run = rest[start...].prefix { isBase64($0) }
            if isGoingOn, isNext, let last = runs.indices.last {
                runs[last] += run
            } else if run.count >= encodedMin {
                runs.append(Array(run))
            }
            isGoingOn = run.count >= encodedMin
            rest = rest[run.endIndex...]
        }
        return runs
    }

    private static func base64(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(digits.count * 3 / 4)
        var (bits, count): (UInt32, Int) = (0, 0)
        for digit in digits {
            let value: UInt8
            switch digit {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): value = digit - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): value = digit - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = digit - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): value = 62
            default: value = 63
            }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return result
    }

    private static func hexadecimal(_ digits: ArraySlice<UInt8>) -> [UInt8] {
        var (result, high): ([UInt8], UInt8?) = ([], nil)
        for digit in digits {
            guard let value = hexValue(digit) else { continue }
            if let first = high { result.append(first << 4 | value) }
            high = high == nil ? value : nil
        }
        return result
    }

    /// Numbers of letters, one after another.
    private static func decimal(_ bytes: [UInt8]) -> [UInt8]? {
        let numbers = bytes.split { !isDigit($0) }
        guard numbers.count >= encodedMin / 2 else { return nil }
        return numbers.compactMap { digits in
            digits.count <= 3 ? UInt8(exactly: digits.reduce(0) { $0 * 10 + Int($1) - 0x30 }) ?? 0x20 : 0x20
        }
    }

    /// With `%5F`, `=5F`, `&#95;`, `&#x5f;`, `&lowbar;`, `\x5f`, `\u005f` and `\u{5F}` as what they stand for; nil without any.
    private static func unescaped(_ bytes: [UInt8]) -> [UInt8]? {
        guard bytes.contains(where: { marks.contains($0) }) else { return nil }
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.first {
            if marks.contains(byte), let (value, length) = escape(rest) {
                if value > 0, value < 0x80 {
                    result.append(UInt8(value))
                } else if let scalar = Unicode.Scalar(value) {
                    result += plain(String(scalar))
                }
                rest = rest.dropFirst(length)
            } else {
                result.append(byte)
                rest = rest.dropFirst()
            }
        }
        return result
    }

    private static let marks = Set("%=&\\".utf8)

    /// What an escape at the beginning stands for, and how long it is.
    private static func escape(_ text: ArraySlice<UInt8>) -> (UInt32, Int)? {
        let lowbar = Array("&lowbar;".utf8)
        if text.starts(with: lowbar) { return (0x5F, lowbar.count) }
        for (mark, digitsMax, isHex, end) in forms where text.starts(with: mark) {
            let digits = text.dropFirst(mark.count).prefix(digitsMax).prefix {
                isHex ? hexValue($0) != nil : isDigit($0)
            }
            guard !digits.isEmpty, end != nil || digits.count == digitsMax else { continue }
            let value = digits.reduce(UInt32(0)) { $0 * (isHex ? 16 : 10) + UInt32(hexValue($1) ?? 0) }
            let hasEnd = end != nil && text.dropFirst(mark.count + digits.count).first == end
            return (value, mark.count + digits.count + (hasEnd ? 1 : 0))
        }
        return nil
    }

    private static let forms: [(mark: [UInt8], digitsMax: Int, isHex: Bool, end: UInt8?)] = {
        let semicolon = UInt8(ascii: ";")
        return [
            (Array("&#x".utf8), 6, true, semicolon), (Array("&#X".utf8), 6, true, semicolon),
            (Array("&#".utf8), 7, false, semicolon), (Array("\\u{".utf8), 6, true, UInt8(ascii: "}")),
            (Array("\\u".utf8), 4, true, nil), (Array("\\U".utf8), 8, true, nil), (Array("\\x".utf8), 2, true, nil),
            (Array("%u".utf8), 4, true, nil), (Array("%".utf8), 2, true, nil), (Array("=".utf8), 2, true, nil),
        ]
    }()

    // MARK: Bytes

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    private static func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(lowered(byte)) }
    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    /// Between hexadecimal codes.
    private static func isSeparator(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ":"), UInt8(ascii: ","), UInt8(ascii: "-"), UInt8(ascii: "x"), UInt8(ascii: "X"),
            UInt8(ascii: "\\"):
            true
        default: isSpace(byte)
        }
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: isLetter(byte) || isDigit(byte)
        }
    }

    private static func lowered(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private static func moved(_ byte: UInt8) -> UInt8 {
        (0x61...0x7A).contains(byte) ? (byte - 0x61 + 13) % 26 + 0x61 : byte
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x41 + 10
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }
}
