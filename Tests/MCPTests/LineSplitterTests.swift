import MCP
import Testing

@Suite("Line splitter")
struct LineSplitterTests {
    private func lines(of chunks: [[UInt8]], max: Int) -> [LineSplitter.Line] {
        var splitter = LineSplitter(byteCountMax: max)
        var lines: [LineSplitter.Line] = []
        for chunk in chunks { chunk.withUnsafeBytes { splitter.feed($0) { lines.append($0) } } }
        splitter.finish { lines.append($0) }
        return lines
    }

    private func whole(_ text: String) -> LineSplitter.Line { .whole(Array(text.utf8)) }

    @Test("cuts at LF and keeps the rest for later")
    func cuts() {
        #expect(
            lines(of: [Array("ab\ncd".utf8), Array("ef\n\n".utf8)], max: 10) == [whole("ab"), whole("cdef"), whole("")]
        )
    }

    @Test("hands on a last line without LF, but no empty one")
    func lastLine() {
        #expect(lines(of: [Array("a\nb".utf8)], max: 10) == [whole("a"), whole("b")])
        #expect(lines(of: [Array("a\n".utf8)], max: 10) == [whole("a")])
        #expect(lines(of: [], max: 10) == [])
    }

    @Test("a line of the limit's length passes, a longer one is told once and dropped")
    func limit() {
        #expect(lines(of: [Array("1234\n12345\n123\n".utf8)], max: 4) == [whole("1234"), .tooLong, whole("123")])
        #expect(lines(of: [Array("123456789".utf8), Array("0123456789".utf8)], max: 4) == [.tooLong])
        #expect(lines(of: [Array("12345".utf8), Array("\n".utf8), Array("1".utf8)], max: 4) == [.tooLong, whole("1")])
    }

    @Test("however the stream is cut, the lines are those of the whole", arguments: 0..<200 as Range<UInt64>)
    func anyChunks(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let stream = (0..<Int.random(in: 0...400, using: &generator)).map { _ -> UInt8 in
            Int.random(in: 0..<12, using: &generator) == 0 ? 0x0A : .random(in: 0x61...0x7A, using: &generator)
        }
        var chunks: [[UInt8]] = []
        var position = 0
        while position < stream.count {
            let end = min(position + Int.random(in: 0...30, using: &generator), stream.count)
            chunks.append(Array(stream[position..<end]))
            position = end
        }
        var expected = stream.split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
        if expected.last?.isEmpty == true { expected.removeLast() }
        let model = expected.map { $0.count > 16 ? LineSplitter.Line.tooLong : .whole($0) }
        #expect(lines(of: chunks, max: 16) == model, "seed \(seed)")
    }
}
