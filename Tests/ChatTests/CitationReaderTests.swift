import Domain
import TestSupport
import Testing

@testable import Chat

@Suite("Citations in streamed text")
struct CitationReaderTests {
    private static let a = "recAAAAAAAAAAAAAA"
    private static let b = "recBBBBBBBBBBBBBB"
    private static let f = "fldFFFFFFFFFFFFFF"

    /// What is read of `text`, with citations as `<record[/field] …>` after their lead.
    private static func read(_ pieces: [String]) -> String {
        var reader = CitationReader()
        var result = ""
        for piece in pieces { result += shown(reader.feed(piece)) }
        return result + shown(reader.finish())
    }

    private static func shown(_ pieces: [CitationReader.Piece]) -> String {
        pieces.map { piece in
            switch piece {
            case .text(let text): return text
            case .references(let references, let lead):
                let list = references.map { reference in
                    let record = String(reference.record.description.suffix(1))
                    return reference.field.map { record + "/" + $0.description.suffix(1) } ?? record
                }
                return "{\(lead.count)}<\(list.joined(separator: " "))>"
            }
        }.joined()
    }

    private static let cases: [(String, String)] = [
        ("no citation at all", "no citation at all"),
        ("gas [\(a)].", "gas{1}<A>."),
        ("gas[\(a)/\(f)]", "gas{0}<A/F>"),
        ("x [\(a), \(b)] y", "x{1}<A B> y"),
        ("x [\(a);\(b)/\(f)  \(a)]", "x{1}<A B/F A>"),
        ("x 【\(a)】。", "x{1}<A>。"),
        ("x【\(a)】【\(b)】", "x{0}<A>{0}<B>"),
        ("[ \(a) ]", "{0}<A>"),
        ("see \(a) and \(b)/\(f).", "see{1}<A> and{1}<B/F>."),
        ("(\(a))", "({0}<A>)"),
        ("记录\(a)是", "记录{0}<A>是"),
        // Not quite.
        ("[\(a)", "[{0}<A>"),
        ("[see \(a)]", "[see{1}<A>]"),
        ("[\(a)/nothing]", "[{0}<A>/nothing]"),
        ("[\(a): why]", "[{0}<A>: why]"),
        ("\(a)x is a word", "\(a)x is a word"),
        ("x\(a) too", "x\(a) too"),
        ("_\(a)", "_\(a)"),
        ("\(a)_", "\(a)_"),
        ("recAAAA", "recAAAA"),
        ("[recAAAAAAAAAAAAA]", "[recAAAAAAAAAAAAA]"),
        ("none [] and [ ]", "none [] and [ ]"),
        // Only the server makes markers.
        ("a [1] b[23], c [[4]]", "a (1) b(23), c [(4)]"), ("[12", "[12"), ("[1a]", "[1a]"), ("[1234567]", "[1234567]"),
        ("[[\(a)]]", "[{0}<A>]"),
        ("a  [\(a)]  b  ", "a{2}<A>  b  "),
        ("【 nothing 】 あい", "【 nothing 】 あい"),
        ("\(a)/fldFFFF", "{0}<A>/fldFFFF"),
        ("\(a)\(b)", "\(a)\(b)"),
        ("[\(a)\(b)]", "[\(a)\(b)]"),
        ("the record", "the record"),
        ("rec", "rec"),
        (" ", " "),
        ("", ""),
    ]

    @Test("are found, and nothing else is", arguments: cases)
    func finds(_ text: String, _ expected: String) {
        #expect(Self.read([text]) == expected)
    }

    @Test("a bracket of more than anybody cites is text, but for the identifiers in it")
    func longBracket() {
        let many = "[" + (0..<60).map { _ in Self.a }.joined(separator: ", ") + "]"
        #expect(Self.read([many]).hasPrefix("[{0}<A>,{1}<A>"))
    }

    @Test("however the text is cut, the result is the same")
    func anyChunking() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = SeededGenerator(seed: seed)
        let parts =
            Self.cases.map(\.0) + [
                "[", "]", "[1]", "2", "【", "】", " ", ", ", ";", "/", "rec", "fld", Self.a, Self.b, Self.f, "/\(Self.f)",
                "é", "\n",
                "r",
            ]
        for round in 0..<2_000 {
            let text = (0..<Int.random(in: 1...8, using: &generator))
                .map { _ in parts.randomElement(using: &generator) ?? "" }.joined()
            let whole = Self.read([text])
            var pieces: [String] = []
            var rest = Array(text.unicodeScalars)[...]
            while !rest.isEmpty {
                let count = Int.random(in: 0...min(rest.count, 9), using: &generator)
                var view = String.UnicodeScalarView()
                view.append(contentsOf: rest.prefix(count))
                pieces.append(String(view))
                rest = rest.dropFirst(count)
            }
            #expect(Self.read(pieces) == whole, "seed \(seed), round \(round): \(pieces)")
        }
    }

    @Test("only what may still become a citation is held back")
    func heldBack() {
        var reader = CitationReader()
        #expect(reader.feed("Helium is a gas") == [.text("Helium is a gas")])
        #expect(reader.feed(" [rec") == [])
        #expect(reader.heldByteCount == 5)
        // Still an identifier's beginning, until a byte says otherwise.
        #expect(reader.feed("ently") == [])
        #expect(reader.feed(" seen]") == [.text(" [recently seen]")])
        #expect(reader.heldByteCount == 0)
        #expect(reader.feed("end ") == [.text("end")])
        #expect(reader.finish() == [.text(" ")])
    }
}
