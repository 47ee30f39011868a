import Domain
import Foundation
import TestSupport
import Testing

/// `chat` as a person or a program runs it. Embeddings come from hashes: what is found by meaning is tested elsewhere.
@Suite("The chat command")
struct ChatCommandTests {
    private static let script = """
        {"name": "demo", "turns": [
            {"when": {"user": "kettle", "step": 1}, "text": "Let me look.",
                "calls": [{"name": "search_records", "arguments": {"query": "{{user}}"}}]},
            {"when": {"tool": "search_records"},
                "text": "Its lid is of steel [{{search_records rec 0}}], and of gold [recAAAAAAAAAAAAAA]."},
            {"when": {"user": "fail"}, "failure": {"code": "quotaOfDay", "message": "used up"}},
            {"text": "I do not know."}
        ]}
        """

    private func withShop(
        _ body: (_ arguments: [String], _ variables: [String: String]) async throws -> Void
    ) async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("Products.csv")
            try Data("Name,Notes\nKettle,The lid is of steel.\nTeapot,Holds a litre.\n".utf8).write(to: file)
            let script = directory.appendingPathComponent("script.json")
            try Data(Self.script.utf8).write(to: script)
            let data = ["--data", directory.appendingPathComponent("data").path, "--embedder", "hash"]
            for arguments in [["import", file.path], ["index"]] {
                let made = try await Binary.run(arguments + data)
                #expect(made.status == 0, "\(made.errors)")
            }
            try await body(data, ["PYAIRTABLE_CHAT_SCRIPT": script.path])
        }
    }

    @Test("--once --json prints the answer with its citations as one object")
    func once() async throws {
        try await withShop { data, variables in
            let result = try await Binary.run(
                ["chat", "--once", "what of the kettle?", "--json"] + data,
                adding: variables
            )
            #expect(result.status == 0, "\(result.errors)")
            let answer = try #require(try result.json().first)
            #expect(answer["answer"] == "Let me look.\n\nIts lid is of steel [1], and of gold.")
            let citation = try #require(answer["citations"]?[0])
            #expect(citation["marker"] == "[1]" && citation["quote"] == "The lid is of steel.")
            for (key, prefix) in [("baseId", "app"), ("tableId", "tbl"), ("recordId", "rec"), ("fieldId", "fld")] {
                #expect(citation[key]?.stringValue?.hasPrefix(prefix) == true)
            }
            #expect(answer["citations"]?[1] == nil)
            #expect(answer["endReason"] == "complete" && answer["model"] == "scripted/demo")
            #expect(answer["runId"]?.stringValue?.hasPrefix("run") == true)
            #expect(answer["conversationId"]?.stringValue?.hasPrefix("cnv") == true)
            #expect(answer["usage"]?["output"]?.intValue ?? 0 > 0)

            let extracted = try await Binary.run(
                ["chat", "--once", "x?", "--json", "--model", "extractive"] + data,
                adding: variables
            )
            #expect(try extracted.json().first?["answer"]?.stringValue?.contains("No language model") == true)
        }
    }

    @Test("a run that fails says why, and the command fails")
    func failures() async throws {
        try await withShop { data, variables in
            let failed = try await Binary.run(["chat", "--once", "fail", "--json"] + data, adding: variables)
            #expect(failed.status == 1)
            let answer = try #require(try failed.json().first)
            #expect(answer["endReason"] == "failed" && answer["message"]?.stringValue?.contains("used up") == true)
            let unknown = try await Binary.run(
                ["chat", "--once", "x", "--json", "--model", "nobody/none"] + data,
                adding: variables
            )
            #expect(unknown.status == 4 && unknown.output.isEmpty)
            #expect(try await Binary.run(["chat", "--json"] + data).status == 2)
        }
    }

    @Test("without --once every line is a question of one conversation, and citations are listed")
    func lines() async throws {
        try await withShop { data, variables in
            let result = try await Binary.run(
                ["chat"] + data,
                input: "kettle please\n\nand else?\n",
                adding: variables
            )
            #expect(result.status == 0, "\(result.errors)")
            #expect(result.output.contains("of steel [1], and of gold.\n  [1] rec"))
            #expect(result.output.hasSuffix("I do not know.\n"))
        }
    }
}
