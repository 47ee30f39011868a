import Foundation
import TestSupport
import Testing

@testable import Outbound

@Suite("Server-sent events")
struct SplitterTests {
    private func items(_ pieces: [[UInt8]], bytesMax: Int = 1_000_000) throws -> [ServerSentItem] {
        var splitter = ServerSentEventSplitter(eventBytesMax: bytesMax)
        var items: [ServerSentItem] = []
        for piece in pieces { items += try splitter.take(piece) }
        return try items + splitter.finish()
    }

    private func items(_ text: String) throws -> [ServerSentItem] { try items([Array(text.utf8)]) }

    private func event(_ data: String, name: String = "message", id: String? = nil) -> ServerSentItem {
        .event(ServerSentEvent(name: name, data: Array(data.utf8), id: id))
    }

    @Test("an event is its data lines, joined, up to the empty line")
    func ordinary() throws {
        #expect(try items("data: one\n\ndata: two\ndata:  three\n\n") == [event("one"), event("two\n three")])
    }

    @Test("lines end at LF, CR or CRLF, mixed as they may be", arguments: ["\n", "\r", "\r\n"])
    func lineEnds(_ end: String) throws {
        #expect(try items("data: a\(end)data: b\(end)\(end)data: c\(end)\(end)") == [event("a\nb"), event("c")])
        #expect(try items("data: a\(end)\r\ndata: b\n\(end)") == [event("a"), event("b")])
    }

    @Test("U+2028, U+2029, U+0085, vertical tab and form feed are data")
    func otherSeparators() throws {
        let text = "{\"t\":\"a\u{2028}b\u{2029}c\u{85}d\u{0B}e\u{0C}f\u{1C}g\"}"
        #expect(try items("data: \(text)\n\n") == [event(text)])
    }

    @Test("a byte order mark at the beginning is passed over, later it is a stray")
    func byteOrderMark() throws {
        #expect(try items("\u{FEFF}data: a\n\n") == [event("a")])
        #expect(try items("data: a\n\n\u{FEFF}data: b\n\n") == [event("a"), .stray(Array("\u{FEFF}data: b".utf8))])
    }

    @Test("comments and unknown fields are passed over; an event without data is none")
    func passedOver() throws {
        #expect(
            try items(": ping\nretry: 10\nfoo: bar\ndata: a\n\nevent: nothing\n\ndata: b\n\n") == [
                .retry(.milliseconds(10)), event("a"), event("b"),
            ]
        )
    }

    @Test("how long to wait is said by digits alone, and at once")
    func retry() throws {
        #expect(try items("retry: 1500\n") == [.retry(.milliseconds(1_500))])
        #expect(try items("data: a\nretry:0\n\n") == [.retry(.zero), event("a")])
        #expect(try items("retry\nretry: \nretry: -1\nretry: 1.5\nretry: 1s\nretry: 99999999999999999999\n") == [])
    }

    @Test("a name holds for one event, an identifier until the next one; one with NUL is not taken")
    func namesAndIdentifiers() throws {
        let text = "event: delta\nid: 7\ndata: a\n\ndata: b\n\nid: 8\u{0}\ndata: c\n\nid\n\ndata: d\n\n"
        #expect(
            try items(text).prefix(3) == [
                event("a", name: "delta", id: "7"), event("b", id: "7"), event("c", id: "7"),
            ]
        )
    }

    @Test("`data` without a colon and `data:` are empty lines of data")
    func emptyData() throws {
        #expect(try items("data:\n\n") == [event("")])
        #expect(try items("data:\ndata:\n\n") == [event("\n")])
    }

    @Test("bare JSON, pretty JSON and HTML come out line by line, before the stream ends")
    func strays() throws {
        let error = #"{"error":{"code":503,"message":"overloaded"}}"#
        #expect(try items("data: a\n\n\(error)\n\n") == [event("a"), .stray(Array(error.utf8))])
        var splitter = ServerSentEventSplitter()
        #expect(try splitter.take(Array("\(error)\n".utf8)) == [.stray(Array(error.utf8))])
        #expect(try items("error: \(error)\n\n") == [.stray(Array(error.utf8))])
        let pretty = "{\n  \"error\": {\n    \"code\": 503\n  }\n}"
        #expect(try items(pretty) == pretty.split(separator: "\n").map { .stray(Array($0.utf8)) })
        #expect(try items("<html>\n<p>a: b</p>\n") == ["<html>", "<p>a: b</p>"].map { .stray(Array($0.utf8)) })
    }

    @Test("what the stream ends in the middle of is given, marked as not terminated")
    func unterminated() throws {
        let cut = ServerSentItem.event(ServerSentEvent(data: Array("{\"a".utf8), isTerminated: false))
        #expect(try items("data: one\n\ndata: {\"a") == [event("one"), cut])
        #expect(try items("data: {\"a\n") == [cut])
        #expect(try items("") == [])
    }

    @Test("an event and a line have their bound, however they come")
    func bound() throws {
        let fits = Array("data: 0123456789\n\n".utf8)
        #expect(try items([fits], bytesMax: 16).count == 1)
        #expect(throws: OutboundError(.replyTooLarge, "")) { try items([fits], bytesMax: 15) }
        #expect(throws: OutboundError(.replyTooLarge, "")) { try items(fits.map { [$0] }, bytesMax: 15) }
        let lines = Array(repeating: Array("data: 0123456789\n".utf8), count: 10)
        #expect(throws: OutboundError(.replyTooLarge, "")) { try items(lines, bytesMax: 100) }
    }

    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"

    @Test("OPS-04: whatever bytes a stream has, its events are bounded, and the pieces it is cut into never matter")
    func anyBytes() throws {
        let spice: [UInt8] = Array("data: event id retry:\n\n\r\n {}\"\u{0}".utf8) + [0xEF, 0xBB, 0xBF, 0xC0, 0xFF]
        for seed in 0..<(Self.isLong ? 200_000 : 2_000) as Range<UInt64> {
            var random = SeededGenerator(seed: seed)
            let text = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                Int.random(in: 0..<8, using: &random) == 0
                    ? UInt8.random(in: 0...255, using: &random) : spice.randomElement(using: &random)!
            }
            let bound = Int.random(in: 4...160, using: &random)
            let whole = Result { try items([text], bytesMax: bound) }
            let single = Result { try items(text.map { [$0] }, bytesMax: bound) }
            switch (whole, single) {
            case (.success(let one), .success(let other)):
                #expect(one == other, "seed \(seed)")
                for case .event(let event) in one { #expect(event.data.count <= bound, "seed \(seed)") }
            case (.failure(let one), .failure(let other)):
                #expect(one as? OutboundError == other as? OutboundError, "seed \(seed)")
            default: Issue.record("seed \(seed): one way it is too large, the other way not")
            }
        }
    }

    @Test("OPS-04: the pieces a stream is cut into never matter", arguments: 0..<200 as Range<UInt64>)
    func anyChunking(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let parts = [
            "data: a\u{2028}é🙂", "data:", "event: x", "id: 9", ": c", "{\"error\": 1}", "<b>", "", "", "data: 0",
            "\u{FEFF}",
        ]
        var text: [UInt8] = []
        for _ in 0..<Int.random(in: 1...30, using: &random) {
            text += Array(parts.randomElement(using: &random)!.utf8)
            text += Array(["\n", "\r", "\r\n"].randomElement(using: &random)!.utf8)
        }
        let whole = try items([text])
        var pieces: [[UInt8]] = []
        var rest = text[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 0...4, using: &random))
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        #expect(try items(pieces) == whole, "seed \(seed)")
        #expect(try items(text.map { [$0] }) == whole, "seed \(seed)")
    }
}
