import Access
import Airtable
import Database
import Domain
import HTTPTypes
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

@Suite("Models by the catalogue")
struct CatalogModelsTests {
    private func models(
        _ fixture: GatewayFixture,
        caps: TokenCaps = TokenCaps(),
        providers: [ModelProvider]
    ) async throws -> (CatalogModels, TokenLedger) {
        try await Migrator.migrate(
            fixture.database,
            AccessStore.migrations + AirtableService.migrations + TokenLedger.migrations
        )
        let ledger = TokenLedger(database: fixture.database, caps: caps, logger: fixture.log.logger())
        let extractive = TestModel.saying(
            ["from the records"],
            name: ModelName(provider: "extractive", model: "records")
        )
        let models = CatalogModels(catalog: ModelCatalog(providers: providers), ledger: ledger) { _ in extractive }
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
}
