import Domain
import Testing

@Suite("JSON: properties of random documents")
struct JSONPropertyTests {
    private let seed = RandomRun.seed

    @Test("any value written is read back the same, spelling of numbers and order included")
    func roundTrip() throws {
        var random = RandomJSON(seed: seed)
        for _ in 0..<RandomRun.count(1_000, long: 50_000) {
            let value = random.value()
            let read = try JSONValue(parsing: value.encoded())
            #expect(read == value, "seed \(seed)")
            #expect(read.text == value.text, "seed \(seed)")
            #expect(read.hashValue == value.hashValue, "seed \(seed)")
            #expect(try JSONValue(parsing: value.encoded(.indented)).text == value.text, "seed \(seed)")
        }
    }

    @Test("white space and escapes make no difference, and raw values keep them")
    func spelling() throws {
        var random = RandomJSON(seed: seed)
        for _ in 0..<RandomRun.count(1_000, long: 50_000) {
            let value = random.value()
            let document = random.document(of: value)
            #expect(try JSONValue(parsing: document).text == value.text, "seed \(seed)")
            let wrapped = Array("[".utf8) + document + Array("]".utf8)
            let raw = try JSONCoder.decode([RawJSON].self, from: wrapped)
            #expect(raw.first?.value.text == value.text, "seed \(seed)")
            #expect(document.starts(with: raw.first?.bytes ?? []) || document.first.map { $0 <= 0x20 } ?? false)
        }
    }

    @Test("OPS-04: a broken document is refused inside its bounds, or is right: never a crash, never two meanings")
    func mutations() throws {
        var random = RandomJSON(seed: seed)
        var refused = 0
        let count = RandomRun.count(4_000, long: 400_000)
        for _ in 0..<count {
            let document = random.mutated(random.document(of: random.value(depth: 3)))
            do throws(JSONError) {
                let value = try JSONValue(parsing: document)
                let again = value.encoded()
                #expect(try JSONValue(parsing: again).encoded() == again, "seed \(seed)")
                #expect(try RawJSON(validating: document).value == value, "seed \(seed)")
            } catch {
                refused += 1
                let position = try #require(error.position)
                #expect((0...document.count).contains(position.offset), "seed \(seed)")
                #expect(position.line >= 1 && position.column >= 1)
            }
        }
        #expect(refused > count / 4 && refused < count, "mutations should both break and spare documents")
    }

    @Test("OPS-04: a document cut anywhere is refused at its end, or right before it")
    func cuts() throws {
        var random = RandomJSON(seed: seed)
        for _ in 0..<RandomRun.count(60, long: 3_000) {
            let document = Array("[".utf8) + random.document(of: random.value(depth: 3)) + Array("]".utf8)
            for length in 0..<document.count {
                let error = #expect(throws: JSONError.self) { try JSONValue(parsing: Array(document[..<length])) }
                // Half a character above ASCII is told at its first byte.
                #expect(
                    error.map { $0.code == .unexpectedEnd || $0.code == .invalidUTF8 || $0.code == .loneSurrogate }
                        == true
                )
            }
        }
    }
}
