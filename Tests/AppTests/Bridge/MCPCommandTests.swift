import Domain
import Foundation
import TestSupport
import Testing

/// The `mcp` command as a client starts it.
@Suite("The mcp command", .serialized)
struct MCPCommandTests {
    private static let opening = """
        {"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},\
        "clientInfo":{"name":"t","version":"1"}}}
        {"jsonrpc":"2.0","method":"notifications/initialized"}

        """

    private static func call(_ id: Int, _ tool: String, _ arguments: JSONValue = [:]) -> String {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": .number(JSONNumber(id)), "method": "tools/call",
            "params": ["name": .string(tool), "arguments": arguments],
        ]
        return message.text + "\n"
    }

    private static func reply(_ id: Int, in result: Binary.Result) throws -> JSONValue {
        try #require(try result.json().first { $0["id"]?.intValue == id }, "\(result.output)\(result.errors)")
    }

    private func imported(_ directory: URL) async throws -> String {
        let file = directory.appendingPathComponent("People.csv")
        try Data("Name,City\nAda,London\nGrace,New York\n".utf8).write(to: file)
        let data = directory.path + "/data"
        let made = try await Binary.run(["import", file.path, "--base", "Crew", "--data", data, "--embedder", "hash"])
        #expect(made.status == 0, "\(made.errors)")
        return data
    }

    @Test("a bridge answers as the server does, in both eras, and leaves no session behind")
    func bridge() async throws {
        try await withTemporaryDirectory { directory in
            let data = try await imported(directory)
            try await withServer(data: data, adding: ["--embedder", "hash"]) { url, key, _ in
                let variables = ["PYAIRTABLE_KEY": key]
                let list = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"# + "\n"
                let old = try await Binary.run(
                    ["mcp", "--url", url],
                    input: Self.opening + list + Self.call(2, "list_bases"),
                    adding: variables,
                    timeout: 30
                )
                #expect(old.status == 0, "\(old.errors)")
                #expect(try Self.reply(0, in: old)["result"]?["protocolVersion"] == "2025-11-25")
                let tools = try Self.reply(1, in: old)["result"]?["tools"]?.arrayValue ?? []
                #expect(tools.contains { $0["name"] == "search_records" })
                #expect(try Self.reply(2, in: old).text.contains("Crew"))
                #expect(try old.json().count == 3)
                // What stdout of a server over the data directory itself says.
                let own = try await Binary.run(
                    ["mcp", "--data", data, "--embedder", "hash"],
                    input: Self.opening + Self.call(2, "list_bases"),
                    timeout: 30
                )
                #expect(try Self.reply(2, in: own) == Self.reply(2, in: old))

                let wrong = try await Binary.run(
                    ["mcp", "--url", url],
                    input: Self.opening,
                    adding: ["PYAIRTABLE_KEY": key + "x"],
                    timeout: 30
                )
                let error = try Self.reply(0, in: wrong)["error"]
                #expect(error?["code"]?.intValue == -31_011 && error?["data"]?["status"]?.intValue == 401)
                #expect(!wrong.output.contains(key) && !wrong.errors.contains(key))
            }
        }
    }

    @Test("with no server there is an answer that says so, and the bridge ends with its input")
    func away() async throws {
        let result = try await Binary.run(["mcp", "--url", "http://127.0.0.1:9"], input: Self.opening, timeout: 30)
        #expect(result.status == 0)
        #expect(try Self.reply(0, in: result)["error"]?["code"]?.intValue == -31_010)
        #expect(try result.json().count == 1)
    }

    @Test("what excludes itself, and what is not there, is told before anything starts")
    func usage() async throws {
        for arguments in [
            ["--url", "http://127.0.0.1:9", "--data", "x"], ["--url", "http://a.example"], ["--url", "nonsense"],
            ["--url", "http://127.0.0.1:9", "--writes", "off"], ["--toolsets", "recrods"], ["--toolsets", ","],
            ["install"],
            ["install", "--client", "emacs"],
            ["install", "--client", "cursor", "--data", "a", "--url", "http://127.0.0.1:9"],
        ] {
            let result = try await Binary.run(["mcp"] + arguments, timeout: 30)
            #expect(result.status != 0 && result.output.isEmpty, "\(arguments)")
            #expect(!result.errors.isEmpty)
        }
        let misspelt = try await Binary.run(["mcp", "--toolsets", "recrods"], timeout: 30)
        #expect(misspelt.errors.contains("did you mean \"records\"?"))
    }

    @Test("install prints what starts this binary, and with --write puts it in and keeps what is there")
    func install() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.path + "/mcp.json"
            let common = ["mcp", "install", "--client", "cursor", "--data", "somewhere", "--read-only"]
            let printed = try await Binary.run(common, timeout: 30)
            let entry = try #require(try JSONValue(parsing: printed.output)["mcpServers"]?["pyairtable"])
            let command = try #require(entry["command"]?.stringValue)
            #expect(command == Binary.url.resolvingSymlinksInPath().path)
            let arguments = entry["args"]?.arrayValue?.compactMap(\.stringValue) ?? []
            #expect(arguments.first == "mcp" && arguments.last == "--read-only")
            let data = try #require(arguments.dropFirst(2).first)
            #expect(data.hasPrefix("/") && data.hasSuffix("/somewhere"))
            #expect(printed.errors.contains(".cursor/mcp.json"))

            try Data(#"{"mcpServers":{"other":{"command":"o"}},"x":1}"#.utf8).write(to: URL(fileURLWithPath: file))
            let written = try await Binary.run(common + ["--file", file, "--write"], timeout: 30)
            #expect(written.status == 0, "\(written.errors)")
            let now = try JSONValue(parsing: String(contentsOfFile: file, encoding: .utf8))
            #expect(now["mcpServers"]?["pyairtable"] == entry && now["mcpServers"]?["other"] == ["command": "o"])
            #expect(now["x"] == 1)
            // It starts as it says.
            let started = try await Binary.run(
                arguments.map { $0 == data ? directory.path + "/data" : $0 } + ["--embedder", "hash"],
                input: Self.opening,
                program: URL(fileURLWithPath: command),
                timeout: 60
            )
            #expect(try Self.reply(0, in: started)["result"] != nil)

            let linked = ["mcp", "install", "--client", "claude-desktop", "--url", "http://127.0.0.1:8080"]
            let shown = try await Binary.run(linked, adding: ["PYAIRTABLE_KEY": "pat_live_secret"], timeout: 30)
            #expect(shown.output.contains("--url") && !shown.output.contains("pat_live_secret"))
            let keyless = try await Binary.run(linked + ["--write", "--file", file], timeout: 30)
            #expect(keyless.status == 4)
            let keyed = try await Binary.run(
                linked + ["--write", "--file", file, "--name", "linked"],
                adding: ["PYAIRTABLE_KEY": "pat_live_secret"],
                timeout: 30
            )
            #expect(keyed.status == 0 && !keyed.output.contains("pat_live_secret"))
            let kept = try JSONValue(parsing: String(contentsOfFile: file, encoding: .utf8))
            #expect(kept["mcpServers"]?["linked"]?["env"] == ["PYAIRTABLE_KEY": "pat_live_secret"])
        }
    }

    @Test("a token of the hosted service is all the set-up there is: its bases are there at once, and found by words")
    func hosted() async throws {
        try await withTemporaryDirectory { directory in
            let upstream = try await imported(directory)
            // Where nobody has data already.
            let empty = directory.appendingPathComponent("empty")
            try FileManager.default.createDirectory(at: empty, withIntermediateDirectories: true)
            try await withServer(data: upstream, adding: ["--embedder", "hash"]) { url, key, _ in
                let variables = [
                    "AIRTABLE_ENDPOINT_URL": url, "AIRTABLE_API_KEY": key,
                    "XDG_STATE_HOME": directory.path + "/state", "PYAIRTABLE_EMBEDDER": "hash",
                ]
                let ask = Self.opening + Self.call(1, "list_bases")
                let first = try await Binary.run(["mcp"], input: ask, adding: variables, in: empty, timeout: 60)
                #expect(first.status == 0, "\(first.errors)")
                #expect(try Self.reply(1, in: first).text.contains("Crew"), "\(first.output)\(first.errors)")
                let state = try FileManager.default.contentsOfDirectory(
                    atPath: directory.path + "/state/pyairtable-ai"
                )
                #expect(state.count == 1 && !state[0].contains(key))
                let records = Self.opening + Self.call(1, "list_records", ["base": "Crew", "table": "People"])
                let read = try await Binary.run(["mcp"], input: records, adding: variables, in: empty, timeout: 60)
                #expect(try Self.reply(1, in: read).text.contains("Grace"))
                // A token that is none says so in the answer.
                var wrong = variables
                wrong["AIRTABLE_API_KEY"] = "patNone"
                let refused = try await Binary.run(["mcp"], input: ask, adding: wrong, in: empty, timeout: 60)
                let answer = try Self.reply(1, in: refused)
                #expect(answer["error"] != nil || answer["result"]?["isError"] == true, "\(answer)")
            }
        }
    }
}
