import Domain
import Hummingbird
import HummingbirdTesting
import LLM
import TestSupport
import Testing

@testable import Gateway

/// A language model that does what a test says, and remembers what it was asked.
final class TestModel: LanguageModel {
    typealias Answer = @Sendable (ModelRequest, @Sendable (ModelDelta) async throws -> Void) async throws -> ModelReply

    let name: ModelName
    let limits = ModelLimits(inputTokens: 100_000, outputTokens: 8_192)
    private let asked = Guarded<[ModelRequest]>([])
    private let answer: Answer

    init(_ name: ModelName = ModelName(provider: "test", model: "parrot"), answer: @escaping Answer) {
        self.name = name
        self.answer = answer
    }

    var requests: [ModelRequest] { asked.value }

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        asked.update { $0.append(request) }
        return try await answer(request, onDelta)
    }

    /// Answers with these pieces.
    static func saying(
        _ pieces: [String],
        name: ModelName = ModelName(provider: "test", model: "parrot")
    ) -> TestModel {
        TestModel(name) { _, onDelta in
            for piece in pieces { try await onDelta(.text(piece)) }
            return ModelReply(
                message: ModelMessage(.model, [.text(pieces.joined())]),
                outcome: .complete,
                usage: TokenUsage(input: 9, output: 3, thoughts: 2)
            )
        }
    }
}

/// One language model and one for vectors, which tell their callers apart by nothing.
struct TestModels: ModelServing, VectorServing {
    var model: TestModel
    var vectorName = "local/test"
    var vectors: @Sendable ([String]) async throws -> ServedVectors = { texts in
        ServedVectors(vectors: texts.map { [Float($0.utf8.count), 0.25, -1e-8] }, tokens: 7)
    }

    /// Knows the names that the examples of the API document use.
    static let sample = TestModels(
        model: .saying(["Hydrogen."], name: ModelName(provider: "gemini", model: "gemini-flash-latest")),
        vectorName: "local/all-MiniLM-L6-v2"
    )

    func models(context: Domain.RequestContext) async throws -> [ModelName] { [model.name] }

    func models(named name: String, context: Domain.RequestContext) async throws -> ModelChain {
        guard name == model.name.description else {
            throw ModelError(.modelNotFound, "there is no model '\(name)' here")
        }
        return ModelChain(model)
    }

    func vectorModel(context: Domain.RequestContext) async throws -> (name: String, dimension: Int)? {
        (vectorName, 3)
    }

    func vectors(of texts: [String], context: Domain.RequestContext) async throws -> ServedVectors {
        try await vectors(texts)
    }
}

extension GatewayFixture {
    /// This server with `models` behind the OpenAI dialect.
    func openAI(_ models: TestModels?) -> some ApplicationProtocol { openAI(chat: models, vectors: models) }

    func openAI(
        chat models: (any ModelServing)?,
        vectors: (any VectorServing)? = nil
    ) -> some ApplicationProtocol {
        GatewayServer.make(
            configuration: GatewayConfiguration(address: .init(host: "127.0.0.1", port: 0), adminAddress: nil),
            services: GatewayServices(
                access: access,
                airtable: airtable,
                search: FixedSearch(),
                mcp: mcp,
                models: models,
                vectors: vectors,
                readiness: []
            ),
            metrics: metrics,
            logger: log.logger()
        ).publicApplication
    }
}

/// The data of server-sent events, `[DONE]` included.
func eventData(_ text: String) -> [String] {
    text.split(separator: "\n").filter { $0.hasPrefix("data: ") }.map { String($0.dropFirst(6)) }
}
