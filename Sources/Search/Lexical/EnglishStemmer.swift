/// Martin Porter's English stemmer ("Porter2"), as described at snowballstem.org/algorithms/english/stemmer.html.
///
/// Works on one lower-case ASCII word of at least three letters; anything else is its own stem. Step 0
/// (possessives) is left out, since `WordAnalyzer` gives words without apostrophes. `y` that acts as a
/// consonant is marked `Y` inside, as in the description. Regions R1 and R2 are positions in the word.
struct EnglishStemmer {
    private var word: [UInt8]
    private var r1 = 0
    private var r2 = 0

    /// The stem of `word`: `running` and `runs` both give `run`.
    static func stem(_ word: String) -> String {
        let bytes = Array(word.utf8)
        guard bytes.count > 2, bytes.allSatisfy(isLetter) else { return word }
        if let exception = exceptions[word] { return exception }
        var stemmer = EnglishStemmer(bytes)
        return String(decoding: stemmer.run(), as: UTF8.self)
    }

    private init(_ bytes: [UInt8]) {
        word = bytes
    }

    private mutating func run() -> [UInt8] {
        markConsonantY()
        findRegions()
        step1a()
        if Self.invariants.contains(String(decoding: word, as: UTF8.self)) { return lowered() }
        step1b()
        step1c()
        step2()
        step3()
        step4()
        step5()
        return lowered()
    }

    private func lowered() -> [UInt8] { word.map { $0 == Self.consonantY ? UInt8(ascii: "y") : $0 } }

    // MARK: Regions

    private mutating func markConsonantY() {
        for position in word.indices where word[position] == UInt8(ascii: "y") {
            if position == 0 || Self.isVowel(word[position - 1]) { word[position] = Self.consonantY }
        }
    }

    private mutating func findRegions() {
        r1 = word.count
        let prefix = Self.prefixes.first { starts(with: $0) }
        if let prefix { r1 = prefix.utf8.count } else { r1 = region(after: 0) }
        r2 = region(after: r1)
    }

    /// The position after the first non-vowel that follows a vowel, from `start`.
    private func region(after start: Int) -> Int {
        var position = start
        while position < word.count, !Self.isVowel(word[position]) { position += 1 }
        while position < word.count, Self.isVowel(word[position]) { position += 1 }
        return min(position + 1, word.count)
    }

    // MARK: Steps

    private mutating func step1a() {
        if ends(with: "sses") {
            remove(2)
        } else if ends(with: "ied") || ends(with: "ies") {
            remove(word.count > 4 ? 2 : 1)
        } else if ends(with: "us") || ends(with: "ss") {
            return
        } else if ends(with: "s"), word.count > 2, word[..<(word.count - 2)].contains(where: Self.isVowel) {
            remove(1)
        }
    }

    private mutating func step1b() {
        if ends(with: "eedly") {
            if isInR1(5) { replace(5, with: "ee") }
            return
        }
        if ends(with: "eed") {
            if isInR1(3) { replace(3, with: "ee") }
            return
        }
        let suffix = ["ingly", "edly", "ing", "ed"].first { ends(with: $0) }
        guard let count = suffix?.utf8.count, word.dropLast(count).contains(where: Self.isVowel) else { return }
        remove(count)
        if ends(with: "at") || ends(with: "bl") || ends(with: "iz") {
            word.append(UInt8(ascii: "e"))
        } else if endsWithDouble {
            // "add", "egg", "odd" and their like are whole words.
            let isWord = word.count == 3 && "aeo".utf8.contains(word[0])
            if !isWord { remove(1) }
        } else if isShort {
            word.append(UInt8(ascii: "e"))
        }
    }

    private mutating func step1c() {
        guard word.count > 2, let last = word.last, last == UInt8(ascii: "y") || last == Self.consonantY,
            !Self.isVowel(word[word.count - 2])
        else { return }
        word[word.count - 1] = UInt8(ascii: "i")
    }

    private mutating func step2() {
        guard let (suffix, replacement) = Self.step2Suffixes.first(where: { ends(with: $0.0) }) else {
            if ends(with: "ogi"), isInR1(3), word.count > 3, word[word.count - 4] == UInt8(ascii: "l") {
                remove(1)
            } else if ends(with: "li"), isInR1(2), word.count > 2, "cdeghkmnrt".utf8.contains(word[word.count - 3]) {
                remove(2)
            }
            return
        }
        if isInR1(suffix.utf8.count) { replace(suffix.utf8.count, with: replacement) }
    }

    private mutating func step3() {
        guard let (suffix, replacement) = Self.step3Suffixes.first(where: { ends(with: $0.0) }) else { return }
        let count = suffix.utf8.count
        guard isInR1(count) else { return }
        if suffix == "ative" {
            if isInR2(count) { remove(count) }
        } else {
            replace(count, with: replacement)
        }
    }

    private mutating func step4() {
        guard let suffix = Self.step4Suffixes.first(where: { ends(with: $0) }) else { return }
        let count = suffix.utf8.count
        guard isInR2(count) else { return }
        if suffix == "ion" {
            let before = word.dropLast(count).last
            guard before == UInt8(ascii: "s") || before == UInt8(ascii: "t") else { return }
        }
        remove(count)
    }

    private mutating func step5() {
        if word.last == UInt8(ascii: "e") {
            if isInR2(1) || (isInR1(1) && !endsWithShortSyllable(dropping: 1)) { remove(1) }
        } else if word.last == UInt8(ascii: "l") {
            if isInR2(1), word.count > 1, word[word.count - 2] == UInt8(ascii: "l") { remove(1) }
        }
    }

    // MARK: Predicates

    private func isInR1(_ count: Int) -> Bool { word.count - count >= r1 }
    private func isInR2(_ count: Int) -> Bool { word.count - count >= r2 }

    private var isShort: Bool { r1 >= word.count && endsWithShortSyllable(dropping: 0) }

    private var endsWithDouble: Bool {
        guard word.count > 1, word[word.count - 1] == word[word.count - 2] else { return false }
        return "bdfgmnprt".utf8.contains(word[word.count - 1])
    }

    /// A vowel followed by a non-vowel other than w, x and Y and preceded by a non-vowel; or a vowel at the start
    /// followed by a non-vowel.
    private func endsWithShortSyllable(dropping count: Int) -> Bool {
        let end = word.count - count
        if end == 2 { return Self.isVowel(word[0]) && !Self.isVowel(word[1]) }
        guard end > 2 else { return false }
        let last = word[end - 1]
        guard !Self.isVowel(last), last != UInt8(ascii: "w"), last != UInt8(ascii: "x"), last != Self.consonantY
        else { return false }
        return Self.isVowel(word[end - 2]) && !Self.isVowel(word[end - 3])
    }

    private func starts(with prefix: String) -> Bool { word.starts(with: prefix.utf8) }

    private func ends(with suffix: String) -> Bool {
        let suffix = suffix.utf8
        return word.count >= suffix.count && word[(word.count - suffix.count)...].elementsEqual(suffix)
    }

    private mutating func remove(_ count: Int) { word.removeLast(count) }

    private mutating func replace(_ count: Int, with text: String) {
        word.removeLast(count)
        word.append(contentsOf: text.utf8)
    }

    private static let consonantY = UInt8(ascii: "Y")

    private static func isLetter(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") }

    private static func isVowel(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a"), UInt8(ascii: "e"), UInt8(ascii: "i"), UInt8(ascii: "o"), UInt8(ascii: "u"),
            UInt8(ascii: "y"):
            true
        default: false
        }
    }

    // MARK: Tables (longest suffix first)

    /// Beginnings after which R1 starts, whatever the vowels say.
    private static let prefixes = [
        "gener", "commun", "arsen", "past", "univers", "later", "emerg", "organ", "inter",
    ]

    private static let step2Suffixes: [(String, String)] = [
        ("ational", "ate"), ("fulness", "ful"), ("iveness", "ive"), ("ization", "ize"), ("ousness", "ous"),
        ("biliti", "ble"), ("lessli", "less"), ("tional", "tion"), ("alism", "al"), ("aliti", "al"), ("ation", "ate"),
        ("entli", "ent"), ("fulli", "ful"), ("iviti", "ive"), ("ousli", "ous"), ("abli", "able"), ("alli", "al"),
        ("anci", "ance"), ("ator", "ate"), ("enci", "ence"), ("izer", "ize"), ("bli", "ble"),
    ]

    private static let step3Suffixes: [(String, String)] = [
        ("ational", "ate"), ("tional", "tion"), ("alize", "al"), ("ative", ""), ("icate", "ic"), ("iciti", "ic"),
        ("ical", "ic"), ("ness", ""), ("ful", ""),
    ]

    private static let step4Suffixes = [
        "ement", "able", "ance", "ence", "ible", "ment", "ant", "ate", "ent", "ion", "ism", "iti", "ive", "ize", "ous",
        "al", "er", "ic",
    ]

    private static let exceptions = [
        "skis": "ski", "skies": "sky", "dying": "die", "lying": "lie", "tying": "tie", "idly": "idl",
        "gently": "gentl", "ugly": "ugli", "early": "earli", "only": "onli", "singly": "singl", "sky": "sky",
        "news": "news", "howe": "howe", "atlas": "atlas", "cosmos": "cosmos", "bias": "bias", "andes": "andes",
    ]

    private static let invariants: Set<String> = [
        "inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed",
    ]
}
