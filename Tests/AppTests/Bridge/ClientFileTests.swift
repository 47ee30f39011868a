import Domain
import Foundation
import TestSupport
import Testing

@testable import App

@Suite("Files of MCP clients")
struct ClientFileTests {
    private static let start = MCPServerStart(
        command: "/opt/pyairtable-ai",
        arguments: ["mcp", "--data", "/srv/data"],
        environment: ["B": "2", "A": "1"]
    )

    @Test("each client has its own file, member and form", arguments: MCPClientProgram.allCases)
    func forms(_ client: MCPClientProgram) {
        let entry = client.entry(Self.start)
        #expect(entry["command"] == "/opt/pyairtable-ai")
        #expect(entry["args"] == ["mcp", "--data", "/srv/data"])
        #expect(entry["env"]?.objectValue?.keys == ["A", "B"])
        #expect((entry["type"] == "stdio") == (client == .visualStudioCode))
        #expect(client.serversMember == (client == .visualStudioCode ? "servers" : "mcpServers"))
        let path = client.path(home: "/home/a", environment: [:])
        #expect(path.hasPrefix("/home/a/") && path.hasSuffix(".json"))
        #expect(client.entry(MCPServerStart(command: "/x", arguments: []))["env"] == nil)
    }

    @Test("paths are those where the programs look")
    func paths() {
        #if os(Linux)
            let claude = MCPClientProgram.claudeDesktop
            #expect(claude.path(home: "/h", environment: [:]) == "/h/.config/Claude/claude_desktop_config.json")
            let named = ["XDG_CONFIG_HOME": "/c"]
            #expect(claude.path(home: "/h", environment: named) == "/c/Claude/claude_desktop_config.json")
            #expect(MCPClientProgram.visualStudioCode.path(home: "/h", environment: named) == "/c/Code/User/mcp.json")
        #endif
        #expect(MCPClientProgram.cursor.path(home: "/h", environment: [:]) == "/h/.cursor/mcp.json")
    }

    private func merged(_ text: String?, name: String = "own", entry: JSONValue = ["command": "x"]) throws -> String? {
        try MCPClientFile.merged(
            text.map { Array($0.utf8) },
            member: "mcpServers",
            name: name,
            entry: entry,
            path: "f"
        ).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("one server is put in; everything else stays, in its order, numbers with their digits")
    func merging() throws {
        let before = """
            {"z": 1.0e5, "theme": {"b": [1, null, {}], "a": "é\\u0007"}, "mcpServers": {"b": {"command": "b", "new": true},
             "own": {"command": "old", "disabled": true}, "a": {}}, "big": 123456789012345678901234567890}
            """
        let text = try #require(try merged(before))
        let after = try JSONValue(parsing: text)
        let old = try JSONValue(parsing: before)
        #expect(after.objectValue?.keys == old.objectValue?.keys)
        for key in ["z", "theme", "big"] { #expect(after[key]?.text == old[key]?.text) }
        #expect(text.contains("1.0e5") && text.contains("123456789012345678901234567890"))
        let servers = try #require(after["mcpServers"]?.objectValue)
        #expect(servers.keys == ["b", "own", "a"])
        #expect(servers["own"] == ["command": "x"])
        #expect(servers["b"] == old["mcpServers"]?["b"])
        // What says so already is left alone, whatever its white space.
        #expect(try merged(text) == nil)
        for empty in [nil, "", " \n", "{}", #"{"mcpServers":null}"#] {
            #expect(try JSONValue(parsing: merged(empty) ?? "") == ["mcpServers": ["own": ["command": "x"]]])
        }
    }

    @Test("what is no JSON, no object, or has something else in that place is refused")
    func refusals() {
        for text in [
            "// a comment\n{}", "{\"a\": 1,}", "[]", "1", "\"mcpServers\"", "{", "{\"a\":1,\"a\":2}",
        ] { #expect(throws: ClientFileError.notJSON("", "")) { try merged(text) } }
        for text in [#"{"mcpServers":[]}"#, #"{"mcpServers":"x"}"#, #"{"mcpServers":false}"#] {
            #expect(throws: ClientFileError.notServers("", "")) { try merged(text) }
        }
    }

    @Test(
        "a file is replaced whole, through a link, with its mode kept and a copy beside; a new one is its owner's only"
    )
    func writing() async throws {
        try await withTemporaryDirectory { directory in
            let files = FileManager.default
            func mode(_ path: String) throws -> Int? {
                try (files.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
            }
            let real = directory.path + "/real.json"
            let link = directory.path + "/linked.json"
            try Data(#"{"keep":1}"#.utf8).write(to: URL(fileURLWithPath: real))
            try files.setAttributes([.posixPermissions: 0o640], ofItemAtPath: real)
            try files.createSymbolicLink(atPath: link, withDestinationPath: real)
            let file = MCPClientFile(path: link, member: "mcpServers")
            guard case .written(let backup?) = try file.put(["command": "x"], name: "own") else {
                throw TestSupportError("nothing was written")
            }
            #expect(files.contents(atPath: backup) == Data(#"{"keep":1}"#.utf8))
            #expect(try mode(real) == 0o640 && mode(backup) == 0o640)
            #expect(try files.destinationOfSymbolicLink(atPath: link) == real)
            let now = try JSONValue(parsing: String(decoding: files.contents(atPath: real) ?? Data(), as: UTF8.self))
            #expect(now == ["keep": 1, "mcpServers": ["own": ["command": "x"]]])
            #expect(try file.put(["command": "x"], name: "own") == .unchanged)
            #expect(try files.contentsOfDirectory(atPath: directory.path).count == 3)

            let new = directory.path + "/deep/er/new.json"
            #expect(try MCPClientFile(path: new, member: "servers").put([:], name: "own") == .written(backup: nil))
            #expect(try mode(new) == 0o600)

            try Data("{ // mine\n}".utf8).write(to: URL(fileURLWithPath: real))
            #expect(throws: ClientFileError.notJSON("", "")) { try file.put(["command": "x"], name: "own") }
            #expect(files.contents(atPath: real) == Data("{ // mine\n}".utf8))
            #expect(try files.contentsOfDirectory(atPath: directory.path).count == 4)
        }
    }
}
