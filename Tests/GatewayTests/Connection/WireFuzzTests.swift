import Domain
import Foundation
import Testing

@testable import Gateway

/// SplitMix64: a seed says it all.
struct SeededBytes: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

@Suite("Fuzz of the wire")
struct WireFuzzTests {
    static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let heads = (WireCase.taken + WireCase.refusedHeads).map(\.bytes).filter { $0.count < 600 }
    private static let bodies = [
        "2\r\n{}\r\n0\r\n\r\n", "5;a=b\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\n", "0\r\n\r\n", "zz\r\n",
        "1\r\na\n0\r\n",
    ].map { Array($0.utf8) }
    private static let spice: [UInt8] = Array("\r\n\r\n\0\t :;,#*/\\%0aAfFgG-+\u{7F}".utf8) + [0x80, 0xFF]

    /// With some bytes changed, left out, put in or said again.
    private static func mutated(_ bytes: [UInt8], _ generator: inout SeededBytes) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 0...3, using: &generator) where !bytes.isEmpty {
            let place = Int.random(in: 0..<bytes.count, using: &generator)
            let byte = spice.randomElement(using: &generator) ?? 0
            switch Int.random(in: 0..<4, using: &generator) {
            case 0: bytes[place] = byte
            case 1: bytes.insert(byte, at: place)
            case 2: bytes.remove(at: place)
            default: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 12)], at: place)
            }
        }
        return bytes
    }

    private static func pieces(_ count: Int, _ generator: inout SeededBytes) -> [Int] {
        var ends: Set<Int> = [count]
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            ends.insert(Int.random(in: 0...count, using: &generator))
        }
        return ends.sorted()
    }

    private static func facts(_ bytes: [UInt8], endingAt ends: [Int]) -> String {
        var scanner = RequestHeadScanner()
        for end in ends {
            let step = bytes[..<end].withUnsafeBytes { scanner.scan($0) }
            switch step {
            case .needsMore: continue
            case .refused(let fault): return "\(fault)"
            case .complete(let end):
                return bytes.withUnsafeBytes { bytes in
                    do throws(WireRefusal) {
                        let facts = try RequestHeadRules.check(bytes, line: scanner.line, fields: scanner.fields)
                        return "\(end) \(facts)"
                    } catch {
                        return "\(error)"
                    }
                }
            }
        }
        return "more"
    }

    @Test("OPS-04: a head is understood the same however it is cut")
    func heads() {
        for seed in 0..<(Self.isLong ? 300_000 : 3_000) as Range<UInt64> {
            var generator = SeededBytes(state: seed)
            let bytes = Self.mutated(Self.heads.randomElement(using: &generator) ?? [], &generator)
            let whole = Self.facts(bytes, endingAt: [bytes.count])
            let cut = Self.facts(bytes, endingAt: Self.pieces(bytes.count, &generator))
            #expect(whole == cut, "seed \(seed)")
        }
    }

    /// The content, and how it ended.
    private static func content(_ bytes: [UInt8], endingAt ends: [Int]) -> (content: [UInt8], end: String) {
        var scanner = ChunkedBodyScanner()
        var content: [UInt8] = []
        var position = 0
        for end in ends {
            while true {
                switch bytes[position..<end].withUnsafeBytes({ scanner.scan($0) }) {
                case .needsMore: break
                case .skip(let count):
                    position += count
                    continue
                case .content(let count):
                    content += bytes[position..<position + count]
                    position += count
                    continue
                case .end(let count): return (content, "end \(position + count)")
                case .refused(let fault): return (content, "\(fault)")
                }
                break
            }
        }
        return (content, "more")
    }

    @Test("OPS-04: a body is understood the same however it is cut, and no step goes beyond what came")
    func bodies() {
        for seed in 0..<(Self.isLong ? 300_000 : 3_000) as Range<UInt64> {
            var generator = SeededBytes(state: seed)
            let bytes = Self.mutated(Self.bodies.randomElement(using: &generator) ?? [], &generator)
            let whole = Self.content(bytes, endingAt: [bytes.count])
            let cut = Self.content(bytes, endingAt: Self.pieces(bytes.count, &generator))
            #expect(whole.end == cut.end, "seed \(seed)")
            if !whole.end.hasPrefix("more") { #expect(whole.content == cut.content, "seed \(seed)") }
        }
    }

    @Test(
        "GW-02, OPS-04: over sockets nothing is answered twice, and the server goes on",
        .enabled(if: WireFuzzTests.isLong)
    )
    func sockets() async throws {
        try await withServer {
            $0.headTimeout = .milliseconds(200)
        } _: { _, port in
            try await inTurns(0..<20_000 as Range<UInt64>) { seed in
                var generator = SeededBytes(state: seed)
                var bytes = Self.mutated(Self.heads.randomElement(using: &generator) ?? [], &generator)
                bytes += Self.mutated(Self.bodies.randomElement(using: &generator) ?? [], &generator)
                let connection = try await ByteConnection(port: port)
                try? await connection.send(bytes)
                let answers = WireAnswer.all(in: await connection.readToEnd())
                // As many requests as there can be, and one refusal.
                let requests = String(decoding: bytes, as: UTF8.self).components(separatedBy: "HTTP/").count
                #expect(answers.count <= requests + 1, "seed \(seed)")
                let refusals = answers.filter { $0.text.contains("malformedRequest") }
                #expect(refusals.count <= 1, "seed \(seed)")
                if !refusals.isEmpty {
                    #expect(answers.last?.text.contains("malformedRequest") == true, "seed \(seed)")
                }
            }
            let honest = try await ByteConnection(port: port)
            try await honest.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(WireAnswer.all(in: await honest.readToEnd()).map(\.status) == [200])
        }
    }
}
