import Domain

/// A short piece of a record that shows why it was found, with the matching words marked.
///
/// All positions are Unicode scalars ("code points", as Python counts; in JavaScript `Array.from(snippet)`).
struct Snippet: Sendable, Hashable {
    struct Highlight: Sendable, Hashable {
        let field: FieldID
        /// In Unicode scalars of `text`.
        let range: Range<Int>
    }

    /// The field that the text is from; of a short group, the one with most matches, else the primary field.
    let field: FieldID
    let text: String
    /// Ascending, not overlapping.
    let highlights: [Highlight]

    /// Unicode scalars of a snippet, about; an ellipsis at either end is not counted.
    static let scalarsMax = 240

    /// Cuts the piece of `group` within `range` that has most of `stems` in it.
    init(of group: GroupText, range: Range<Int>, stems: Set<String>, primary: FieldID) {
        let scalars = Array(group.text.unicodeScalars)
        let range = range.clamped(to: 0..<scalars.count)
        switch group.group {
        case .long(let field): self = Self.piece(of: scalars, range: range, field: field, stems: stems)
        case .short: self = Self.lines(of: group, scalars, range: range, stems: stems, primary: primary)
        }
    }

    private init(field: FieldID, text: String, highlights: [Highlight]) {
        self.field = field
        self.text = text
        self.highlights = highlights
    }

    // MARK: Long texts

    private static func piece(
        of scalars: [Unicode.Scalar],
        range: Range<Int>,
        field: FieldID,
        stems: Set<String>
    ) -> Snippet {
        let range = widened(range, in: scalars.count)
        let words = WordAnalyzer.words(of: string(scalars[range])).filter { stems.contains($0.stem) }
        let window = window(range.count, words: words)
        let whole = 0..<scalars.count
        let start = snapped(window.lowerBound + range.lowerBound, in: scalars, range: whole, forward: true)
        let end = max(start, snapped(window.upperBound + range.lowerBound, in: scalars, range: whole, forward: false))
        var text = String.UnicodeScalarView()
        if start > 0 { text.append("…") }
        let shift = text.count - start
        text.append(contentsOf: scalars[start..<end])
        if end < scalars.count { text.append("…") }
        let highlights = words.compactMap { word -> Highlight? in
            let place = (word.range.lowerBound + range.lowerBound)..<(word.range.upperBound + range.lowerBound)
            guard place.lowerBound >= start, place.upperBound <= end else { return nil }
            return Highlight(field: field, range: (place.lowerBound + shift)..<(place.upperBound + shift))
        }
        return Snippet(field: field, text: flattened(text), highlights: highlights)
    }

    /// A passage with what stands around it, as far as a snippet has room: more of what follows than of what precedes.
    private static func widened(_ range: Range<Int>, in count: Int) -> Range<Int> {
        let room = scalarsMax - range.count
        if room <= 0 { return range }
        let end = min(count, max(range.upperBound + room * 2 / 3, min(scalarsMax, count)))
        return max(0, end - scalarsMax)..<end
    }

    /// The run of `scalarsMax` with most different matches, then most matches, then earliest; a little before
    /// the first.
    private static func window(_ length: Int, words: [WordAnalyzer.Word]) -> Range<Int> {
        guard length > scalarsMax else { return 0..<length }
        var best = (distinct: 0, count: 0, start: 0)
        for (position, first) in words.enumerated() {
            let inside = words[position...].prefix { $0.range.upperBound <= first.range.lowerBound + scalarsMax - 40 }
            let found = (distinct: Set(inside.map(\.stem)).count, count: inside.count, start: first.range.lowerBound)
            if (found.distinct, found.count) > (best.distinct, best.count) { best = found }
        }
        let start = max(0, min(best.start - 40, length - scalarsMax))
        return start..<(start + scalarsMax)
    }

    /// Moves a cut to a place between words, inwards, if there is one near.
    private static func snapped(_ cut: Int, in scalars: [Unicode.Scalar], range: Range<Int>, forward: Bool) -> Int {
        if cut <= range.lowerBound || cut >= range.upperBound { return cut }
        for distance in 0..<30 {
            let place = forward ? cut + distance : cut - distance
            guard place > range.lowerBound, place < range.upperBound else { return cut }
            let isSpace = scalars[forward ? place - 1 : place].properties.isWhitespace
            if isSpace { return place }
        }
        return cut
    }

    // MARK: Short fields

    private static func lines(
        of group: GroupText,
        _ scalars: [Unicode.Scalar],
        range: Range<Int>,
        stems: Set<String>,
        primary: FieldID
    ) -> Snippet {
        var counts: [FieldID: Int] = [:]
        let lines = group.lines.compactMap { line -> (field: FieldID, text: String, words: [WordAnalyzer.Word])? in
            let place = line.range.clamped(to: range)
            if place.isEmpty { return nil }
            let text = string(scalars[place])
            let words = WordAnalyzer.words(of: text).filter { stems.contains($0.stem) }
            counts[line.field] = Set(words.map(\.stem)).count
            return (line.field, text, words)
        }
        let matching = lines.indices.filter { !lines[$0].words.isEmpty }
        let shown = choose(lines.map { $0.text.unicodeScalars.count }, preferring: matching)
        var text = String.UnicodeScalarView()
        var highlights: [Highlight] = []
        for position in shown {
            if !text.isEmpty { text.append(contentsOf: " · ".unicodeScalars) }
            let start = text.count
            let line = lines[position]
            let room = max(0, scalarsMax - start)
            let piece = line.text.unicodeScalars.prefix(shown.count == 1 ? scalarsMax : max(room, 20))
            text.append(contentsOf: piece)
            for word in line.words where word.range.upperBound <= piece.count {
                let place = (start + word.range.lowerBound)..<(start + word.range.upperBound)
                highlights.append(Highlight(field: line.field, range: place))
            }
            if piece.count < line.text.unicodeScalars.count { text.append("…") }
        }
        let field = group.lines.map(\.field).max { counts[$0, default: 0] < counts[$1, default: 0] }
        let best = field.flatMap { counts[$0, default: 0] > 0 ? $0 : nil } ?? primary
        return Snippet(field: best, text: flattened(text), highlights: highlights)
    }

    /// Lines to show, in order: the first, those that match, then others while there is room.
    private static func choose(_ lengths: [Int], preferring matching: [Int]) -> [Int] {
        var chosen: Set<Int> = []
        var total = 0
        for position in [0] + matching + Array(lengths.indices) where lengths.indices.contains(position) {
            if chosen.contains(position) { continue }
            guard chosen.isEmpty || total + lengths[position] + 3 <= scalarsMax else { continue }
            chosen.insert(position)
            total += lengths[position] + 3
        }
        return chosen.sorted()
    }

    // MARK: Private

    private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// Line ends and tabs as spaces, scalar by scalar, so that positions stay right.
    private static func flattened(_ text: String.UnicodeScalarView) -> String {
        var view = String.UnicodeScalarView()
        for scalar in text { view.append(scalar.properties.isWhitespace ? " " : scalar) }
        return String(view)
    }
}
