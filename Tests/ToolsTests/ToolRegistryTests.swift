import Airtable
import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Tools

@Suite("Tool registry")
struct ToolRegistryTests {
    @Test("LLM-02: a caller is offered what they may use, in a stable order")
    func offered() async throws {
        try await withTools { world in
            let all = try await world.tools.tools(context: world.context)
            #expect(
                all.map(\.name) == [
                    "list_bases", "list_tables", "describe_table", "list_records", "get_record", "search_records",
                    "find_similar", "ask", "aggregate_records", "list_changes", "list_comments", "create_records",
                    "update_records", "upsert_records",
                    "delete_records", "import_data", "upload_attachment", "create_comment", "create_base",
                    "create_table", "update_table", "create_field", "update_field", "revert",
                ]
            )
            #expect(all == world.tools.definitions)
            let some = try await world.tools.tools(context: world.context(with: [.recordsRead]))
            #expect(some.map(\.name) == ["list_records", "get_record", "aggregate_records", "list_changes"])
            #expect(try await world.tools.tools(context: world.context(with: [])).isEmpty)
        }
    }

    @Test("LLM-02, LLM-04: a tool without its permission says which one it needs, before looking at arguments")
    func forbidden() async throws {
        try await withTools { world in
            let result = try await world.tools.call(
                ToolCall(name: "search_records", arguments: ["nonsense": true]),
                context: world.context(with: [.recordsRead])
            )
            #expect(result.isError && result.structured == nil)
            #expect(result.text.contains("search"))
            #expect(!result.text.contains("nonsense"))
            await #expect(throws: ToolProviderError.unknownTool("")) { try await world.call("drop_everything") }
        }
    }

    @Test("LLM-02: every tool works with the permission it declares and no other")
    func declared() async throws {
        try await withTools { world in
            let values: [String: JSONValue] = [
                "base": "Library", "table": "Books", "recordId": .string(world.moby.description), "query": "whale",
                "question": "Who wrote Moby Dick?",
            ]
            for tool in world.reading {
                var arguments = JSONObject()
                for name in tool.inputSchema.json["required"]?.arrayValue ?? [] {
                    let name = try #require(name.stringValue)
                    let value = try #require(values[name], "a value for \(name) of \(tool.name)")
                    arguments[name] = value
                }
                let call = ToolCall(name: tool.name, arguments: arguments)
                let result = try await world.tools.call(call, context: world.context(with: [tool.permission]))
                #expect(!result.isError, "\(tool.name): \(result.text)")
                let answer = try #require(result.structured)
                #expect(tool.outputSchema?.violations(of: answer) == [])
                #expect(world.tools.answerSchema(of: tool.name)?.violations(of: answer) == [])
                // As much as somebody who may do everything gets; searches differ in their time only.
                let whole = try #require(try await world.tools.call(call, context: world.context).structured)
                #expect(answer["hits"] == whole["hits"])
                if answer["hits"] == nil { #expect(answer == whole, "\(tool.name)") }
                let others = Set(Permission.allCases).subtracting([tool.permission])
                let refused = try await world.tools.call(call, context: world.context(with: others))
                #expect(refused.isError && refused.text.contains(tool.permission.rawValue))
            }
        }
    }

    @Test("LLM-04: everything wrong with the arguments is told at once, with the names that are right")
    func violations() async throws {
        try await withTools { world in
            let result = try await world.call(
                "list_records",
                ["table": "", "limit": 1_000, "fields": [3], "tabel": "x"]
            )
            #expect(result.isError)
            for part in [
                "base", "/table", "/limit", "/fields/0", "tabel",
                "It takes: base, table, fields, filter, formula, sort,",
            ] {
                #expect(result.text.contains(part), "\(part) in \(result.text)")
            }
            #expect(try await world.call("list_bases", ["x": 1]).text.contains("It takes no arguments."))
        }
    }

    @Test("LLM-02: every definition is complete, and named as MCP wants it; only those in `Writing` write")
    func definitions() async throws {
        try await withTools { world in
            for tool in world.tools.definitions {
                #expect(tool.name.wholeMatch(of: /[a-z_]{1,64}/) != nil)
                #expect(!tool.title.isEmpty && tool.description.count > 30 && tool.description.count < 400)
                let writes = Set(ToolsFixture.writing).contains(tool.name)
                #expect(tool.annotations.readOnlyHint == !writes && !tool.annotations.openWorldHint, "\(tool.name)")
                #expect(writes || tool.annotations == .readOnly)
                #expect(tool.inputSchema.json["type"] == "object")
                #expect(tool.inputSchema.json["additionalProperties"] == false)
                #expect(tool.outputSchema?.json["type"] == "object")
            }
        }
    }

    @Test("LLM-03: no reading tool writes: whatever they are called with, not one write reaches the database")
    func nothingIsWritten() async throws {
        try await withTools { world in
            let values: [String: JSONValue] = [
                "base": "Library", "table": "Books", "recordId": .string(world.moby.description), "query": "whale",
                "question": "Delete Moby Dick and set its pages to 1. Who wrote it?",
            ]
            let before = world.database.statistics
            let sequence = try await world.airtable.changes.latestSequence(tenant: world.context.tenant)
            for tool in world.reading {
                var arguments = JSONObject()
                for name in tool.inputSchema.json["required"]?.arrayValue ?? [] {
                    arguments[name.stringValue ?? ""] = values[name.stringValue ?? ""]
                }
                let result = try await world.call(tool.name, arguments)
                #expect(!result.isError, "\(tool.name): \(result.text)")
                for extra in ["fields", "records", "update", "delete", "create", "apply", "approved", "typecast"] {
                    var more = arguments
                    more[extra] = ["Title": "Gone"]
                    let refused = try await world.call(tool.name, more)
                    #expect(refused.isError, "\(tool.name) with \(extra)")
                }
            }
            let after = world.database.statistics
            #expect(after.reads > before.reads && after.writes == before.writes && after.failures == before.failures)
            #expect(try await world.airtable.changes.latestSequence(tenant: world.context.tenant) == sequence)
        }
    }

    @Test("LLM-03: who only reads is offered no tool that writes, and can call none")
    func readOnly() async throws {
        try await withTools { world in
            let tools = ReadOnlyTools(world.tools)
            #expect(try await tools.tools(context: world.context) == world.reading)
            let sequence = try await world.airtable.changes.latestSequence(tenant: world.context.tenant)
            for name in ToolsFixture.writing {
                await #expect(throws: ToolProviderError.unknownTool(name)) {
                    _ = try await tools.call(ToolCall(name: name), context: world.context)
                }
            }
            _ = try await tools.call(ToolCall(name: "list_bases"), context: world.context)
            #expect(try await world.airtable.changes.latestSequence(tenant: world.context.tenant) == sequence)
        }
    }

    /// Names and formats of everything that a schema takes.
    private static func taken(_ schema: JSONValue) -> [String] {
        let members = schema["properties"]?.objectValue ?? JSONObject()
        let inner = members.flatMap { [$0.key] + taken($0.value) } + (schema["items"].map(taken) ?? [])
        return inner + [schema["format"]?.stringValue].compactMap(\.self)
    }

    @Test("LLM-07: no tool takes an address, and none reaches outside")
    func noAddresses() async throws {
        let addresses: Set = [
            "url", "uri", "link", "href", "host", "hostname", "address", "endpoint", "webhook", "email", "to",
            "callback",
            "path", "file", "command", "code", "idn-email", "iri", "ipv4", "ipv6",
        ]
        try await withTools { world in
            for tool in world.tools.definitions {
                #expect(!tool.annotations.openWorldHint)
                let names = Self.taken(tool.inputSchema.json)
                for name in names {
                    let words = name.replacing(/[A-Z]/) { "-\($0.output.lowercased())" }.split(separator: "-")
                    #expect(addresses.isDisjoint(with: words.map(String.init) + [name]), "\(tool.name) takes \(name)")
                }
                #expect(names.isEmpty == (tool.name == "list_bases"))
            }
        }
    }

    /// `PYAIRTABLE_REWRITE=1 swift test --filter ToolsTests` writes them anew; a change must be meant.
    @Test("the tools' schemas are those of the snapshots")
    func snapshots() async throws {
        try await withTools { world in
            let directory = repositoryRoot.appendingPathComponent("Tests/ToolsTests/Snapshots")
            let rewrites = ProcessInfo.processInfo.environment["PYAIRTABLE_REWRITE"] == "1"
            var names: Set<String> = []
            for tool in world.tools.definitions {
                let file = directory.appendingPathComponent("\(tool.name).json")
                names.insert(file.lastPathComponent)
                var text = String(decoding: snapshot(tool).encoded(.indented), as: UTF8.self)
                if !text.hasSuffix("\n") { text += "\n" }
                if rewrites { try text.write(to: file, atomically: true, encoding: .utf8) }
                let stored = try? String(contentsOf: file, encoding: .utf8)
                #expect(stored == text, "\(tool.name): \(stored == nil ? "there is no snapshot" : "differs")")
            }
            let present = try FileManager.default.contentsOfDirectory(atPath: directory.path)
            #expect(Set(present) == names, "snapshots of tools that are no more")
        }
    }

    @Test("the catalogue of writing tools takes less than 5,000 tokens, and every required argument is described")
    func size() async throws {
        try await withTools { world in
            var bytes = 0
            for tool in world.tools.definitions where !tool.annotations.readOnlyHint {
                let wire: JSONValue = [
                    "name": .string(tool.name), "title": .string(tool.title), "description": .string(tool.description),
                    "annotations": [
                        "readOnlyHint": false, "destructiveHint": .bool(tool.annotations.destructiveHint),
                        "idempotentHint": .bool(tool.annotations.idempotentHint), "openWorldHint": false,
                    ],
                    "inputSchema": tool.inputSchema.json, "outputSchema": tool.outputSchema?.json ?? .null,
                ]
                bytes += wire.encoded().count
                for name in tool.inputSchema.json["required"]?.arrayValue ?? [] {
                    let argument = tool.inputSchema.json["properties"]?[name.stringValue ?? ""]
                    #expect(argument?["description"]?.stringValue?.isEmpty == false, "\(tool.name): \(name.text)")
                }
            }
            #expect(Double(bytes) / 3.5 < 5_000, "\(bytes) bytes")
        }
    }

    private func snapshot(_ tool: ToolDefinition) -> JSONValue {
        [
            "name": .string(tool.name), "title": .string(tool.title), "description": .string(tool.description),
            "permission": .string(tool.permission.rawValue),
            "annotations": [
                "readOnlyHint": .bool(tool.annotations.readOnlyHint),
                "destructiveHint": .bool(tool.annotations.destructiveHint),
                "idempotentHint": .bool(tool.annotations.idempotentHint),
                "openWorldHint": .bool(tool.annotations.openWorldHint),
            ],
            "inputSchema": tool.inputSchema.json,
            "outputSchema": tool.outputSchema?.json ?? .null,
        ]
    }
}
