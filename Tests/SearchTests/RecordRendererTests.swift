import Domain
import TestSupport
import Testing

@testable import Search

/// Words as tokens, each with its range; punctuation by itself.
func wordTokens(_ text: String) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var start: Int?
    for (offset, byte) in text.utf8.enumerated() {
        let isWord = byte >= 0x80 || UInt8(ascii: "a")...UInt8(ascii: "z") ~= byte | 0x20 || 0x30...0x39 ~= byte
        if isWord {
            if start == nil { start = offset }
            continue
        }
        if let begun = start { ranges.append(begun..<offset) }
        start = nil
        if byte > 0x20 { ranges.append(offset..<(offset + 1)) }
    }
    if let start { ranges.append(start..<text.utf8.count) }
    return ranges
}

@Suite("Record rendering")
struct RecordRendererTests {
    let name = Field(id: .random(), name: "Name", type: .singleLineText, ordinal: 1)
    let text = Field(id: .random(), name: "Text", type: .multilineText, ordinal: 2)
    let note = Field(id: .random(), name: "Note", type: .singleLineText, ordinal: 3)
    let count = Field(id: .random(), name: "Count", type: .number, ordinal: 4)

    var table: Table {
        Table(
            id: .random(),
            base: .random(),
            name: "Table",
            primaryField: name.id,
            fields: [name, count, text, note]
        )
    }

    let renderer = RecordRenderer(tokenLimit: 254, tokens: wordTokens)

    func units(_ cells: [FieldID: CellValue], _ renderer: RecordRenderer? = nil) -> [SearchUnit] {
        let record = Record(id: .random(), createdTime: Instant(milliseconds: 0), cells: cells)
        return (renderer ?? self.renderer).units(of: record, in: table) { value, _ in
            switch value {
            case .text(let text): text
            case .number(let number): "\(number)"
            default: ""
            }
        }
    }

    @Test("short fields are one text of lines, a long field is one with the primary value before it")
    func ordinary() {
        let units = units([name.id: .text("Iron"), count.id: .number(2), text.id: .text("Used in steel.")])
        #expect(units.map(\.text) == ["Name: Iron\nCount: 2.0", "Iron · Text: Used in steel."])
        #expect(units.map(\.group) == [.short, .long(text.id)])
        #expect(units[1].range == 0..<14)
        #expect(units.allSatisfy { $0.window == 0 && $0.isEncoded })
    }

    @Test("a single-line text becomes a long field when its value is long")
    func longValue() {
        let value = String(repeating: "é", count: RecordRenderer.shortTextScalars)
        #expect(units([name.id: .text("A"), note.id: .text(value)]).map(\.group) == [.short])
        #expect(units([name.id: .text("A"), note.id: .text(value + "e")]).map(\.group) == [.short, .long(note.id)])
    }

    @Test("empty cells, blank texts and empty records give nothing")
    func empty() {
        #expect(units([:]).isEmpty)
        #expect(units([text.id: .text(" \n ")]).isEmpty)
        #expect(units([text.id: .text("x")]).map(\.text) == ["Text: x"])
    }

    @Test("a long primary value is cut where it is repeated, and stands on one line")
    func longPrimary() {
        let units = units([name.id: .text("A\nB " + String(repeating: "c", count: 500)), text.id: .text("x")])
        #expect(units.last?.text == "A B " + String(repeating: "c", count: 96) + " · Text: x")
    }

    @Test("a text longer than the model reads is cut into overlapping windows that cover it")
    func windows() throws {
        let sentences = (0..<120).map { "Sentence number \($0) talks about thing \($0 * 7), é." }
        let value = sentences.joined(separator: " ")
        let units = units([name.id: .text("Ann"), text.id: .text(value)]).filter { $0.group == .long(text.id) }
        #expect(units.count > 5)
        let scalars = Array(value.unicodeScalars)
        var covered = 0
        for (number, unit) in units.enumerated() {
            #expect(unit.window == number)
            #expect(unit.text.hasPrefix("Ann · Text: Sentence"), "starts at a sentence")
            let piece = String(String.UnicodeScalarView(scalars[unit.range]))
            #expect(unit.text == "Ann · Text: " + piece)
            #expect(wordTokens(unit.text).count <= 254)
            #expect(unit.range.lowerBound <= covered)
            if number > 0 {
                let overlap = String(String.UnicodeScalarView(scalars[unit.range.lowerBound..<covered]))
                #expect((20...41).contains(wordTokens(overlap).count), "\(wordTokens(overlap).count)")
            }
            covered = unit.range.upperBound
        }
        #expect(covered == scalars.count)
    }

    @Test("windows end at paragraphs before sentences, and at sentences before words")
    func breaks() {
        let paragraph = String(repeating: "word. ", count: 60)
        let value = Array(repeating: paragraph, count: 6).joined(separator: "\n\n")
        let units = units([text.id: .text(value)])
        #expect(units.count > 2)
        for unit in units.dropLast() {
            let end = Array(value.unicodeScalars)[unit.range.upperBound...].prefix(3)
            #expect(String(String.UnicodeScalarView(end)) == " \n\n")
        }
        let words = String(repeating: "word ", count: 500)
        for unit in self.units([text.id: .text(words)]) { #expect(unit.text.hasSuffix("word")) }
    }

    @Test("one endless word is cut all the same, and never without progress")
    func endless() {
        let tokens: @Sendable (String) -> [Range<Int>] = { text in
            text.utf8.indices.enumerated().map { $0.offset..<($0.offset + 1) }
        }
        let renderer = RecordRenderer(tokenLimit: 254, tokens: tokens)
        let units = units([text.id: .text(String(repeating: "x", count: 5_000))], renderer)
        #expect(units.count < 50)
        #expect(units.last?.range.upperBound == 5_000)
    }

    @Test("windows beyond the limit are found by words only")
    func beyondLimit() {
        let value = (0..<20_000).map { "w\($0)" }.joined(separator: " ")
        let units = units([name.id: .text("A"), text.id: .text(value)]).filter { $0.group != .short }
        #expect(units.count > Limits.windowsPerField)
        #expect(units.map(\.isEncoded) == units.indices.map { $0 < Limits.windowsPerField })
        #expect(units.last?.range.upperBound == value.unicodeScalars.count)
    }

    @Test("the hash changes with the text, and with nothing else")
    func hashes() {
        let first = units([name.id: .text("A"), text.id: .text("one")])
        let second = units([name.id: .text("A"), text.id: .text("two")])
        #expect(first[0].hash == second[0].hash)
        #expect(first[1].hash != second[1].hash)
        #expect(ContentHash(of: "").bytes.count == 16)
        // FNV-1a, 128 bits, of "a".
        #expect(
            ContentHash(of: "a").bytes.map { String($0, radix: 16) }.joined(separator: " ")
                == "d2 28 cb 69 6f 1a 8c af 78 91 2b 70 4e 4a 89 64"
        )
    }

    @Test("random texts: windows are in order, cover every token, and keep within the limit")
    func random() {
        for seed in UInt64(1)...40 {
            var generator = SeededGenerator(seed: seed)
            let pieces = ["word", "a", "é", "日本", ".", "\n", "\n\n", " ", "! ", "x. ", "longerword", ","]
            let value = (0..<Int.random(in: 100...3_000, using: &generator))
                .map { _ in pieces.randomElement(using: &generator) ?? "" }.joined()
            let units = units([name.id: .text("Subject"), text.id: .text(value)]).filter { $0.group != .short }
            let scalars = ScalarOffsets(Array(value.utf8))
            var covered: Set<Int> = []
            for unit in units {
                covered.formUnion(unit.range)
                #expect(wordTokens(unit.text).count <= 254, "seed \(seed)")
            }
            for token in wordTokens(value) {
                let place = scalars[token.lowerBound]..<scalars[token.upperBound]
                #expect(covered.isSuperset(of: place), "seed \(seed)")
            }
        }
    }
}
