import Testing

@testable import Search

@Suite("Words")
struct WordAnalyzerTests {
    @Test(
        "English words are reduced to their stems",
        arguments: [
            "consign consigned consigning consignment", "knack knacks", "run running runs",
            "fish fished fishing fishes", "argue argued argues arguing", "happy happiness",
            "relate related relating relation relational", "discover discovered discovering discovers",
        ].map { $0.split(separator: " ").map(String.init) }
    )
    func stems(_ words: [String]) {
        let stems = Set(words.map(EnglishStemmer.stem))
        #expect(stems.count == 1, "\(stems)")
    }

    /// From the table of samples at snowballstem.org/algorithms/english/stemmer.html, and the special cases there.
    @Test(
        "stems are those of the published algorithm",
        arguments: [
            ("consistency", "consist"), ("consolation", "consol"), ("conspicuously", "conspicu"),
            ("conspiracy", "conspiraci"), ("conspirators", "conspir"), ("constables", "constabl"),
            ("knavish", "knavish"),
            ("kneaded", "knead"), ("knell", "knell"), ("knightly", "knight"), ("knotted", "knot"),
            ("skis", "ski"), ("skies", "sky"), ("dying", "die"), ("news", "news"), ("inning", "inning"),
            ("proceeded", "proceed"), ("exceeding", "exceed"), ("succeeds", "succeed"), ("generously", "generous"),
            ("generate", "generat"), ("general", "general"), ("communal", "communal"), ("cry", "cri"), ("by", "by"),
            ("say", "say"), ("hopping", "hop"), ("hoped", "hope"), ("ties", "tie"), ("cries", "cri"), ("gas", "gas"),
            ("this", "this"), ("gaps", "gap"), ("agreed", "agre"), ("falling", "fall"), ("luxuriated", "luxuri"),
            ("sensational", "sensat"), ("rationalization", "ration"), ("controlling", "control"),
            ("filaments", "filament"), ("batteries", "batteri"), ("rusting", "rust"), ("added", "add"),
            ("universal", "universal"), ("university", "universiti"), ("organization", "organiz"), ("yes", "yes"),
            ("youth", "youth"), ("boyish", "boyish"), ("early", "earli"), ("electricity", "electr"),
        ]
    )
    func published(_ word: String, _ stem: String) {
        #expect(EnglishStemmer.stem(word) == stem)
    }

    @Test("what is no English word is its own stem", arguments: ["a", "is", "zürich", "h2o", "1899", "日", "naïve"])
    func others(_ word: String) {
        #expect(EnglishStemmer.stem(word) == word)
    }

    @Test("text is cut at whatever is neither letter nor digit, with places in Unicode scalars")
    func cutting() {
        let words = WordAnalyzer.words(of: "The Café–owner's 😀 H2O, 3.14 m² (1,000)!")
        #expect(words.map(\.folded) == ["the", "cafe", "owner", "h2o", "3.14", "m2", "1000"])
        #expect(words.map(\.range) == [0..<3, 4..<8, 9..<14, 19..<22, 24..<28, 29..<31, 33..<38])
    }

    @Test("apostrophes end a word, and what English hangs on them is left out")
    func apostrophes() {
        #expect(
            WordAnalyzer.words(of: "Earth's don't we’ll O'Neill 'quoted'").map(\.folded)
                == ["earth", "don", "we", "o", "neill", "quoted"]
        )
        #expect(
            WordAnalyzer.words(of: "end. 5. next,now 1.2.3 a.b").map(\.folded)
                == ["end", "5", "next", "now", "1.2.3", "a", "b"]
        )
    }

    @Test("accents, case, compatibility forms and soft hyphens make no difference")
    func folding() {
        for text in ["ÉCLAIR", "éclair", "e\u{301}clair", "ec\u{AD}lair", "ｅclair"] {
            #expect(WordAnalyzer.words(of: text).map(\.folded) == ["eclair"], "\(text)")
        }
    }

    @Test("ideographs and kana are words of one character")
    func ideographs() {
        #expect(WordAnalyzer.words(of: "東京タワーtower").map(\.folded).count == 6)
        #expect(WordAnalyzer.words(of: "東京").map(\.range) == [0..<1, 1..<2])
    }

    @Test("a query is its telling words, each once; or all of them, when it has none")
    func queries() {
        #expect(WordAnalyzer.queryStems(of: "What is the named element of the named?") == ["name", "element"])
        #expect(WordAnalyzer.queryStems(of: "to be or not to be") == ["to", "be", "or", "not"])
        #expect(WordAnalyzer.queryStems(of: "  ?! ").isEmpty)
    }

    @Test("very long words are cut")
    func long() {
        let words = WordAnalyzer.words(of: String(repeating: "x", count: 1_000) + " y")
        #expect(words.map(\.folded.count) == [WordAnalyzer.scalarsPerWord, 1])
        #expect(words[0].range == 0..<1_000)
    }

    @Test("packed words come back as they were")
    func packing() throws {
        let counts = WordAnalyzer.counts(of: "a rose is a rose, 東京 café " + String(repeating: "z", count: 300))
        let terms = try PackedTerms.terms(in: PackedTerms.pack(counts.stems))
        #expect(Set(terms) == Set(counts.stems.keys))
        #expect(counts.stems["rose"] == 2)
        #expect(throws: SearchError.self) { try PackedTerms.terms(in: [5, 1, 2]) }
    }
}
