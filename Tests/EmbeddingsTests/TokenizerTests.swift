import Domain
import Foundation
import TestSupport
import Testing

@testable import Embeddings

@Suite("WordPiece tokenizer")
struct TokenizerTests {
    @Test("gives the reference's tokens for 420 texts from all of Unicode")
    func reference() throws {
        let tokenizer = try RealModel.tokenizer.get()
        let cases = try #require(try Fixtures.json("tokenizer_cases.json")["cases"]?.arrayValue)
        #expect(cases.count == 420)
        for item in cases {
            let text = try #require(item["text"]?.stringValue)
            let ids = (item["ids"]?.arrayValue ?? []).compactMap { $0.intValue.map(Int32.init) }
            #expect(tokenizer.input(text, limit: 100_000).ids == ids, "\(text.debugDescription)")
        }
    }

    /// The digest was made by the same loop over Hugging Face tokenizers 0.23.3: FNV-1a over the token numbers of
    /// "a" + scalar + "b" for every scalar, 0xFFFF after each.
    @Test("gives the reference's tokens for every scalar of Unicode", .enabled(if: isLongRun))
    func everyScalar() throws {
        let tokenizer = try RealModel.tokenizer.get()
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for value in UInt32(0)..<0x110000 {
            guard let scalar = Unicode.Scalar(value) else { continue }
            for token in tokenizer.tokens(of: "a\(scalar)b") { hash = (hash ^ UInt64(token.id)) &* 0x100_0000_01B3 }
            hash = (hash ^ 0xFFFF) &* 0x100_0000_01B3
        }
        #expect(hash == 0x1838_14E4_E8C9_CE67)
    }

    @Test(
        "says where each token comes from",
        arguments: [
            ("Hello, World", ["Hello", ",", "World"]),
            ("  tokenization\t!", ["token", "ization", "!"]),
            ("Café", ["Café"]),
            ("Cafe\u{301}s", ["Cafe\u{301}s"]),
            ("naïve,东京", ["naïve", ",", "东", "京"]),
            ("x[SEP]y [mask]", ["x", "[SEP]", "y", "[", "mask", "]"]),
            ("a\u{200B}b\u{0}c", ["a\u{200B}b\u{0}c"]),
            ("😀 ok", ["😀", "ok"]),
            ("", []),
        ]
    )
    func spans(text: String, parts: [String]) throws {
        let spans = try RealModel.tokenizer.get().tokens(of: text)
        let bytes = Array(text.utf8)
        #expect(spans.map { String(decoding: bytes[$0.utf8], as: UTF8.self) } == parts)
    }

    @Test("ranges rise, stand on characters and cover all that is visible")
    func ranges() throws {
        let tokenizer = try RealModel.tokenizer.get()
        let cases = try Fixtures.json("tokenizer_cases.json")["cases"]?.arrayValue ?? []
        for item in cases {
            let text = item["text"]?.stringValue ?? ""
            let bytes = Array(text.utf8)
            var last = 0..<0
            for span in tokenizer.tokens(of: text) {
                #expect(!span.utf8.isEmpty && span.utf8.upperBound <= bytes.count)
                #expect(span.utf8 == last || span.utf8.lowerBound >= last.upperBound, "\(text.debugDescription)")
                // Between two tokens stand only spaces, accents and what is dropped: nothing a reader would miss.
                for byte in bytes[last.upperBound..<max(last.upperBound, span.utf8.lowerBound)] where byte < 0x80 {
                    #expect(byte <= 0x20 || byte == 0x7F)
                }
                #expect(String(validating: bytes[span.utf8], as: UTF8.self) != nil)
                last = span.utf8
            }
        }
    }

    @Test("keeps room for its special tokens when it cuts")
    func truncation() throws {
        let tokenizer = try RealModel.tokenizer.get()
        let text = String(repeating: "the ", count: 300)
        let (ids, isTruncated) = tokenizer.input(text, limit: 256)
        #expect(isTruncated)
        #expect(ids == [101] + [Int32](repeating: 1996, count: 254) + [102])
        let exact = tokenizer.input(String(repeating: "the ", count: 254), limit: 256)
        #expect(exact.ids == ids && !exact.isTruncated)
        #expect(tokenizer.tokens(of: text).count == 300)
        #expect(tokenizer.tokens(of: text, limit: 7).count == 7)
    }

    @Test("a long text and a long word take time in proportion")
    func long() throws {
        let tokenizer = try RealModel.tokenizer.get()
        let word = String(repeating: "x", count: 200_000)
        #expect(tokenizer.tokens(of: word) == [TokenSpan(id: 100, utf8: 0..<200_000)])
        #expect(tokenizer.tokens(of: String(repeating: "[", count: 20_000)).count == 20_000)
        #expect(tokenizer.tokens(of: String(repeating: "e\u{301}", count: 5_000)).map(\.utf8) == [0..<15_000])
    }

    @Test("vocab.txt alone gives the same tokens as tokenizer.json")
    func vocabularyFile() async throws {
        try await withTemporaryDirectory { directory in
            var model = TinyModel()
            try model.write(to: directory.appendingPathComponent("both"))
            model.hasTokenizerJSON = false
            try model.write(to: directory.appendingPathComponent("lines"))
            let both = try WordPieceTokenizer(directory: directory.appendingPathComponent("both").path)
            let lines = try WordPieceTokenizer(directory: directory.appendingPathComponent("lines").path)
            for text in ["abc def. headabc", "é [MASK] zz a,b", "ABCDEF 中中", "bad adefg"] {
                #expect(both.tokens(of: text) == lines.tokens(of: text))
                #expect(both.input(text, limit: 5).ids == lines.input(text, limit: 5).ids)
            }
            // "abcdef" is abc + ##def, and the accent is stripped before "é" could match.
            #expect(lines.input("ABCDEF é", limit: 9).ids == [2, 25, 27, 9, 3])
        }
    }

    @Test("lower case and accents stay when the model says so")
    func cased() async throws {
        try await withTemporaryDirectory { directory in
            var model = TinyModel()
            model.hasTokenizerJSON = false
            try model.write(to: directory)
            try Array("{\"do_lower_case\":false}".utf8).write(to: directory, "tokenizer_config.json")
            let tokenizer = try WordPieceTokenizer(directory: directory.path)
            #expect(tokenizer.tokens(of: "é A a").map(\.id) == [31, 1, 5])
        }
    }
}
