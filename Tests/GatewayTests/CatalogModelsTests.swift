import Access
import Airtable
import Database
import Domain
import HTTPTypes
import HummingbirdTesting
import LLM
import Logging
import TestSupport
import Testing

@testable import Gateway

@Suite("Models by the catalogue")
struct CatalogModelsTests {
    private func models(
        _ fixture: GatewayFixture,
        caps: TokenCaps = TokenCaps(),
        fallbacks: [String] = [],
        providers: [ModelProvider]
    ) async throws -> (CatalogModels, TokenLedger) {
        try await Migrator.migrate(
            fixture.database,
            gatewayMigrations + TokenLedger.migrations
        )
        let ledger = TokenLedger(database: fixture.database, caps: caps, logger: fixture.log.logger())
        let extractive = TestModel.saying(
            ["from the records"],
            name: ModelName(provider: "extractive", model: "records")
        )
        let models = CatalogModels(catalog: ModelCatalog(fallbacks: fallbacks, providers: providers), ledger: ledger) {
            _ in extractive
        }
        return (models, ledger)
    }

    private func provider(_ model: TestModel) -> ModelProvider {
        ModelProvider("openai", defaultModel: model.name.model) { _ in model }
    }

    private func ask(_ client: any TestClientProtocol, _ fixture: GatewayFixture, _ model: String) async throws
        -> Answer
    {
        try await client.send(
            .post,
            "/v1/chat/completions",
            key: fixture.key,
            body: #"{"model":"\#(model)","messages":[{"role":"user","content":"hi"}],"max_tokens":100}"#
        )
    }

    @Test("a call is counted for its caller, and refused when the cap is reached")
    func metered() async throws {
        try await withGateway { fixture in
            let model = TestModel.saying(["x"], name: ModelName(provider: "openai", model: "parrot"))
            let (models, ledger) = try await models(
                fixture,
                caps: TokenCaps(perUser: 500),
                providers: [provider(model)]
            )
            try await fixture.openAI(chat: models).test(.router) { client in
                #expect(try await ask(client, fixture, "openai/parrot").status == 200)
                // 14 tokens as the model says: 9 read, 3 written, 2 thought.
                #expect(try await ledger.used(on: .now(), context: fixture.owner).total == 14)
                var answers = 0
                while answers < 100, try await ask(client, fixture, "parrot").status == 200 { answers += 1 }
                let refused = try await ask(client, fixture, "parrot")
                #expect(refused.status == 429)
                #expect(refused.code == "insufficient_quota")
                #expect(try await ledger.used(on: .now(), context: fixture.owner).total <= 500)
            }
        }
    }

    @Test("with no model configured extraction answers, by its name; others are not found")
    func extractive() async throws {
        try await withGateway { fixture in
            let (models, _) = try await models(fixture, providers: [])
            try await fixture.openAI(chat: models).test(.router) { client in
                let listed = try await client.send(.get, "/v1/models", key: fixture.key)
                let name = try #require(listed.json?["data"]?[0]?["id"]?.stringValue)
                let answer = try await ask(client, fixture, name)
                #expect(answer.json?["choices"]?[0]?["message"]?["content"] == "from the records")
                for other in ["gpt-4o", "openai/x", "gemini/x", "../x"] {
                    let refused = try await ask(client, fixture, other)
                    #expect([404, 503].contains(refused.status), "\(other) is \(refused.status)")
                }
            }
        }
    }

    /// Says `pieces`, then fails.
    private func failing(_ pieces: [String], _ code: ModelError.Code) -> TestModel {
        TestModel(ModelName(provider: "openai", model: "broken")) { _, onDelta in
            for piece in pieces { try await onDelta(.text(piece)) }
            throw ModelError(code, "down")
        }
    }

    private func ask(
        _ fixture: GatewayFixture,
        _ broken: TestModel,
        streams: Bool
    ) async throws -> Answer {
        let second = TestModel.saying(["second"], name: ModelName(provider: "other", model: "parrot"))
        let (models, ledger) = try await models(
            fixture,
            fallbacks: ["other/parrot"],
            providers: [provider(broken), ModelProvider("other", defaultModel: "parrot") { _ in second }]
        )
        return try await fixture.openAI(chat: models).test(.router) { client in
            let answer = try await client.send(
                .post,
                "/v1/chat/completions",
                key: fixture.key,
                body: #"{"model":"openai/broken","stream":\#(streams),"messages":[{"role":"user","content":"hi"}]}"#
            )
            let used = try await ledger.used(on: .now(), context: fixture.owner).total
            if !second.requests.isEmpty { #expect(used >= 14, "the stand-in is settled for the caller too") }
            return answer
        }
    }

    @Test("when a model fails, the next one of the chain answers, and is named")
    func fallback() async throws {
        for pieces in [[], ["half an"]] {
            try await withGateway { fixture in
                let answer = try await ask(fixture, failing(pieces, .overloaded), streams: false)
                #expect(answer.status == 200)
                #expect(answer.json?["model"] == "other/parrot")
                #expect(answer.json?["choices"]?[0]?["message"]?["content"] == "second")
            }
        }
    }

    @Test("a stream falls back until it has shown text, which it can't take back")
    func streamFallback() async throws {
        try await withGateway { fixture in
            let answer = try await ask(fixture, failing([], .overloaded), streams: true)
            let chunks = eventData(answer.text).compactMap { try? JSONValue(parsing: $0) }
            let text = chunks.compactMap { $0["choices"]?[0]?["delta"]?["content"]?.stringValue }.joined()
            #expect(text == "second")
            #expect(chunks.last?["model"] == "other/parrot")
        }
        try await withGateway { fixture in
            let answer = try await ask(fixture, failing(["half an"], .cut), streams: true)
            #expect(answer.text.contains("half an") && !answer.text.contains("second"))
            #expect(answer.text.contains("upstream_cut"))
        }
    }

    @Test("what another model would not mend is told at once")
    func noFallback() async throws {
        try await withGateway { fixture in
            let answer = try await ask(fixture, failing([], .requestRefused), streams: false)
            #expect(answer.status == 502)
        }
    }

    @Test("a client that leaves before its answer is there ends the model's call")
    func clientGone() async throws {
        let (started, ended) = (Signal(), Signal())
        try await withGateway { fixture in
            let model = TestModel(ModelName(provider: "openai", model: "slow")) { _, _ in
                await started.fire()
                do { try await Task.sleep(for: .seconds(600)) } catch {
                    await ended.fire()
                    throw error
                }
                throw ModelError(.timedOut, "nobody came")
            }
            let (models, _) = try await models(fixture, providers: [provider(model)])
            try await fixture.openAI(chat: models).test(.live) { client in
                let connection = try await ByteConnection(port: try #require(client.port))
                let body = #"{"model":"openai/slow","messages":[{"role":"user","content":"hi"}]}"#
                try await connection.send(
                    """
                    POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r
                    Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)
                    """
                )
                await started.wait()
                connection.close()
                await ended.wait()
                try await eventually("the log says so") {
                    fixture.log.lines.contains { $0.message == "request" && $0.metadata["code"] == "clientGone" }
                }
            }
        }
    }
}
