import Domain

/// Walks through the text of a date, in moment.js's forgiving way: what is sought is looked for from the present place
/// on, and what lies before it is skipped.
struct DateScanner {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    /// - Precondition: the text has at most `Limits.formulaDateTextBytes`; each look takes time in its length.
    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The next number, of so many digits at most; with `isSigned` also with a sign before it.
    mutating func number(digits: Int, isSigned: Bool = false) -> (value: Int, digits: Int)? {
        guard var end = firstIndex(where: { $0.isDecimalDigit }) else { return nil }
        let first = end
        var value = 0
        // Nineteen digits don't fit; a number that long is no part of a date.
        while end < scalars.count, end - first < min(digits, 18), let digit = scalars[end].decimalDigit {
            value = value * 10 + digit
            end += 1
        }
        let isNegative = isSigned && first > position && scalars[first - 1] == "-"
        position = end
        return (isNegative ? -value : value, end - first)
    }

    /// The digits of a fraction as milliseconds: `5` is 500.
    mutating func fraction(digits: Int) -> Int? {
        guard let (value, count) = number(digits: min(digits, 9)) else { return nil }
        var (value3, count3) = (value, count)
        while count3 > 3 { (value3, count3) = (value3 / 10, count3 - 1) }
        while count3 < 3 { (value3, count3) = (value3 * 10, count3 + 1) }
        return value3
    }

    /// Goes behind the next place where this text stands; stays where there is none.
    mutating func skip(_ literal: String) {
        let sought = Array(literal.unicodeScalars)
        guard !sought.isEmpty, scalars.count - position >= sought.count else { return }
        for start in position...(scalars.count - sought.count)
        where scalars[start..<start + sought.count].elementsEqual(sought) {
            position = start + sought.count
            return
        }
    }

    /// The next word, taken as a name: its number among `names`, of which the longest that it begins with counts,
    /// without regard to case. `.none` when there is no word; nil within when it is no name.
    mutating func name(of names: NameTable) -> Int?? {
        guard let start = firstIndex(where: { $0.isLetter || $0.isDecimalDigit }) else { return .none }
        // Names may begin with a digit: `3月`.
        if let found = match(names, at: start) { return found }
        guard let letter = firstIndex(where: \.isLetter) else { return .none }
        if letter > start, let found = match(names, at: letter) { return found }
        return .some(nil)
    }

    private mutating func match(_ names: NameTable, at start: Int) -> Int? {
        guard let found = names.longest(scalars[start...]) else { return nil }
        position = start + found.length
        // The rest of the word belongs to it: `Sept` is September.
        while position < scalars.count, scalars[position].isLetter || scalars[position] == "." { position += 1 }
        return found.number
    }

    /// Whether the half of the day named next is the second, by its name or its first letter in English; nil when
    /// none is named.
    mutating func isAfternoon(_ halves: NameTable) -> Bool? {
        for start in position..<scalars.count {
            if let half = halves.longest(scalars[start...]) {
                position = start + half.length
                return half.number == 1
            }
            let letter = scalars[start].folded
            guard letter == "a" || letter == "p" else { continue }
            position = start + 1
            while position < scalars.count, scalars[position] == "." || scalars[position].folded == "m" {
                position += 1
            }
            return letter == "p"
        }
        return nil
    }

    /// Seconds east of UTC of the next `Z`, `+01:00`, `+0100` or `+01`.
    mutating func offsetSeconds() -> Int? {
        for start in position..<scalars.count {
            if scalars[start] == "Z" || scalars[start] == "z" {
                position = start + 1
                return 0
            }
            guard scalars[start] == "+" || scalars[start] == "-", let hours = twoDigits(start + 1) else { continue }
            var end = start + 3
            if let minutes = twoDigits(end) ?? (end < scalars.count && scalars[end] == ":" ? twoDigits(end + 1) : nil) {
                end += scalars[end] == ":" ? 3 : 2
                position = end
                return (scalars[start] == "-" ? -1 : 1) * (hours * 3_600 + minutes * 60)
            }
            position = end
            return (scalars[start] == "-" ? -1 : 1) * hours * 3_600
        }
        return nil
    }

    private func twoDigits(_ start: Int) -> Int? {
        guard start + 1 < scalars.count, let ten = scalars[start].decimalDigit,
            let one = scalars[start + 1].decimalDigit
        else { return nil }
        return ten * 10 + one
    }

    private func firstIndex(where isSought: (Unicode.Scalar) -> Bool) -> Int? {
        scalars[position...].firstIndex(where: isSought)
    }
}

/// Names to be found at the start of a text, without regard to case.
struct NameTable: Sendable {
    private let names: [(number: Int, scalars: [Unicode.Scalar])]

    /// - Parameter lists: of the same things, each in their order. A full stop at a name's end may be missing.
    init(_ lists: [[String]]) {
        names = lists.flatMap { list in
            list.enumerated().map { number, name in
                var scalars = name.unicodeScalars.map(\.folded)
                if scalars.last == "." { scalars.removeLast() }
                return (number, scalars)
            }
        }
    }

    /// The longest name that the text begins with; of equals, the first.
    func longest(_ text: ArraySlice<Unicode.Scalar>) -> (number: Int, length: Int)? {
        guard let first = text.first?.folded else { return nil }
        var best: (number: Int, length: Int)?
        for name in names where name.scalars.first == first && name.scalars.count > best?.length ?? 0 {
            guard text.count >= name.scalars.count else { continue }
            if zip(text, name.scalars).allSatisfy({ $0.folded == $1 }) { best = (name.number, name.scalars.count) }
        }
        return best
    }
}

extension Unicode.Scalar {
    /// ASCII's digits only.
    var decimalDigit: Int? { isDecimalDigit ? Int(value) - 0x30 : nil }
    var isDecimalDigit: Bool { (0x30...0x39).contains(value) }
    fileprivate var isLetter: Bool { isASCII ? ("a"..."z").contains(folded) : properties.isAlphabetic }
    /// In lower case, where that is one scalar.
    fileprivate var folded: Unicode.Scalar {
        if isASCII { return ("A"..."Z").contains(self) ? Unicode.Scalar(UInt8(value) + 0x20) : self }
        let lowered = properties.lowercaseMapping.unicodeScalars
        return lowered.count == 1 ? lowered.first ?? self : self
    }
}
