import Domain
import TestSupport
import Testing

@Suite("Identifiers")
struct IdentifierTests {
    @Test("keep their text")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        for _ in 0..<1_000 {
            let id = RecordID.random(using: &generator)
            #expect(id.description.utf8.count == 17)
            #expect(id.description.hasPrefix("rec"))
            #expect(RecordID(id.description) == id, "seed \(RandomRun.seed)")
            #expect(try JSONCoder.decode([RecordID].self, from: JSONCoder.encode([id])) == [id])
        }
    }

    @Test("order as their text does")
    func order() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let ids = (0..<500).map { _ in TableID.random(using: &generator) }
        #expect(
            ids.sorted().map(\.description)
                == ids.map(\.description).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        )
        let close = [
            "tbl0000000000000A", "tbl0000000000000B", "tbl0000000000000a", "tbl00000000A00000", "tblz0000000000000",
        ]
        let sorted = close.compactMap(TableID.init).sorted().map(\.description)
        #expect(sorted == close.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
    }

    @Test(
        "refuse other kinds, lengths and letters",
        arguments: [
            "", "rec", "rec1234567890123", "rec123456789012345", "app12345678901234", "REC12345678901234",
            "rec1234567890123-",
            "rec1234567890123 ", "rec123456789012é", "rec1234567890123\0", " rec12345678901234",
            "rec\u{FF11}2345678901234",
        ]
    )
    func refusals(text: String) {
        #expect(RecordID(text) == nil)
        #expect(throws: JSONError.self) { try JSONCoder.decode(RecordID.self, from: JSONValue.string(text)) }
    }

    @Test("have a prefix of their own for each kind")
    func prefixes() {
        let letters = "ABCDEFGHIJKLMN"
        #expect(TenantID("ten" + letters) != nil)
        #expect(WorkspaceID("wsp" + letters) != nil)
        #expect(UserID("usr" + letters) != nil)
        #expect(KeyID("key" + letters) != nil)
        #expect(BaseID("app" + letters) != nil)
        #expect(TableID("tbl" + letters) != nil)
        #expect(FieldID("fld" + letters) != nil)
        #expect(RecordID("rec" + letters) != nil)
        #expect(ChoiceID("sel" + letters) != nil)
        #expect(FieldID("tbl" + letters) == nil)
    }

    @Test("are spread over all letters and digits")
    func spread() {
        var seen: Set<Character> = []
        for _ in 0..<500 { seen.formUnion(RecordID.random().description.dropFirst(3)) }
        #expect(seen.count == 62)
        #expect(Set((0..<1_000).map { _ in RecordID.random() }).count == 1_000)
    }

    /// Gives what it was given, and counts.
    private struct Words: RandomNumberGenerator {
        var words: [UInt64]
        mutating func next() -> UInt64 { words.removeFirst() }
    }

    @Test("take two random words, and all of each")
    func twoWords() {
        func suffix(_ first: UInt64, _ second: UInt64) -> String {
            var generator = Words(words: [first, second])
            let id = RecordID.random(using: &generator)
            #expect(generator.words.isEmpty)
            return String(id.description.dropFirst(3))
        }
        #expect(suffix(0, .max) == "AAAAAAA9999999")
        #expect(suffix(.max, 0) == "9999999AAAAAAA")
        // A half is letter 31 of 62, and nothing left.
        #expect(suffix(1 << 63, 1 << 63) == "fAAAAAAfAAAAAA")
        // The smallest word whose seventh letter is not the first.
        let step = UInt64.max / 3_521_614_606_208 + 1
        #expect(suffix(step, step - 1) == "AAAAAABAAAAAAA")
    }

    @Test("have every letter in every place equally often")
    func uniform() {
        var generator = SeededGenerator(seed: RandomRun.seed)
        var counts = Array(repeating: [UInt8: Int](), count: 14)
        let total = 62 * 400
        for _ in 0..<total {
            for (place, letter) in RecordID.random(using: &generator).description.utf8.dropFirst(3).enumerated() {
                counts[place][letter, default: 0] += 1
            }
        }
        for (place, counts) in counts.enumerated() {
            let chiSquare = counts.values.reduce(0) { $0 + Double(($1 - 400) * ($1 - 400)) / 400 }
            // 61 degrees of freedom: beyond 130 once in a million.
            #expect(counts.count == 62 && chiSquare < 130, "place \(place): \(chiSquare), seed \(RandomRun.seed)")
        }
    }

    @Test("are keys of JSON objects")
    func codingKeys() throws {
        let id = try #require(FieldID("fldABCDEFGHIJKLMN"))
        #expect(try JSONCoder.value(of: [id: 1]) == ["fldABCDEFGHIJKLMN": 1])
        #expect(try JSONCoder.decode([FieldID: Int].self, from: ["fldABCDEFGHIJKLMN": 1]) == [id: 1])
        #expect(throws: JSONError.self) { try JSONCoder.decode([FieldID: Int].self, from: ["Name": 1]) }
    }
}
