import Domain

/// A question taken apart: which of its words tell what is asked, and of what kind an answer would be.
///
/// English rules of thumb. A question in another language has only content words, and is judged by its meaning.
struct Question: Sendable {
    /// A word that an answer should be about.
    struct Term: Sendable, Hashable {
        let folded: String
        let stem: String
    }

    /// What an answer has to show.
    enum Expectation: Sendable, Hashable {
        case anything, person, time, quantity
    }

    let text: String
    /// Whether it asks, rather than describing what to look for.
    let isAsking: Bool
    /// Distinct, in order, without words that tell nothing.
    let terms: [Term]
    /// Stems of names and numbers: what an answer has to mention as it is.
    let entities: Set<String>
    /// What is asked of something, such as `boiling point` in "the boiling point of neon".
    let attribute: [Term]
    /// Of whom or what it is asked, such as `neon` in "the boiling point of neon".
    let subject: [Term]
    let expectation: Expectation
    /// Words for now, or for a time that is counted from now, which records rarely speak of.
    let moments: [Term]
    /// Whether it asks the one who is to answer, as in "do you like gold?".
    let isPersonal: Bool
    /// All words, in order.
    private let words: [QuestionWord]

    init(_ text: String) {
        self.text = text
        let words = QuestionWord.all(of: text)
        self.words = words
        isAsking = text.contains("?") || Self.isOpened(words)
        var seen: Set<String> = []
        let telling = words.filter { !StopWords.contains($0.folded) }
        terms = (telling.isEmpty ? words : telling).filter { seen.insert($0.stem).inserted }.map(\.term)
        entities = Set(words.enumerated().filter { Self.isEntity($1, at: $0) }.map(\.element.stem))
        attribute = Self.attribute(words).filter { !StopWords.contains($0.folded) }.map(\.term)
        subject = Self.subject(words).map(\.term)
        expectation = Self.expectation(words)
        moments = Self.moments(words).map(\.term)
        isPersonal =
            words.count > 1 && Self.auxiliaries.contains(words[0].folded) && words[1].folded == "you"
    }

    var stems: [String] { terms.map(\.stem) }

    /// The terms that do more than ask: without "how many", "use" and other words that fit everything.
    var telling: [Term] { terms.filter { !Self.weakWords.contains($0.folded) } }

    /// The text without the words whose stems are in `stems`.
    func text(without stems: Set<String>) -> String {
        let scalars = Array(text.unicodeScalars)
        var kept = String.UnicodeScalarView()
        var position = 0
        for word in words where stems.contains(word.stem) {
            kept.append(contentsOf: scalars[position..<max(position, word.range.lowerBound)])
            position = max(position, word.range.upperBound)
        }
        kept.append(contentsOf: scalars[position...])
        return String(kept).split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    // MARK: Private

    private static func isEntity(_ word: QuestionWord, at position: Int) -> Bool {
        if word.folded.contains(where: \.isNumber) { return true }
        return position > 0 && word.isCapitalised && word.folded.count > 1 && !StopWords.contains(word.folded)
    }

    /// `X` of "what is the X of Y", of "Y's X" where Y is a name, and of "how many X".
    private static func attribute(_ words: [QuestionWord]) -> [QuestionWord] {
        if words.count > 3, ["what", "who"].contains(words[0].folded), copulas.contains(words[1].folded) {
            let start = articles.contains(words[2].folded) ? 3 : 2
            if let end = words[start...].firstIndex(where: { ["of", "for"].contains($0.folded) }), end > start {
                return Array(words[start..<end])
            }
        }
        if let owner = words.indices.dropFirst().first(where: { words[$0].isPossessive && words[$0].isCapitalised }) {
            return Array(words[(owner + 1)...].prefix { !StopWords.contains($0.folded) }.prefix(3))
        }
        if words.count > 2, words[0].folded == "how", words[1].folded == "many", !weakWords.contains(words[2].folded) {
            return [words[2]]
        }
        return []
    }

    /// `Y` of "what is the X of Y", of "Y's X", of "how X is Y", of "how many X does Y have" and of "is Y X".
    private static func subject(_ words: [QuestionWord]) -> [QuestionWord] {
        /// The words that name something, up to what is said of it.
        func name(from start: Int) -> [QuestionWord] {
            var name: [QuestionWord] = []
            for word in words[start...] {
                if prepositions.contains(word.folded), !name.isEmpty { break }
                if !StopWords.contains(word.folded) { name.append(word) }
            }
            return name
        }
        guard words.count > 1 else { return [] }
        let (first, second) = (words[0].folded, words[1].folded)
        if ["what", "who"].contains(first), copulas.contains(second),
            let position = words.indices.dropFirst(2).first(where: { ["of", "for"].contains(words[$0].folded) })
        {
            return name(from: position + 1)
        }
        if let owner = words.dropFirst().first(where: { $0.isPossessive && $0.isCapitalised }) { return [owner] }
        if first == "how", quantities.contains(second), words.count > 2 {
            if copulas.contains(words[2].folded) { return name(from: 3) }
            let position = words.indices.dropFirst(2).first {
                ["do", "does", "did", "has", "have"].contains(words[$0].folded)
            }
            guard ["many", "much"].contains(second), let position else { return [] }
            let name = name(from: position + 1)
            // The last word is the verb, as in "how much does gold cost".
            return name.count > 1 && name.last?.range == words.last?.range ? name.dropLast() : name
        }
        return copulas.contains(first) ? Array(name(from: 1).prefix(1)) : []
    }

    private static func moments(_ words: [QuestionWord]) -> [QuestionWord] {
        words.indices.filter { position in
            momentWords.contains(words[position].folded)
                || (position > 0 && nearWords.contains(words[position - 1].folded)
                    && spanWords.contains(words[position].folded))
        }.map { words[$0] }
    }

    private static func expectation(_ words: [QuestionWord]) -> Expectation {
        guard let first = words.first?.folded else { return .anything }
        let second = words.dropFirst().first?.folded ?? ""
        let isQuantity = first == "how" && quantities.contains(second)
        if isQuantity { return .quantity }
        if first == "when" || (["what", "which"].contains(first) && ["year", "date", "day"].contains(second)) {
            return .time
        }
        if first == "in", words.prefix(4).contains(where: { $0.folded == "year" }) { return .time }
        return ["who", "whom", "whose"].contains(first) ? .person : .anything
    }

    /// Whether the first words are those of a question. "What bones are made of" describes: only "what is" asks.
    private static func isOpened(_ words: [QuestionWord]) -> Bool {
        guard let first = words.first?.folded else { return false }
        if auxiliaries.contains(first) || ["who", "whom", "whose", "which"].contains(first) { return true }
        guard ["what", "when", "where", "why", "how"].contains(first), let second = words.dropFirst().first?.folded
        else {
            return false
        }
        return auxiliaries.contains(second) || (first == "how" && (second == "to" || quantities.contains(second)))
    }

    private static let copulas: Set<String> = ["is", "are", "was", "were"]
    private static let auxiliaries = copulas.union([
        "do", "does", "did", "can", "could", "has", "have", "had", "will", "would", "should", "must", "may",
    ])
    private static let articles: Set<String> = ["the", "a", "an"]
    private static let quantities: Set<String> = [
        "many", "much", "tall", "far", "big", "old", "long", "heavy", "dense", "high", "deep", "fast", "large", "hot",
    ]
    private static let prepositions: Set<String> = [
        "in", "on", "at", "by", "with", "from", "per", "to", "into", "for", "when", "that", "which", "who", "during",
        "after", "before", "under", "over",
    ]
    private static let momentWords: Set<String> = [
        "today", "tomorrow", "yesterday", "tonight", "nowadays", "now", "currently",
    ]
    /// Before a span of time they count from now: "next week".
    private static let nearWords: Set<String> = ["this", "next", "last", "coming", "past"]
    private static let spanWords: Set<String> = [
        "day", "week", "weekend", "month", "quarter", "year", "semester", "season", "morning", "evening", "night",
        "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
    ]
    private static let weakWords: Set<String> = Set(
        """
        long many much big far old often tall get getting got give gives given make makes made making use used uses \
        using need needs needed know tell tells say says said take takes come comes call called thing things kind \
        sort type one ones way part person people somebody someone something please new good year time
        """.split(separator: " ").map(String.init)
    )
}

/// A word of a question, with how it was written.
private struct QuestionWord {
    let folded: String
    let stem: String
    let range: Range<Int>
    let isCapitalised: Bool
    let isPossessive: Bool

    var term: Question.Term { Question.Term(folded: folded, stem: stem) }

    static func all(of text: String) -> [QuestionWord] {
        let scalars = Array(text.unicodeScalars)
        let apostrophes: Set<Unicode.Scalar> = ["'", "\u{2019}"]
        return WordAnalyzer.words(of: text).map { word in
            let after = scalars[word.range.upperBound...].prefix(2)
            let isPossessive = after.count == 2 && apostrophes.contains(after[after.startIndex]) && after.last == "s"
            return QuestionWord(
                folded: word.folded,
                stem: word.stem,
                range: word.range,
                isCapitalised: scalars[word.range.lowerBound].properties.isUppercase,
                isPossessive: isPossessive
            )
        }
    }
}
