import Domain
import Testing

@Suite("Bounding a text")
struct StringBoundingTests {
    @Test("what is within the bound is not cut")
    func within() {
        for (text, count) in [("", 0), ("", 5), ("abc", 3), ("e\u{301}", 2)] {
            #expect(text.cut(toScalars: count) == nil, "\(text) \(count)")
        }
    }

    @Test("scalars are counted, not what looks like one character")
    func scalars() {
        #expect("abc".cut(toScalars: 2) == "ab")
        #expect("abc".cut(toScalars: 0) == "")
        let bomb = "e" + String(repeating: "\u{301}", count: 1_000)
        #expect(bomb.count == 1)
        #expect(bomb.cut(toScalars: 10)?.unicodeScalars.count == 10)
        #expect("a\r\nb".cut(toScalars: 2)?.unicodeScalars.count == 2)
    }
}
