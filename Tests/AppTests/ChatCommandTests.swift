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
            {"when": {"user": "escape"}, "text": "\\u001b]52;c;cm0=\\u0007 is \\u001b[31mred\\u009b0m,\\r\\nbut\\ttame"},
            {"when": {"user": "cut"}, "text": "It begins", "outcome": "truncated"},
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
            let members = ["answer", "citations", "conversationId", "endReason", "model", "runId", "usage"]
            #expect(answer.objectValue?.keys.sorted() == members)
            let places = ["baseId", "fieldId", "marker", "quote", "recordId", "tableId"]
            #expect(citation.objectValue?.keys.sorted() == places)
            #expect(result.errors.isEmpty, "only what went wrong is told beside the answer")

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
            #expect(answer["endReason"] == "failed" && answer["message"] == nil)
            let report = try #require(try JSONValue(parsing: failed.errors)["error"])
            #expect(report["code"] == "failed" && report["message"]?.stringValue?.contains("used up") == true)
            let unknown = try await Binary.run(
                ["chat", "--once", "x", "--json", "--model", "nobody/none"] + data,
                adding: variables
            )
            #expect(unknown.status == 1 && unknown.output.isEmpty)
            #expect(try await Binary.run(["chat", "--json"] + data).status == 2)
            #expect(try await Binary.run(["chat", "--once", " "] + data).status == 2)
        }
    }

    @Test("an answer that is not whole says so")
    func truncated() async throws {
        try await withShop { data, variables in
            let cut = try await Binary.run(["chat", "--once", "cut"] + data, adding: variables)
            #expect(cut.output == "It begins\n" && cut.errors.hasPrefix("(truncated: "), "\(cut.errors)")
            let json = try await Binary.run(["chat", "--once", "cut", "--json"] + data, adding: variables)
            #expect(try json.json().first?["endReason"] == "truncated")
            #expect(try JSONValue(parsing: json.errors)["error"]?["code"] == "truncated")
            #expect(json.status == cut.status)
        }
    }

    @Test("a base or table that is not there is not found, before a conversation is made")
    func unknownPlaces() async throws {
        try await withShop { data, variables in
            for place in [
                ["--base", "nowhere"], ["--table", "nowhere"], ["--base", "Products", "--table", "nowhere"],
            ] {
                let refused = try await Binary.run(["chat", "--once", "x", "--json"] + place + data, adding: variables)
                #expect(refused.status == 3 && refused.output.isEmpty, "\(refused.errors)")
                #expect(
                    try JSONValue(parsing: refused.errors)["error"]?["message"]?.stringValue?.contains("nowhere")
                        == true
                )
            }
            let second = URL(fileURLWithPath: data[1]).deletingLastPathComponent().appendingPathComponent("Shops.csv")
            try Data("Name\nMarket Hall\n".utf8).write(to: second)
            #expect(try await Binary.run(["import", second.path] + data).status == 0)
            for place in [["--base", "products", "--table", "products"], ["--table", "shops"]] {
                let found = try await Binary.run(["chat", "--once", "and else?"] + place + data, adding: variables)
                #expect(found.status == 0 && found.output == "I do not know.\n", "\(found.errors)")
            }
        }
    }

    @Test("with no base at all, that is said beside the answer")
    func noBases() async throws {
        try await withTemporaryDirectory { directory in
            let result = try await Binary.run(
                ["chat", "--once", "x", "--data", directory.path, "--embedder", "hash", "--model", "extractive"]
            )
            #expect(result.output.lowercased().contains("not found in your records"))
            #expect(result.errors.contains("pyairtable-ai import"))
        }
    }

    @Test("LLM-09: neither a model nor a record can tell the terminal to do things")
    func controlCharacters() async throws {
        try await withShop { data, variables in
            let answer = try await Binary.run(["chat", "--once", "escape"] + data, adding: variables)
            #expect(answer.output == #"\u{1B}]52;c;cm0=\u{7} is \u{1B}[31mred\u{9B}0m,"# + "\nbut\ttame\n")
            let json = try await Binary.run(["chat", "--once", "escape", "--json"] + data, adding: variables)
            #expect(try json.json().first?["answer"]?.stringValue?.contains(#"\u{1B}[31mred"#) == true)

            let file = URL(fileURLWithPath: data[1]).deletingLastPathComponent().appendingPathComponent("Wild.csv")
            try Data("Name,Notes\nWild \u{1B}[2J,Clears \u{1B}]0;title\u{7}\n".utf8).write(to: file)
            for arguments in [["import", file.path], ["index"]] {
                #expect(try await Binary.run(arguments + data).status == 0)
            }
            let hits = try await Binary.run(["search", "wild clears"] + data)
            #expect(hits.output.contains(#"Wild \u{1B}[2J"#) && !hits.output.contains("\u{1B}"), "\(hits.output)")
        }
    }

    @Test("jobs: an empty list says so beside stdout, what is no id is a usage error, an unknown job is not found")
    func jobs() async throws {
        try await withShop { data, _ in
            let list = try await Binary.run(["jobs", "list"] + data)
            #expect(list.status == 0 && list.output.isEmpty && list.errors == "no jobs\n")
            #expect(try await Binary.run(["jobs", "list", "--json"] + data).output == "[]\n")
            for verb in ["show", "cancel"] {
                let misspelt = try await Binary.run(["jobs", verb, "nonsense"] + data)
                #expect(misspelt.status == 2 && misspelt.errors.contains("jobs \(verb)"), "\(misspelt.errors)")
                let unknown = try await Binary.run(["jobs", verb, "jobAAAAAAAAAAAAAA", "--json"] + data)
                #expect(unknown.status == 3 && unknown.output.isEmpty)
                #expect(try JSONValue(parsing: unknown.errors)["error"]?["code"] == "notFound")
            }
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
