import Domain

/// How well a piece of text fits a sentence: by the words they share.
///
/// No meaning, no model: it only chooses among the cells of one record, where sharing words tells enough.
struct SentenceFit: Sendable {
    private let words: Set<String>

    init(_ sentence: String) { words = Self.words(of: sentence) }

    /// Shared words, numbers counting double.
    func score(_ text: String) -> Double {
        words.isEmpty
            ? 0
            : Self.words(of: text).intersection(words).reduce(0) { sum, word in
                sum + (word.utf8.first.map { (0x30...0x39).contains($0) } == true ? 2 : 1)
            }
    }

    /// What an answer says last, in front of a citation: from the end of the sentence before, or from the citation
    /// before, which has its own part of the sentence.
    static func lastStatement(of answer: String) -> String {
        var rest = answer.suffix(1_000)
        var statement = rest
        repeat {
            statement = rest
            if let marker = rest.matches(of: /\[[0-9]{1,4}\]/).last {
                statement = rest[marker.range.upperBound...]
                rest = rest[..<marker.range.lowerBound]
            } else {
                rest = rest[rest.endIndex...]
            }
            // Right behind another citation, it is about the same.
        } while !statement.contains { $0.isLetter || $0.isNumber } && !rest.isEmpty
        while let last = statement.last, last.isWhitespace || ".!?:;,".contains(last) { statement.removeLast() }
        let ends = statement.indices.lazy.filter { index in
            if statement[index].isNewline { return true }
            let next = statement.index(after: index)
            return ".!?".contains(statement[index]) && next < statement.endIndex && statement[next].isWhitespace
        }
        return ends.last.map { String(statement[statement.index(after: $0)...]) } ?? String(statement)
    }

    /// The sentence of `text` that fits best, verbatim; the first of equals. At most `characters` Unicode scalars long.
    func bestSentence(of text: String, characters: Int) -> String {
        var best: (score: Double, sentence: Substring) = (-1, text[...])
        for sentence in Self.sentences(of: text) {
            let score = score(String(sentence))
            if score > best.score { best = (score, sentence) }
        }
        return Self.cut(best.sentence, characters)
    }

    private static func cut(_ sentence: Substring, _ characters: Int) -> String {
        let sentence = String(sentence)
        guard let most = sentence.cut(toScalars: characters) else { return sentence }
        // One more, so that a word that ends right there stays.
        let cut = sentence.cut(toScalars: characters + 1) ?? sentence
        guard let space = cut.lastIndex(where: \.isWhitespace), space > cut.startIndex else { return most }
        return String(cut[..<space])
    }

    /// Pieces of `text` that end with a line or a sentence, without white space around them.
    private static func sentences(of text: String) -> [Substring] {
        var sentences: [Substring] = []
        var start = text.startIndex
        func add(upTo end: String.Index) {
            var piece = text[start..<end]
            while piece.first?.isWhitespace == true { piece.removeFirst() }
            while piece.last?.isWhitespace == true { piece.removeLast() }
            if !piece.isEmpty { sentences.append(piece) }
            start = end
        }
        for index in text.indices {
            let next = text.index(after: index)
            let isEnd = ".!?".contains(text[index]) && (next == text.endIndex || text[next].isWhitespace)
            if isEnd || text[index].isNewline { add(upTo: next) }
        }
        add(upTo: text.endIndex)
        return sentences
    }

    /// Words in lower case, without accents' case and the plural's s; the commonest words say nothing.
    private static func words(of text: String) -> Set<String> {
        var words: Set<String> = []
        for word in text.lowercased().split(whereSeparator: { !$0.isLetter && !$0.isNumber && $0 != "." }) {
            var word = word
            while word.last == "." { word.removeLast() }
            while word.first == "." { word.removeFirst() }
            if word.count > 3, word.last == "s", !word.hasSuffix("ss") { word.removeLast() }
            if !word.isEmpty, !common.contains(String(word)) { words.insert(String(word)) }
        }
        return words
    }

    private static let common: Set<String> = [
        "a", "an", "and", "are", "as", "at", "be", "by", "for", "from", "has", "have", "in", "is", "it", "its", "of",
        "on", "or", "that", "the", "this", "to", "was", "were", "which", "with",
    ]
}
