import Domain
import Outbound
import TestSupport
import Testing

@testable import Gemini

@Suite("Streams of Gemini")
struct GeminiStreamTests {
    private static let pieces = ["Grüße ", "aus\u{2028}der ", "Küche 😀", ""]
    private static let text = pieces.joined()

    private static func frame(_ text: String, finish: String? = nil, output: Int) -> JSONValue {
        var candidate: JSONObject = ["content": ["role": "model", "parts": [["text": .string(text)]]]]
        candidate["finishReason"] = finish.map { .string($0) }
        return [
            "candidates": [.object(candidate)],
            "usageMetadata": ["promptTokenCount": 7, "candidatesTokenCount": .number(JSONNumber(output))],
        ]
    }

    private static func bytes(lineEnd: String) -> [UInt8] {
        let frames = pieces.enumerated().map { place, piece in
            frame(piece, finish: place == pieces.count - 1 ? "STOP" : nil, output: place + 1)
        }
        return Array(frames.map { "data: \($0.text)\(lineEnd)\(lineEnd)" }.joined().utf8)
    }

    @Test("are the same however they are cut into pieces", arguments: ["\n", "\r", "\r\n"], [1, 2, 3] as [UInt64])
    func pieces(_ lineEnd: String, _ seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let whole = Self.bytes(lineEnd: lineEnd)
        for _ in 0..<50 {
            var pieces: [[UInt8]] = []
            var rest = whole[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Int.random(in: 1...30, using: &generator))
                pieces.append(Array(piece))
                rest = rest.dropFirst(piece.count)
            }
            let (shown, turn, error) = try await ScriptedTransport([.init(pieces: pieces)]).client().collected()
            #expect(error == nil)
            #expect(turn?.text == Self.text)
            #expect(turn?.parts.count == Self.pieces.count, "the empty part stays")
            #expect(turn?.usage.candidates == Self.pieces.count, "the last count, not the sum")
            #expect(shown == Self.pieces.dropLast().map { .text($0) })
        }
    }

    @Test("cut at any byte are never taken for whole, and lose nothing that had come", arguments: [true, false])
    func cuts(_ isReset: Bool) async throws {
        let whole = Self.bytes(lineEnd: "\r\n")
        // The last frame is whole once its JSON is.
        let wholeFrom = whole.count - 4
        for count in 0...whole.count {
            let failure = isReset ? OutboundError(.connectionLost, "reset") : nil
            let transport = ScriptedTransport([.init(pieces: [Array(whole.prefix(count))], failure: failure)])
            let (shown, turn, error) = try await transport.client(attemptsMax: 1).collected()
            let text = shown.reduce(into: "") { if case .text(let piece) = $1 { $0 += piece } }
            #expect(Self.text.unicodeScalars.starts(with: text.unicodeScalars))
            // A frame without its end counts only where the body ended by itself.
            let isWhole = count >= (isReset ? whole.count - 1 : wholeFrom)
            #expect((turn != nil) == isWhole, "\(count) of \(whole.count) bytes")
            if !isWhole { #expect(error?.code == .cut) }
            if isWhole { #expect(text == Self.text) }
        }
    }

    @Test("after text are not asked for again, before text they are")
    func retries() async throws {
        let cut = OutboundError(.connectionLost, "reset")
        let whole = ScriptedTransport.Reply(pieces: [Self.bytes(lineEnd: "\n")])
        let shown = ScriptedTransport.Reply(pieces: [Array(Self.bytes(lineEnd: "\n").prefix(200))], failure: cut)
        let after = ScriptedTransport([shown, whole])
        #expect(try await after.client().collected().error?.code == .cut)
        #expect(after.requests.count == 1)
        let before = ScriptedTransport([.init(pieces: [Array("data: {".utf8)], failure: cut), whole])
        #expect(try await before.client().collected().turn?.text == Self.text)
        #expect(before.requests.count == 2)
    }

    @Test(
        "with errors inside are told from those that end early",
        arguments: [
            "data: {\"error\":{\"code\":503,\"status\":\"UNAVAILABLE\"}}\n\n", "{\"error\":{\"code\":503}}\n",
            "{\"error\":{\"status\":\"UNAVAILABLE\"}}", "{\n  \"error\": {\n    \"code\": 503\n  }\n}\n",
            "[{\n  \"error\": {\n    \"code\": 503\n  }\n}\n]\n", "data: [{\"error\":{\"code\":503}}]\n\n",
            "[{\"usageMetadata\":null,\"error\":null},\n{\"error\":{\"code\":503}}]\n",
        ]
    )
    func errors(_ bytes: String) async throws {
        for begins in [false, true] {
            let beginning = begins ? "data: \(Self.frame("x", output: 1).text)\n\n" : ""
            let transport = ScriptedTransport([.init(pieces: [Array((beginning + bytes).utf8)])])
            let (pieces, _, error) = try await transport.client(attemptsMax: 1).collected()
            #expect(error?.code == .overloaded)
            #expect(pieces == (begins ? [.text("x")] : []))
            #expect(error?.usage.prompt == (begins ? 7 : 0))
        }
    }

    @Test(
        "that are none are told as such",
        arguments: ["<html>\n<p>hi</p>", "  <!doctype html>", "hello", "data: {\n\n", "data: 7\n\n"]
    )
    func noStreams(_ bytes: String) async throws {
        let transport = ScriptedTransport([.init(pieces: [Array(bytes.utf8)])])
        let (_, _, error) = try await transport.client(attemptsMax: 1).collected()
        #expect(error?.code == .malformedReply)
    }

    @Test("that claim more tokens than there are numbers for are read, and their counts add up", arguments: [1, 3])
    func absurdCounts(_ hops: Int) async throws {
        let replies = (1...hops).map { number -> ScriptedTransport.Reply in
            .stream([
                "candidates": [
                    [
                        "content": ["parts": [["text": "more "]]],
                        "finishReason": .string(number == hops ? "STOP" : "CONTINUATION"),
                        "continuationToken": .string("t\(number)"),
                    ]
                ],
                "usageMetadata": [
                    "promptTokenCount": .number(JSONNumber(Int.max)), "thoughtsTokenCount": "9223372036854775807",
                    "candidatesTokenCount": .number(JSONNumber(Int.max)), "toolUsePromptTokenCount": -5,
                ],
            ])
        }
        let turn = try #require(try await ScriptedTransport(replies).client().collected().turn)
        #expect(turn.usage.total >= 3 * Limits.reportedTokens && turn.usage.toolUsePrompt == 0)
    }

    @Test("that are one long document are not read anew with each of its lines", .timeLimit(.minutes(1)))
    func longDocument() async throws {
        // Each line closes what an unfinished document might be. Read with every line it would be some 10¹² bytes.
        let line = Array("{\"a\":1\n},\n".utf8)
        let body = Array("[".utf8) + Array(repeatElement(line, count: 300_000).joined())
        let transport = ScriptedTransport([.init(pieces: [body])])
        let (_, _, error) = try await transport.client(attemptsMax: 1).collected()
        #expect(error?.code == .malformedReply)
    }

    @Test("of a model that continues for ever end, and cost no more than was said", arguments: [10, 100_000])
    func endless(_ output: Int) async throws {
        let replies = (1...200).map { number -> ScriptedTransport.Reply in
            .stream([
                "candidates": [
                    [
                        "content": ["parts": [["text": "more "]]], "finishReason": "CONTINUATION",
                        "continuationToken": .string("t\(number)"),
                    ]
                ],
                "usageMetadata": ["promptTokenCount": 50, "candidatesTokenCount": .number(JSONNumber(output))],
            ])
        }
        let transport = ScriptedTransport(replies)
        var request = GeminiRequest.asking()
        request.settings.outputTokensMax = output
        let turn = try #require(try await transport.client().collected(request).turn)
        #expect(turn.finish.kind == .continuation)
        #expect(transport.requests.count <= Limits.geminiHops)
        #expect(turn.usage.total <= GeminiClient.billedAttemptsMax * (50 + output))
        #expect(turn.usage.total == transport.requests.count * (50 + output))
        #expect(turn.text == String(repeating: "more ", count: transport.requests.count))
    }

    @Test("that claim to have cost more than can be are taken to have cost the most there may be")
    func absurdUsage() async throws {
        let transport = ScriptedTransport([
            .stream([
                "candidates": [["content": ["parts": [["text": "dear"]]], "finishReason": "STOP"]],
                "usageMetadata": [
                    "promptTokenCount": "9223372036854775807", "candidatesTokenCount": 9_223_372_036_854_775_807,
                    "thoughtsTokenCount": 9_223_372_036_854_775_807, "cachedContentTokenCount": -1,
                ],
            ])
        ])
        let turn = try #require(try await transport.client().collected(.asking()).turn)
        #expect(turn.text == "dear")
        #expect(turn.usage.total == 3 * Limits.reportedTokens)
        #expect(turn.usage.cached == 0)
    }

    @Test("that fail over and over while thinking cost no more than was said")
    func failingThoughts() async throws {
        let failing = ScriptedTransport.Reply.stream([
            "candidates": [["content": ["parts": [["text": "hm", "thought": true]]]]],
            "usageMetadata": ["promptTokenCount": 50, "thoughtsTokenCount": 100],
        ])
        let transport = ScriptedTransport([failing])
        var request = GeminiRequest.asking()
        request.settings.outputTokensMax = 100
        let (pieces, _, error) = try await transport.client(attemptsMax: 50).collected(request)
        #expect(error?.code == .cut)
        #expect(transport.requests.count == GeminiClient.billedAttemptsMax)
        #expect(error?.usage.total == 150 * GeminiClient.billedAttemptsMax)
        #expect(pieces.filter { $0 == .restarted }.count == GeminiClient.billedAttemptsMax - 1)
    }

    @Test("may be left out: one reply is the same turn")
    func unary() async throws {
        let transport = ScriptedTransport([.json(Self.frame("all", finish: "STOP", output: 3))])
        let (pieces, turn, _) = try await transport.client().collected(isStreamed: false)
        #expect(pieces == [.text("all")])
        #expect(turn?.text == "all")
        #expect(transport.requests.first?.url.hasSuffix(":generateContent") == true)
    }
}
