/// Cuts a long text into overlapping windows at the best places: between paragraphs, else lines, else sentences, else
/// words.
enum TextWindows {
    /// Sizes in tokens.
    struct Size: Sendable, Hashable {
        /// Tokens of one window at most.
        var tokens = 200
        /// Tokens repeated from the window before: a start is looked for within this range.
        var overlap = 32...40
    }

    /// Windows as ranges of UTF-8 offsets, in order, together covering every token.
    ///
    /// - Parameters:
    ///   - tokens: UTF-8 ranges of the text's tokens, ascending, not overlapping.
    ///   - limit: tokens of one window; `size.tokens` where that is smaller.
    static func cut(_ text: [UInt8], tokens: [Range<Int>], size: Size) -> [Range<Int>] {
        guard let last = tokens.last else { return [] }
        var windows: [Range<Int>] = []
        var start = 0
        while true {
            let full = start + size.tokens
            if full >= tokens.count {
                windows.append(tokens[start].lowerBound..<last.upperBound)
                return windows
            }
            let end = best(in: (start + size.tokens / 2)...full, latest: true) { rank($0, text, tokens) }
            windows.append(tokens[start].lowerBound..<tokens[end - 1].upperBound)
            let earliest = max(start + 1, end - size.overlap.upperBound)
            let latest = max(earliest, end - size.overlap.lowerBound)
            start = best(in: earliest...latest, latest: false) { rank($0, text, tokens) }
        }
    }

    /// Passages of a text that the model could take whole: its sentences, or several together where they are short or
    /// many, as ranges of UTF-8 offsets.
    ///
    /// - Parameters:
    ///   - count: passages at most; the neighbours that are shortest together are joined until it holds.
    ///   - tokensMin: a shorter sentence is joined with its shorter neighbour.
    static func passages(_ text: [UInt8], tokens: [Range<Int>], count: Int, tokensMin: Int) -> [Range<Int>] {
        // Token numbers at which passages begin, and the end.
        var starts = [0]
        for position in tokens.indices.dropFirst() where rank(position, text, tokens) >= .sentence {
            starts.append(position)
        }
        starts.append(tokens.count)
        func length(_ number: Int) -> Int { starts[number + 1] - starts[number] }
        while starts.count > 2 {
            let numbers = 0..<(starts.count - 1)
            let joined: Int
            if numbers.count > count {
                // Never empty: there are two at least.
                joined = numbers.dropLast().min { length($0) + length($0 + 1) < length($1) + length($1 + 1) } ?? 0
            } else if let short = numbers.min(by: { length($0) < length($1) }), length(short) < tokensMin {
                let isLast = short == numbers.upperBound - 1
                joined = short == 0 || (!isLast && length(short + 1) < length(short - 1)) ? short : short - 1
            } else {
                break
            }
            starts.remove(at: joined + 1)
        }
        return zip(starts, starts.dropFirst()).compactMap { start, end in
            start < end ? tokens[start].lowerBound..<tokens[end - 1].upperBound : nil
        }
    }

    /// The position of highest rank; of equals the latest or the earliest.
    private static func best(in positions: ClosedRange<Int>, latest: Bool, rank: (Int) -> BreakRank) -> Int {
        var best = latest ? positions.upperBound : positions.lowerBound
        var bestRank = rank(best)
        let others = latest ? Array(positions.dropLast().reversed()) : Array(positions.dropFirst())
        for position in others {
            let candidate = rank(position)
            if candidate > bestRank { (best, bestRank) = (position, candidate) }
        }
        return best
    }

    private enum BreakRank: Int, Comparable {
        case insideWord, word, sentence, line, paragraph

        static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
    }

    /// How good a place to cut lies before token `position`.
    private static func rank(_ position: Int, _ text: [UInt8], _ tokens: [Range<Int>]) -> BreakRank {
        guard position > 0, position < tokens.count else { return .paragraph }
        let gap = text[
            tokens[position - 1].upperBound..<max(tokens[position - 1].upperBound, tokens[position].lowerBound)
        ]
        let newlines = gap.lazy.filter { $0 == 0x0A }.count
        if newlines > 1 { return .paragraph }
        if newlines == 1 { return .line }
        let before = text[tokens[position - 1].lowerBound..<tokens[position - 1].upperBound]
        if let last = before.last {
            let endsSentence = last == UInt8(ascii: ".") || last == UInt8(ascii: "!") || last == UInt8(ascii: "?")
            if endsSentence, !gap.isEmpty { return .sentence }
            // The ideographic full stop, U+3002, is E3 80 82; no space follows it.
            if last == 0x82, before.suffix(3).elementsEqual([0xE3, 0x80, 0x82]) { return .sentence }
        }
        return gap.isEmpty ? .insideWord : .word
    }
}
