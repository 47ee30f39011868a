import Domain

/// How well names and descriptions fit a question: words in common, rarer ones counting more. Needs no model, so that it is the
/// same everywhere and costs nothing.
struct Relevance {
    private let question: [String]

    init(_ question: String) {
        var seen: Set<String> = []
        self.question = Self.words(question).filter { seen.insert($0).inserted }
    }

    /// Texts of one place with their weights.
    typealias Document = [(text: String?, weight: Double)]

    /// The places of `documents` in order of fit, the first of equals first.
    func order(_ documents: [Document]) -> [Int] {
        let words = documents.map { document in
            document.map { part in (words: Set(part.text.map(Self.words) ?? []), weight: part.weight) }
        }
        var scores = Array(repeating: 0.0, count: documents.count)
        for word in question {
            let fits = words.map { parts in
                parts.reduce(0.0) { best, part in max(best, part.weight * Self.fit(word, part.words)) }
            }
            let found = fits.count { $0 > 0 }
            let rarity = 1 + Double(documents.count) / Double(found + 1)
            for place in scores.indices { scores[place] += fits[place] * Self.logarithm(rarity) }
        }
        return scores.indices.sorted { scores[$0] != scores[$1] ? scores[$0] > scores[$1] : $0 < $1 }
    }

    /// 1 for the same word, less for one that begins alike or is spelt nearly so.
    private static func fit(_ word: String, _ words: Set<String>) -> Double {
        if words.contains(word) { return 1 }
        var best = 0.0
        for other in words {
            let common = zip(word.unicodeScalars, other.unicodeScalars).prefix { $0 == $1 }.count
            let longer = max(word.unicodeScalars.count, other.unicodeScalars.count)
            if common >= 4 { best = max(best, 0.8 * Double(common) / Double(longer)) }
        }
        return best
    }

    /// Words of a text, also those that are only told apart by a capital: `dueDate`, `due_date` and `due date` are alike.
    static func words(_ text: String) -> [String] {
        var (words, word, wasLower): ([String], String, Bool) = ([], "", false)
        func close() {
            if !word.isEmpty { words.append(word.lowercased()) }
            word = ""
        }
        for character in text.prefix(4_000) {
            if !character.isLetter, !character.isNumber {
                close()
            } else {
                if character.isUppercase, wasLower { close() }
                word.append(character)
            }
            wasLower = character.isLowercase
        }
        close()
        return words.filter { !plain.contains($0) }
    }

    /// Base 2, good enough for an order.
    private static func logarithm(_ number: Double) -> Double { Double(number.exponent) + number.significand - 1 }

    /// Words that tell nothing of what is asked for.
    private static let plain: Set<String> = [
        "a", "an", "and", "are", "by", "do", "does", "for", "from", "had", "has", "have", "how", "in", "is", "it", "of",
        "on",
        "or", "that", "the", "this", "to", "was", "were", "what", "when", "where", "which", "who", "why", "with",
    ]
}
