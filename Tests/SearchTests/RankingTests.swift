import Domain
import Testing

@testable import Search

@Suite("Ranking")
struct RankingTests {
    let records = (0..<4).map { _ in RecordID.random() }.sorted()

    func unit(_ entry: UInt32, _ record: Int, _ cosine: Float?, _ lexical: Float) -> Fusion.Unit {
        Fusion.Unit(
            key: UnitKey(partition: 1, entry: entry),
            record: records[record],
            cosine: cosine,
            lexical: lexical
        )
    }

    @Test("a record's score is its best cosine plus a part of its best share of the best BM25")
    func byScore() {
        let ranked = Fusion.score(lexicalWeight: 0.5).rank([
            unit(0, 0, 0.6, 0), unit(1, 0, 0.2, 5), unit(2, 1, 0.9, 0), unit(3, 2, nil, 10),
        ])
        #expect(ranked.map(\.record) == [records[1], records[0], records[2]])
        #expect(ranked.map(\.score) == [0.9, 0.6 + 0.5 * 0.5, 0.5])
        #expect(ranked[2].cosine == nil)
    }

    @Test("one entry a record, whose unit is the one that says most")
    func bestUnit() {
        let ranked = Fusion.standard.rank([unit(0, 0, 0.5, 0), unit(1, 0, 0.45, 8), unit(2, 1, 0.1, 0)])
        #expect(ranked.count == 2)
        #expect(ranked[0].unit.entry == 1)
        #expect(ranked[0].cosine == 0.5)
    }

    @Test("equal scores go by identifier, and nothing gives nothing")
    func ties() {
        let ranked = Fusion.standard.rank([unit(0, 2, 0.5, 1), unit(1, 0, 0.5, 1), unit(2, 1, 0.5, 1)])
        #expect(ranked.map(\.record) == Array(records.prefix(3)))
        #expect(Fusion.standard.rank([]).isEmpty)
    }

    @Test("reciprocal rank counts places, not scores; one side alone is that side")
    func others() {
        let units = [unit(0, 0, 0.9, 0), unit(1, 1, 0.8, 1), unit(2, 2, 0.1, 9)]
        let reciprocal = Fusion.reciprocalRank(k: 60).rank(units)
        #expect(reciprocal.map(\.record) == [records[2], records[1], records[0]])
        #expect(abs(reciprocal[0].score - (1 / 61 + 1 / 63)) < 1e-6)
        #expect(Fusion.semantic.rank(units).map(\.record) == [records[0], records[1], records[2]])
        #expect(Fusion.lexical.rank(units).map(\.record) == [records[2], records[1], records[0]])
    }

    @Test("the top list keeps the best, of equals the lower key")
    func topList() {
        var list = TopList(capacity: 3)
        for (key, score) in [(5, 1), (3, 2), (9, 2), (1, 1), (7, 0), (2, 2)] as [(UInt64, Float)] {
            list.offer(key, score)
        }
        #expect(list.sorted().map(\.key) == [2, 3, 9])
        var none = TopList(capacity: 0)
        none.offer(1, 1)
        #expect(none.sorted().isEmpty)
    }
}

@Suite("Snippets")
struct SnippetTests {
    let field = FieldID.random()
    let other = FieldID.random()

    func long(_ text: String, _ query: String, range: Range<Int>? = nil) -> Snippet {
        let group = GroupText(group: .long(field), prefix: "P · F: ", alwaysPrefixed: true, text: text, lines: [])
        return Snippet(
            of: group,
            range: range ?? 0..<text.unicodeScalars.count,
            stems: Set(WordAnalyzer.queryStems(of: query)),
            primary: other
        )
    }

    func marked(_ snippet: Snippet) -> [String] {
        let scalars = Array(snippet.text.unicodeScalars)
        return snippet.highlights.map { String(String.UnicodeScalarView(scalars[$0.range])) }
    }

    @Test("a short text is shown whole, with its matches in whatever form")
    func whole() {
        let snippet = long("Used in the filaments\nof lamps, éclairs & light bulbs.", "bulb filament Eclair")
        #expect(snippet.text == "Used in the filaments of lamps, éclairs & light bulbs.")
        #expect(marked(snippet) == ["filaments", "éclairs", "bulbs"])
        #expect(snippet.field == field)
    }

    @Test("a long text is cut to where most different words of the query are, between words")
    func cut() {
        let filler = String(repeating: "nothing of interest here at all. ", count: 40)
        let snippet = long(filler + "lamp lamp lamp. " + filler + "The lamp has a filament. " + filler, "lamp filament")
        #expect(marked(snippet) == ["lamp", "filament"])
        #expect(snippet.text.hasPrefix("…") && snippet.text.hasSuffix("…"))
        #expect(snippet.text.unicodeScalars.count <= Snippet.scalarsMax + 2)
        #expect(!snippet.text.contains("terest here at al…"))
    }

    @Test("without a match the beginning of the window is shown")
    func noMatch() {
        let text = String(repeating: "word ", count: 200)
        let snippet = long(text, "absent")
        #expect(snippet.text.hasPrefix("word word"))
        #expect(snippet.highlights.isEmpty)
        let later = long(text, "absent", range: 500..<900)
        #expect(later.text.hasPrefix("…word"))
    }

    @Test("positions count Unicode scalars, not bytes and not UTF-16 units")
    func positions() {
        let snippet = long("😀😀 é e\u{301}t lamp", "lamp")
        #expect(snippet.highlights.map(\.range) == [9..<13])
        #expect(marked(snippet) == ["lamp"])
    }

    @Test("a range beyond the text, as after a change, is cut to it")
    func stale() {
        #expect(long("short", "short", range: 3..<900).text == "short")
        #expect(long("short", "short", range: 50..<900).text == "short")
    }

    @Test("of short fields the first is shown, and those with matches before others")
    func lines() {
        let fields = (0..<12).map { _ in FieldID.random() }
        var text = ""
        var lines: [GroupText.Line] = []
        for (number, field) in fields.enumerated() {
            if number > 0 { text += "\n" }
            let start = text.unicodeScalars.count
            text += "Field \(number): \(number == 9 ? "a silvery metal" : String(repeating: "x\(number) ", count: 12))"
            lines.append(GroupText.Line(field: field, range: start..<text.unicodeScalars.count))
        }
        let group = GroupText(group: .short, prefix: "", alwaysPrefixed: false, text: text, lines: lines)
        let snippet = Snippet(
            of: group,
            range: 0..<text.unicodeScalars.count,
            stems: ["metal", "silveri"],
            primary: fields[0]
        )
        #expect(snippet.text.hasPrefix("Field 0: x0"))
        #expect(marked(snippet) == ["silvery", "metal"])
        #expect(snippet.field == fields[9])
        #expect(snippet.highlights.allSatisfy { $0.field == fields[9] })
        let none = Snippet(of: group, range: 0..<text.unicodeScalars.count, stems: [], primary: fields[0])
        #expect(none.field == fields[0])
    }
}
