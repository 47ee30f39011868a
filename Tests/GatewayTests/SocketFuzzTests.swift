import Domain
import Foundation
import Testing

@testable import Gateway

/// Frames of RFC 6455, right and damaged, on open sockets. `PYAIRTABLE_LONG=1` tries thirty times as many.
@Suite("Fuzz of WebSocket frames")
struct SocketFuzzTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let texts = [
        #"{"type":"ping"}"#, #"{"type":"run.follow","runId":"runAAAAAAAAAAAAAA"}"#, #"{"type":"run.cancel","runId":1}"#,
        "{", "[]", "\"\u{0}\"", String(repeating: "[", count: 300), "",
    ]

    /// A few frames as a client may send them, the last one a close.
    private static func frames(_ random: inout SeededBytes) -> [[UInt8]] {
        var frames: [[UInt8]] = []
        for _ in 0..<Int.random(in: 0...5, using: &random) {
            let text = Array((texts.randomElement(using: &random) ?? "").utf8)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: frames.append(SocketClient.frame(9, Array(text.prefix(120))))
            case 1: frames.append(SocketClient.frame(10, Array(text.prefix(120))))
            case 2:
                let cut = text.count / 2
                frames.append(SocketClient.frame(1, Array(text[..<cut]), isFinal: false))
                frames.append(SocketClient.frame(0, Array(text[cut...])))
            case 3: frames.append(SocketClient.frame(2, text))
            default: frames.append(SocketClient.frame(1, text))
            }
        }
        return frames + [SocketClient.frame(8, [0x03, 0xE8])]
    }

    private static func damaged(_ bytes: [UInt8], _ random: inout SeededBytes) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<5, using: &random) {
            // The first two bytes of a frame say most.
            case 0: bytes[min(place % 8, bytes.count - 1)] = .random(in: 0...255, using: &random)
            case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(.random(in: 0...255, using: &random), at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 20)], at: place)
            }
        }
        return bytes
    }

    /// What is wrong with what the server said; nil when nothing is.
    private static func complaint(_ frames: [SocketClient.Frame]) -> String? {
        for (place, frame) in frames.enumerated() {
            switch frame.opcode {
            case 1: if frame.json?["type"]?.stringValue == nil { return "no message of ours: \(frame.text)" }
            case 8:
                let codes = [nil, 1_000, 1_001, 1_002, 1_003, 1_007, 1_008, 1_009, 1_010, 1_011, 1_012, 1_013, 1_014]
                // A client's own code is answered with it.
                guard codes.contains(frame.code) || (3_000..<5_000).contains(frame.code ?? 0) else {
                    return "closed with \(frame.code ?? 0)"
                }
                if place != frames.count - 1 { return "something follows a close" }
            case 9, 10: continue
            default: return "opcode \(frame.opcode)"
            }
        }
        return nil
    }

    @Test(
        "OPS-04, GW-06: right frames are answered to the end, damaged ones end their socket only",
        .timeLimit(.minutes(10))
    )
    func frames() async throws {
        try await withServer { fixture, port in
            let key = fixture.key
            try await inTurns(0..<(Self.isLong ? 6_000 : 200) as Range<UInt64>) { seed in
                var random = SeededBytes(state: seed)
                let frames = Self.frames(&random)
                let isDamaged = seed % 3 != 0
                let bytes = isDamaged ? Self.damaged(Array(frames.joined()), &random) : Array(frames.joined())
                let client = try await SocketClient.open(port: port, key: key)
                // What ends the socket may do so while more is sent.
                try? await client.connection.send(bytes)
                // A damaged length may wait for what never comes.
                if isDamaged { client.connection.close() }
                let all = await client.connection.readToEnd()
                let answers = SocketClient.frames(in: all.dropFirst(client.start))
                if let complaint = Self.complaint(answers) { Issue.record("seed \(seed): \(complaint)") }
                if !isDamaged { #expect(answers.last?.opcode == 8, "seed \(seed)") }
            }
            let honest = try await SocketClient.open(port: port, key: key)
            try await honest.send(["type": "ping"])
            _ = try await honest.next(.pong)
        }
    }
}
