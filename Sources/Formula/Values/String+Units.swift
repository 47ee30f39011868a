// Texts as formulas count them: in UTF-16 units, as JavaScript does. A pair that is cut in two leaves U+FFFD.

extension String {
    /// The units from `start` (at 0) up to `end`, both held within the text.
    func units(from start: Int, to end: Int) -> String {
        let count = utf16.count
        let first = min(max(start, 0), count)
        let last = min(max(end, first), count)
        if first == 0, last == count { return self }
        let lower = utf16.index(utf16.startIndex, offsetBy: first)
        let upper = utf16.index(lower, offsetBy: last - first)
        return String(decoding: utf16[lower..<upper], as: UTF16.self)
    }

    /// Where `needle` is first found at or after `start`, in units from 0.
    func unitOffset(of needle: String, from start: Int) -> Int? {
        guard start <= utf16.count else { return nil }
        if needle.isEmpty { return start }
        let from = utf16.index(utf16.startIndex, offsetBy: start)
        // In the middle of a pair no text can begin: search from behind it.
        let first = from.samePosition(in: unicodeScalars) ?? utf16.index(after: from)
        let bytes = utf8.distance(from: utf8.startIndex, to: first)
        guard let found = byteOffsets(of: needle, from: bytes, limit: 1).first else { return nil }
        return utf16.distance(from: utf16.startIndex, to: utf8.index(utf8.startIndex, offsetBy: found))
    }

    /// Bytes before each occurrence of `needle`, none overlapping; at most `limit`.
    ///
    /// UTF-8 has no text begin within a character, so bytes are compared. O(n + m).
    func byteOffsets(of needle: String, from start: Int = 0, limit: Int = .max) -> [Int] {
        var haystack = self
        var needle = needle
        return haystack.withUTF8 { bytes in
            needle.withUTF8 { ByteSearch.offsets(of: $0, in: bytes, from: start, limit: limit) }
        }
    }

    /// Where `needle` is first found without regard to case, at or after `start`, in units from 0.
    func unitOffsetIgnoringCase(of needle: String, from start: Int) -> Int? {
        guard start <= utf16.count else { return nil }
        if needle.isEmpty { return start }
        let rest = start == 0 ? self : units(from: start, to: utf16.count)
        // Letter by letter, so that a place in the lowered text leads back to one in this.
        let lowered = rest.loweredByScalar
        guard let found = lowered.byteOffsets(of: needle.loweredByScalar, limit: 1).first else { return nil }
        var bytes = 0
        var units = start
        for scalar in rest.unicodeScalars {
            if bytes >= found { break }
            bytes += scalar.properties.lowercaseMapping.utf8.count
            units += scalar.value > 0xFFFF ? 2 : 1
        }
        return units
    }

    private var loweredByScalar: String {
        if utf8.count == utf16.count { return lowercased() }
        return unicodeScalars.reduce(into: "") { $0 += $1.properties.lowercaseMapping }
    }
}
