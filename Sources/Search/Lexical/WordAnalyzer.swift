import Foundation

/// Cuts text into words and reduces them to what is compared: the same for texts, queries and highlights.
///
/// A word is a run of letters and digits: case folded, compatibility forms and accents taken away (`²` is `2`,
/// `é` is `e`), English possessives and contractions cut (`earth's` is `earth`), then stemmed. A decimal point
/// or comma between digits belongs to the number. Ideographs and kana, written without spaces, are words of one
/// character each.
enum WordAnalyzer {
    /// One word of a text.
    struct Word: Equatable {
        /// Folded, not stemmed.
        var folded: String
        /// What is compared.
        var stem: String
        /// Where it stands in the text, in Unicode scalars.
        var range: Range<Int>
    }

    /// Longer words are cut: they are data, not language.
    static let scalarsPerWord = 60

    /// All words of `text`, in order.
    static func words(of text: String) -> [Word] {
        var scanner = WordScanner()
        var position = 0
        for scalar in text.unicodeScalars {
            scanner.take(scalar, at: position)
            position += 1
        }
        return scanner.finish(at: position)
    }

    /// How often each stem occurs in `text`.
    static func counts(of text: String) -> WordCounts {
        var stems: [String: Int] = [:]
        let words = words(of: text)
        for word in words { stems[word.stem, default: 0] += 1 }
        return WordCounts(stems: stems, total: words.count)
    }

    /// The distinct stems a query asks for: without stop words, unless it has nothing else.
    static func queryStems(of query: String) -> [String] {
        let words = words(of: query)
        let telling = words.filter { !StopWords.contains($0.folded) }
        var seen: Set<String> = []
        return (telling.isEmpty ? words : telling).map(\.stem).filter { seen.insert($0).inserted }
    }

    /// Lower case without accents and compatibility forms; empty when nothing is left.
    static func fold(_ word: String) -> String {
        if word.utf8.allSatisfy({ $0 < 0x80 }) { return word.lowercased() }
        var folded = String.UnicodeScalarView()
        for scalar in word.lowercased().decomposedStringWithCompatibilityMapping.unicodeScalars
        where scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
            folded.append(scalar)
        }
        // Compatibility forms may be longer than what they stand for.
        return String(String.UnicodeScalarView(folded.prefix(scalarsPerWord))).lowercased()
    }
}

/// The words of one text, counted.
struct WordCounts: Sendable, Hashable {
    var stems: [String: Int]
    /// All words, not only different ones.
    var total: Int
}

/// The state of cutting one text.
private struct WordScanner {
    private var words: [WordAnalyzer.Word] = []
    private var current = String.UnicodeScalarView()
    private var start = 0
    private var previous: Unicode.Scalar = " "
    /// An apostrophe, point or comma after the current word, which belongs to it only if the next scalar says so.
    private var joint: (scalar: Unicode.Scalar, position: Int)?
    /// Whether the current word is what follows an apostrophe.
    private var isAfterApostrophe = false

    mutating func take(_ scalar: Unicode.Scalar, at position: Int) {
        switch ScalarClass(scalar) {
        case .word:
            resolveJoint(next: scalar)
            if current.isEmpty { start = position }
            current.append(scalar)
        case .single:
            endWord(at: joint?.position ?? position)
            start = position
            current.append(scalar)
            endWord(at: position + 1)
        case .mark where !current.isEmpty && joint == nil:
            current.append(scalar)
        case .joint where !current.isEmpty && joint == nil:
            joint = (scalar, position)
            return
        default:
            endWord(at: joint?.position ?? position)
        }
        previous = scalar
    }

    mutating func finish(at position: Int) -> [WordAnalyzer.Word] {
        endWord(at: joint?.position ?? position)
        return words
    }

    private mutating func resolveJoint(next: Unicode.Scalar) {
        guard let joint else { return }
        let isNumber = previous.properties.numericType != nil && next.properties.numericType != nil
        if isNumber, joint.scalar == "." || joint.scalar == "," {
            if joint.scalar == "." { current.append(joint.scalar) }
            self.joint = nil
            return
        }
        endWord(at: joint.position)
        isAfterApostrophe = joint.scalar != "." && joint.scalar != ","
    }

    private mutating func endWord(at end: Int) {
        defer {
            current = String.UnicodeScalarView()
            joint = nil
            isAfterApostrophe = false
        }
        guard !current.isEmpty else { return }
        let whole = String(String.UnicodeScalarView(current.prefix(WordAnalyzer.scalarsPerWord)))
        let folded = WordAnalyzer.fold(whole)
        if folded.isEmpty || (isAfterApostrophe && Self.contractions.contains(folded)) { return }
        words.append(WordAnalyzer.Word(folded: folded, stem: EnglishStemmer.stem(folded), range: start..<end))
    }

    /// What English hangs on a word with an apostrophe.
    private static let contractions: Set<String> = ["s", "t", "re", "ve", "ll", "d", "m"]
}

private enum ScalarClass {
    case word, single, mark, joint, other

    init(_ scalar: Unicode.Scalar) {
        let value = scalar.value
        if value < 0x80 {
            switch UInt8(value) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                self = .word
            case UInt8(ascii: "'"), UInt8(ascii: "."), UInt8(ascii: ","): self = .joint
            default: self = .other
            }
            return
        }
        switch value {
        case 0x2019, 0x02BC:
            self = .joint
            return
        case 0xAD, 0x200C, 0x200D:
            // Soft hyphens and joiners are inside words, and are no part of them.
            self = .mark
            return
        default: break
        }
        let properties = scalar.properties
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark: self = .mark
        default:
            if properties.isIdeographic || (0x3041...0x30FF).contains(value) {
                self = .single
            } else {
                self = properties.isAlphabetic || properties.numericType != nil ? .word : .other
            }
        }
    }
}
