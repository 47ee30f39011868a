import Testing

@testable import Gemini

@Suite("Names of Gemini's models")
struct GeminiNameTests {
    @Test(
        "a name is the same with and without its collection",
        arguments: [
            ("gemini-x", "models/gemini-x", "gemini-x"), ("models/gemini-x", "models/gemini-x", "gemini-x"),
            ("tunedModels/mine-1", "tunedModels/mine-1", "tunedModels/mine-1"),
        ]
    )
    func normal(_ name: String, _ path: String, _ shown: String) throws {
        let model = try GeminiModelName(name)
        #expect(model.path == path)
        #expect(model.description == shown)
    }

    @Test(
        "nothing that could change the address is a name",
        arguments: [
            "", "a b", "a?x=1", "a:generateContent", "../files", "a/../b", "models/", "/models/a", "a//b", "a#b", "ä",
            "a%2e", ".", "models/..", "a\r\nb", String(repeating: "a", count: 300),
        ]
    )
    func refused(_ name: String) {
        #expect(throws: GeminiError(.invalidName, "")) { try GeminiModelName(name) }
    }

    @Test(
        "families are generations from 3 on",
        arguments: [
            ("gemini-3.8-flash", "gemini-3"), ("gemini-3-flash-preview", "gemini-3"),
            ("models/gemini-3.1-pro", "gemini-3"),
            ("gemini-4-argon", "gemini-4"), ("gemini-2.5-flash-lite", "gemini-2.5"), ("gemini-2.0-flash", "gemini-2.0"),
            ("gemini-flash-latest", nil), ("gemini-pro-latest", nil), ("gemma-3-27b", "gemma-3-27b"),
            ("gemini-3", "gemini-3"), ("", nil),
        ] as [(String, String?)]
    )
    func families(_ model: String, _ family: String?) {
        #expect(GeminiFamily(model: model)?.name == family)
    }
}
