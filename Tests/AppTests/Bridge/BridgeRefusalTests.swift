import Domain
import TestSupport
import Testing

@testable import App

@Suite("What the bridge refuses by itself")
struct BridgeRefusalTests {
    @Test(
        "an id that is owed an answer is refused a second time; once it has come, or was given up, it may be used again"
    )
    func idsUsedTwice() async throws {
        let gate = Gate()
        let fixture = BridgeFixture { asked in
            if asked.message.method == "prompts/list" { try await gate.wait() }
            return .json(BridgeFixture.result(asked.message.id, ["of": .string(asked.message.method ?? "")]))
        }
        await fixture.take(BridgeFixture.modern("i", "prompts/list"))
        await fixture.take(BridgeFixture.modern("i", "resources/list"))
        let refused = try await fixture.lines(1)[0]
        #expect(refused["error"]?["code"]?.intValue == -32_600 && refused["id"] == "i")
        gate.open()
        #expect(try await fixture.lines(2)[1]["result"]?["of"] == "prompts/list")
        await fixture.take(BridgeFixture.modern("i", "resources/list"))
        #expect(try await fixture.lines(3)[2]["result"]?["of"] == "resources/list")
        await fixture.end()
        #expect(fixture.server.asked.count == 2)
    }

    @Test("what is no request and reaches no server is an error without an id")
    func garbageWithoutServer() async throws {
        let fixture = BridgeFixture { _ in .empty(502) }
        for line in [[0, 0, 0], Array("{".utf8)] {
            await fixture.bridge.take(line)
        }
        #expect(fixture.lines.map { $0["id"] } == [.null, .null])
        #expect(fixture.lines.allSatisfy { $0["error"]?["code"]?.intValue == -31_011 })
    }
}
