import Domain
import Foundation
import LLM
import Logging
import TestSupport
import Testing

@testable import App

@Suite("Settings of models")
struct ModelSettingsTests {
    private func load(_ environment: [String: String]) throws -> AppConfiguration {
        try AppConfiguration.load(environment: environment.merging(["PYAIRTABLE_DATA": "none"]) { given, _ in given })
    }

    @Test("have customary names and sensible defaults")
    func defaults() throws {
        let none = try load([:]).models
        #expect(none.chatModel == nil && none.geminiKey == nil && none.openAIBaseURL == nil)
        #expect(none.geminiVersion == "v1beta" && none.geminiBaseURL.hasPrefix("https://"))
        #expect(none.chatFallbacks.isEmpty && none.caps == TokenCaps())
        let all = try load([
            "GEMINI_API_KEY": "secret-1", "GEMINI_BASE_URL": "http://127.0.0.1:9/", "GEMINI_API_VERSION": "v1",
            "OPENAI_API_KEY": "secret-2", "OPENAI_BASE_URL": "http://127.0.0.1:11434/v1//",
            "PYAIRTABLE_CHAT_MODEL": "openai/llama", "PYAIRTABLE_CHAT_FALLBACKS": "gemini-flash-latest, ,extractive",
            "PYAIRTABLE_TOKENS_PER_USER_DAY": "1000", "PYAIRTABLE_TOKENS_PER_DAY": "none",
        ]).models
        #expect(all.geminiBaseURL == "http://127.0.0.1:9")
        #expect(all.openAIBaseURL == "http://127.0.0.1:11434/v1")
        #expect(all.geminiVersion == "v1" && all.chatModel == "openai/llama")
        #expect(all.chatFallbacks == ["gemini-flash-latest", "extractive"])
        #expect(all.caps == TokenCaps(perUser: 1_000))
    }

    @Test("never show a key, nor a password in an address")
    func secrets() throws {
        let configuration = try load(["GEMINI_API_KEY": "secret-1", "OPENAI_API_KEY": "secret-2"])
        #expect(configuration.shownValues.count == Setting.all.count)
        for (setting, value) in configuration.shownValues {
            #expect(!value.contains("secret") && value != "?", "\(setting.name) shows \(value)")
        }
        #expect(!"\(configuration)".contains("secret-"))
        for url in ["http://me:secret@127.0.0.1", "http://127.0.0.1?key=secret", "ftp://secret"] {
            do {
                _ = try load(["GEMINI_BASE_URL": url])
                Issue.record("\(url) was taken")
            } catch let error as ConfigurationError {
                #expect(error.message.contains("GEMINI_BASE_URL") && !error.message.contains("secret"))
            }
        }
        #expect(throws: ConfigurationError.self) { try load(["PYAIRTABLE_TOKENS_PER_DAY": "0"]) }
        #expect(throws: ConfigurationError.self) { try load(["GEMINI_API_VERSION": "../v1"]) }
    }

    @Test("a script becomes the model that answers; a missing or wrong one is said to be so")
    func script() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("script.json").path
            let environment = ["PYAIRTABLE_DATA": directory.path + "/data", "PYAIRTABLE_CHAT_SCRIPT": path]
            let services = try await Services.open(
                try AppConfiguration.load(environment: environment),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
            #expect(throws: ConfigurationError.self) { try services.modelCatalog(providers: []) }
            try Data(#"{"turns":[{"says":"x"}]}"#.utf8).write(to: URL(filePath: path))
            #expect(throws: ModelError(.notConfigured, "")) { try services.modelCatalog(providers: []) }
            try Data(#"{"name":"demo","turns":[{"text":"x"}]}"#.utf8).write(to: URL(filePath: path))
            let catalog = try services.modelCatalog(providers: [])
            #expect(try catalog.models(for: nil).map(\.name.description) == ["scripted/demo"])
            _ = try await services.tokenLedger()
            await services.close()
        }
    }
}
