import Domain
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

@Suite("OpenAI's dialect, left alone")
struct OpenAIAbandonTests {
    @Test("a completion ends its model when the client goes before the answer", arguments: [false, true])
    func clientGone(isStream: Bool) async throws {
        let (started, ended) = (Signal(), Signal())
        let model = TestModel { _, _ in
            await started.fire()
            do {
                try await Task.sleep(for: .seconds(600))
            } catch {
                await ended.fire()
                throw error
            }
            return ModelReply(message: ModelMessage(.model, []), outcome: .complete, usage: TokenUsage())
        }
        try await withGateway { fixture in
            let key = fixture.key
            try await fixture.openAI(TestModels(model: model)).test(.live) { client in
                let connection = try await ByteConnection(port: try #require(client.port))
                let body = #"{"model":"test/parrot","stream":\#(isStream),"messages":[{"role":"user","content":"hi"}]}"#
                try await connection.send(
                    "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n"
                        + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                )
                await started.wait()
                connection.close()
                await ended.wait()
            }
        }
    }

    @Test("a client that stays gets its answer, and the next one on the same connection")
    func clientStays() async throws {
        try await withGateway { fixture in
            let key = fixture.key
            try await fixture.openAI(TestModels(model: .saying(["Hydro", "gen."]))).test(.live) { client in
                let connection = try await ByteConnection(port: try #require(client.port))
                let body = #"{"model":"test/parrot","messages":[{"role":"user","content":"hi"}]}"#
                for count in 1...3 {
                    try await connection.send(
                        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n"
                            + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    )
                    try await connection.read { bytes in
                        String(decoding: bytes, as: UTF8.self).split(separator: #""content":"Hydrogen.""#).count > count
                    }
                }
            }
        }
    }
}
