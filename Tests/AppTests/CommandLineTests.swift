import App
import Domain
import Foundation
import TestSupport
import Testing

@Suite("The command line")
struct CommandLineTests {
    @Test(
        "exits with 2 for what it does not understand",
        arguments: [
            ["frobnicate"], ["search"], ["import"], ["import", "x.csv", "--replace", "--append"],
            ["key", "revoke", "x"],
        ]
    )
    func usage(arguments: [String]) async throws {
        try await withTemporaryDirectory { directory in
            let result = try await Binary.run(
                arguments + (arguments[0] == "frobnicate" ? [] : ["--data", directory.path])
            )
            #expect(result.status == 2)
            #expect(result.output.isEmpty)
            #expect(!result.errors.isEmpty)
        }
    }

    @Test("exits with 0 for help and version, on stdout", arguments: ["--help", "--version"])
    func help(argument: String) async throws {
        let result = try await Binary.run([argument])
        #expect(result.status == 0)
        #expect(!result.output.isEmpty)
        #expect(result.errors.isEmpty)
    }

    @Test("exits with 3 for what does not exist, 4 for what is not configured, and says it as JSON when asked")
    func failures() async throws {
        try await withTemporaryDirectory { directory in
            let data = directory.appendingPathComponent("data").path
            let missing = try await Binary.run(["import", "--json", "--data", data, directory.path + "/none.csv"])
            #expect(missing.status == 3)
            let report = try JSONValue(parsing: missing.errors)
            #expect(report["error"]?["code"]?.stringValue == "UNREADABLE_FILE")
            #expect(report["error"]?["message"]?.stringValue?.contains("none.csv") == true)

            let model = ["search", "x", "--data", data, "--model-dir", directory.path]
            let unconfigured = try await Binary.run(model)
            #expect(unconfigured.status == 4)
            #expect(unconfigured.errors.contains("scripts/setup"))

            let setting = try await Binary.run([
                "search", "x", "--data", data, "--threads", "many", "--embedder", "magic",
            ])
            #expect(setting.status == 4)
            #expect(setting.errors.contains("--threads"))
            #expect(setting.errors.contains("--embedder"))
        }
    }

    @Test("shows where each setting comes from, and no secret")
    func config() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("config.json")
            try Data(#"{"logLevel":"error","bnid":"127.0.0.1:1"}"#.utf8).write(to: file)
            let result = try await Binary.run(
                ["config", "--data", directory.path, "--threads", "3"],
                adding: [
                    "PYAIRTABLE_DATABASE_URL": "postgres://me:hidden-word@127.0.0.1/x?password=also-hidden",
                    "PYAIRTABLE_MASTER_KEY": "hidden-key",
                ]
            )
            #expect(result.status == 0)
            #expect(result.output.contains("THREADS            3  (flag)"))
            #expect(result.output.contains("LOG_LEVEL          error  (file)"))
            #expect(result.output.contains("(environment)"))
            #expect(!result.output.contains("hidden"))
            #expect(result.errors.contains("unknown setting bnid (did you mean bind?)"))
        }
    }

    @Test("docs/configuration.md holds the table that the code generates")
    func documented() throws {
        let page = try String(
            contentsOf: repositoryRoot.appendingPathComponent("docs/configuration.md"),
            encoding: .utf8
        )
        #expect(page.contains(Setting.markdownTable), "run: pyairtable-ai config --markdown")
    }

    @Test("makes, lists and revokes keys, and shows a key only once")
    func keys() async throws {
        try await withTemporaryDirectory { directory in
            let data = ["--data", directory.path, "--json"]
            let made = try await Binary.run(["key", "create", "--name", "ci", "--scopes", "search,bases:read"] + data)
            let key = try #require(try made.json().first?["key"]?.stringValue)
            let id = try #require(try made.json().first?["id"]?.stringValue)
            let list = try await Binary.run(["key", "list"] + data)
            #expect(!list.output.contains(key))
            #expect(try list.json().first?[0]?["scopes"]?.arrayValue?.count == 2)
            #expect(try await Binary.run(["key", "revoke", id] + data).status == 0)
            #expect(try await Binary.run(["key", "revoke", id] + data).status == 3)
            let wrong = try await Binary.run(["key", "create", "--scopes", "serch"] + data)
            #expect(wrong.status == 2)
            #expect(wrong.errors.contains("did you mean search?"))
        }
    }

    @Test("embed replaces a file through a link, keeps its permissions, and never replaces a device")
    func embedOutput() async throws {
        try await withTemporaryDirectory { directory in
            let file = directory.appendingPathComponent("real.npy")
            let link = directory.appendingPathComponent("link.npy")
            try Data("old".utf8).write(to: file)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: file.path)
            try FileManager.default.createSymbolicLink(at: link, withDestinationURL: file)
            let made = try await Binary.run(["embed", "--input", "-", "--output", link.path], input: "a\nb\n")
            #expect(made.status == 0, "\(made.errors)")
            #expect(try Data(contentsOf: file).count == 128 + 2 * 384 * 4)
            let attributes = try FileManager.default.attributesOfItem(atPath: file.path)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: link.path) == file.path)

            let pipe = directory.appendingPathComponent("pipe").path
            #expect(mkfifo(pipe, 0o600) == 0)
            let refused = try await Binary.run(["embed", "--input", "-", "--output", pipe], input: "a\n")
            #expect(refused.status == 1)
            #expect(refused.errors.contains("is no regular file"))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).count == 3)
        }
    }

    @Test("a misspelt data directory is told, not made")
    func missingData() async throws {
        try await withTemporaryDirectory { directory in
            let missing = directory.path + "/misspelt"
            for command in [["search", "x"], ["index"]] {
                let result = try await Binary.run(command + ["--json", "--data", missing, "--embedder", "hash"])
                #expect(result.status == 3)
                #expect(try JSONValue(parsing: result.errors)["error"]?["code"]?.stringValue == "dataMissing")
            }
            #expect(!FileManager.default.fileExists(atPath: missing))
        }
    }

    @Test("search --batch names the line that is no question, and the answers before it stand")
    func batchLine() async throws {
        try await withTemporaryDirectory { directory in
            let options = ["--data", directory.path + "/data", "--embedder", "hash"]
            let file = directory.appendingPathComponent("A.csv")
            try Data("Name\none\n".utf8).write(to: file)
            #expect(try await Binary.run(["import", file.path] + options).status == 0)
            let input = #"{"id":1,"query":"one","k":3}"# + "\n" + #"{"id":2,"query":""}"# + "\n"
            let result = try await Binary.run(["search", "--batch", "--json"] + options, input: input)
            #expect(result.status == 1)
            #expect(try result.json().count == 1)
            #expect(result.errors.contains("line 2 of the input"))
        }
    }

    @Test("text of records gives the terminal no commands")
    func terminal() async throws {
        try await withTemporaryDirectory { directory in
            let options = ["--data", directory.path + "/data", "--embedder", "hash"]
            let file = directory.appendingPathComponent("A.csv")
            try Data("Name\n\u{1B}]52;c;eA==\u{7} walrus \u{202E}\u{9B}2J\n".utf8).write(to: file)
            #expect(try await Binary.run(["import", file.path] + options).status == 0)
            #expect(try await Binary.run(["index"] + options).status == 0)
            let found = try await Binary.run(["search", "walrus"] + options)
            #expect(found.output.contains("\\u{1B}]52;c;eA==\\u{7} walrus \\u{202E}\\u{9B}2J"), "\(found.output)")
            let asked = try await Binary.run(
                ["chat", "--model", "extractive"] + options,
                input: "What is the walrus?\n"
            )
            #expect(asked.status == 0)
            for output in [found.output, asked.output] {
                #expect(!output.unicodeScalars.contains { [0x1B, 0x07, 0x9B, 0x202E].contains($0.value) })
            }
        }
    }

    @Test("no password is printed, however wrong the URL that holds it")
    func passwords() async throws {
        try await withTemporaryDirectory { directory in
            for url in ["postgresql+asyncpg://u:secret@h/db", "host=h password=secret", "postgres://u:x@secret@h/db"] {
                for command in [["config"], ["search", "x"], ["config", "--json"]] {
                    let result = try await Binary.run(
                        command + ["--data", directory.path],
                        adding: ["PYAIRTABLE_DATABASE_URL": url]
                    )
                    #expect(!(result.output + result.errors).contains("secret"), "\(result.output)\(result.errors)")
                }
            }
        }
    }

    @Test("serve says who has the address, and ends with 5")
    func addressInUse() async throws {
        try await withTemporaryDirectory { directory in
            try await withServer(data: directory.path + "/one", adding: ["--embedder", "hash"]) { url, _, _ in
                let address = String(url.dropFirst("http://".count))
                let second = try await Binary.run([
                    "serve", "--json", "--data", directory.path + "/two", "--embedder", "hash", "--bind", address,
                    "--admin-bind", "off",
                ])
                #expect(second.status == 5, "\(second.errors)")
                #expect(second.errors.contains("addressInUse"))
                #expect(second.errors.contains(address))
            }
        }
    }

    @Test("key create takes no number of days that is no date")
    func days() async throws {
        for days in ["0", "36501", "99999999999"] {
            #expect(try await Binary.run(["key", "create", "--days", days, "--data", "unused"]).status == 2)
        }
    }

    @Test("serve shows the process itself among the metrics of its admin listener")
    func metrics() async throws {
        try await withTemporaryDirectory { directory in
            let server = try Binary.Running([
                "serve", "--json", "--data", directory.path + "/data", "--embedder", "hash",
                "--bind", "127.0.0.1:0", "--admin-bind", "127.0.0.1:0",
            ])
            defer { server.kill() }
            let admin = #/"listener":"admin","port":"(\d+)"/#
            try await eventually("the admin listener is ready") { server.errors.contains(admin) }
            let port = try #require(server.errors.firstMatch(of: admin)?.output.1)
            let reply = try await Binary.run(
                ["-sS", "http://127.0.0.1:\(port)/metrics"],
                program: URL(fileURLWithPath: "/usr/bin/curl")
            )
            #expect(reply.output.contains(#/process_resident_memory_bytes [1-9]/#), "\(reply.output)\(reply.errors)")
        }
    }
}
