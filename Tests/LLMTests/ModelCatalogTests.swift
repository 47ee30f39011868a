import Domain
import TestSupport
import Testing

@testable import LLM

@Suite("The model catalogue")
struct ModelCatalogTests {
    private static func provider(
        _ name: String,
        default model: String? = nil,
        made: Guarded<[String]> = Guarded([])
    ) -> ModelProvider {
        ModelProvider(name, defaultModel: model, claims: { name == "gemini" && $0.hasPrefix("gemini-") }) { model in
            made.update { $0.append(model) }
            return NamedModel(name: ModelName(provider: name, model: model))
        }
    }

    private static let gemini = provider("gemini", default: "gemini-flash-latest")
    private static let openai = provider("openai")
    private static let both = ModelCatalog(providers: [gemini, openai])

    @Test(
        "knows what a name means",
        arguments: [
            ("gemini/gemini-x", "gemini/gemini-x"), ("gemini-x", "gemini/gemini-x"),
            ("models/gemini-x", "gemini/gemini-x"), ("gemini/models/gemini-x", "gemini/gemini-x"),
            ("openai/llama3.3", "openai/llama3.3"), ("llama3.3:70b", "openai/llama3.3:70b"),
            ("meta-llama/Llama-3", "openai/meta-llama/Llama-3"),
        ]
    )
    func names(text: String, name: String) throws {
        #expect(try Self.both.name(text).description == name)
    }

    @Test(
        "refuses names that mean nothing, and those that could be anything else",
        arguments: [
            "", "a b", "../x", "gemini/../x", "x\n", "/etc/passwd", "x/", "é", String(repeating: "x", count: 201),
        ]
    )
    func malformed(text: String) {
        #expect(throws: ModelError(.modelNotFound, "")) { try Self.both.name(text) }
    }

    @Test("says which setting is missing")
    func missing() throws {
        let only = ModelCatalog(providers: [Self.openai])
        #expect(throws: ModelError(.notConfigured, "")) { try only.name("gemini-flash-latest") }
        #expect(throws: ModelError(.notConfigured, "")) { try only.name("gemini/x") }
        #expect(throws: ModelError(.notConfigured, "")) { try ModelCatalog(providers: [Self.gemini]).name("openai/x") }
        #expect(throws: ModelError(.modelNotFound, "")) { try ModelCatalog(providers: [Self.gemini]).name("llama") }
        #expect(throws: ModelError(.notConfigured, "")) { try ModelCatalog(providers: []).models(for: nil) }
    }

    @Test("is extractive by name, or when nothing is configured")
    func extractive() {
        let none = ModelCatalog(preferred: "gemini-flash-latest", providers: [])
        #expect(none.isExtractive(nil))
        #expect(!none.isExtractive("gemini-flash-latest"))
        #expect(ModelCatalog(providers: [Self.openai]).isExtractive(nil))
        #expect(!Self.both.isExtractive(nil))
        #expect(Self.both.isExtractive("extractive"))
        #expect(ModelCatalog(preferred: "extractive", providers: [Self.gemini]).isExtractive(nil))
        #expect(throws: ModelError(.notConfigured, "")) { try Self.both.models(for: "extractive") }
    }

    @Test("puts the fallbacks behind the model, each once")
    func chain() throws {
        let catalog = ModelCatalog(
            preferred: "openai/llama",
            fallbacks: ["gemini-flash-latest", "openai/llama", "extractive"],
            providers: [Self.gemini, Self.openai]
        )
        #expect(try catalog.models(for: nil).map(\.name.description) == ["openai/llama", "gemini/gemini-flash-latest"])
        #expect(
            try catalog.models(for: "gemini-flash-latest").map(\.name.description)
                == ["gemini/gemini-flash-latest", "openai/llama"]
        )
        #expect(
            catalog.available.map(\.description)
                == ["openai/llama", "gemini/gemini-flash-latest", "extractive/records"]
        )
    }

    @Test("makes a model once")
    func once() throws {
        let made = Guarded<[String]>([])
        let catalog = ModelCatalog(providers: [Self.provider("openai", made: made)])
        for _ in 0..<3 { _ = try catalog.models(for: "a") }
        _ = try catalog.models(for: "openai/a")
        #expect(made.value == ["a"])
        // Callers cannot make it remember without end.
        for number in 0..<200 { _ = try catalog.models(for: "m\(number)") }
        _ = try catalog.models(for: "m199")
        #expect(made.value.count == 201)
    }

    @Test("prefers a script, and gives no other scripted model to callers")
    func script() throws {
        let script = ModelScript(name: "demo", turns: [])
        let catalog = ModelCatalog(providers: [.scripted(script), Self.gemini, Self.openai])
        #expect(try catalog.models(for: nil).map(\.name.description) == ["scripted/demo"])
        #expect(throws: ModelError(.modelNotFound, "")) { try catalog.models(for: "scripted/other") }
        #expect(throws: ModelError(.modelNotFound, "")) { try catalog.models(for: "scripted//etc/passwd") }
        #expect(throws: ModelError(.notConfigured, "")) { try Self.both.models(for: "scripted/demo") }
    }
}

private struct NamedModel: LanguageModel {
    let name: ModelName
    var limits: ModelLimits { ModelLimits(inputTokens: 1, outputTokens: 1) }

    func respond(
        to request: ModelRequest,
        call: ModelCallContext,
        onDelta: @Sendable (ModelDelta) async throws -> Void
    ) async throws -> ModelReply {
        throw ModelError(.notConfigured, "only a name")
    }
}
