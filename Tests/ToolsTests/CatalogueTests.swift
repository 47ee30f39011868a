import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Catalogue of tools")
struct CatalogueTests {
    @Test(
        "every reading tool is called for real, and answers what its schemas say; of writing ones their own suites do"
    )
    func calls() async throws {
        try await withTools { world in
            let calls = ToolCalls.all(world)
            #expect(
                Set(calls.keys) == Set(world.reading.map(\.name)),
                "a tool without a call, or the reverse"
            )
            for tool in world.reading {
                for arguments in try #require(calls[tool.name]) {
                    let result = try await world.call(tool.name, arguments)
                    #expect(!result.isError, "\(tool.name) \(arguments): \(result.text)")
                    let answer = try #require(result.structured)
                    #expect(tool.outputSchema?.violations(of: answer) == [], "\(tool.name)")
                    #expect(world.tools.answerSchema(of: tool.name)?.violations(of: answer) == [], "\(tool.name)")
                    #expect(!result.text.isEmpty)
                }
            }
        }
    }

    /// About what a client's model pays for the list before it has done anything.
    @Test("the list of all tools takes fewer than 10,000 tokens, and the reading ones half of it")
    func size() async throws {
        try await withTools { world in
            func tokens(_ tools: [ToolDefinition]) -> Int {
                tools.reduce(0) { sum, tool in
                    let entry: JSONValue = [
                        "name": .string(tool.name), "title": .string(tool.title),
                        "description": .string(tool.description), "inputSchema": tool.inputSchema.json,
                        "outputSchema": tool.outputSchema?.json ?? .null,
                        "annotations": [
                            "readOnlyHint": .bool(true), "destructiveHint": .bool(true), "idempotentHint": .bool(true),
                            "openWorldHint": .bool(true),
                        ],
                    ]
                    return sum + entry.encoded().count
                } * 2 / 7
            }
            let tools = world.tools.definitions
            let reading = tokens(tools.filter(\.annotations.readOnlyHint))
            #expect(tokens(tools) < 10_000 && reading < 5_000, "\(tokens(tools)) tokens, \(reading) of reading")
        }
    }

    @Test("schemas are plain: no dialect, properties in every object, every required argument described")
    func plain() async throws {
        @Sendable func check(_ schema: JSONValue, _ tool: String) {
            guard let keywords = schema.objectValue else { return }
            #expect(keywords["$schema"] == nil && keywords["$ref"] == nil, "\(tool)")
            if keywords["type"] == "object" {
                #expect(keywords["properties"]?.objectValue != nil, "\(tool): \(schema.text)")
            }
            for (_, inner) in keywords["properties"]?.objectValue ?? [:] { check(inner, tool) }
            for key in ["items", "additionalProperties"] { if let inner = keywords[key] { check(inner, tool) } }
            for key in ["anyOf", "oneOf"] { for inner in keywords[key]?.arrayValue ?? [] { check(inner, tool) } }
        }
        try await withTools { world in
            for tool in world.tools.definitions {
                let output = try #require(tool.outputSchema)
                check(tool.inputSchema.json, tool.name)
                check(output.json, tool.name)
                for name in tool.inputSchema.json["required"]?.arrayValue ?? [] {
                    let argument = tool.inputSchema.json["properties"]?[name.stringValue ?? ""]
                    #expect(argument?["description"]?.stringValue?.isEmpty == false, "\(tool.name): \(name)")
                }
                let base = tool.inputSchema.json["properties"]?["base"]
                if let base { #expect(base["x-mcp-header"] == "Airtable-Base", "\(tool.name)") }
                #expect(tool.name.utf8.count <= 64)
            }
        }
    }

    @Test("what is not selected is neither listed nor run, whoever asks; permissions still count")
    func selected() async throws {
        try await withTools { world in
            let only = SelectedTools(world.tools, selection: ToolSelection(toolsets: [.schema, .comments]))
            let names = try await only.tools(context: world.context).map(\.name)
            #expect(names == ["list_bases", "list_tables", "describe_table", "list_comments", "create_comment"])
            let call = ToolCall(name: "list_records", arguments: ["base": "Library", "table": "Books"])
            await #expect(throws: ToolProviderError.unknownTool("")) {
                _ = try await only.call(call, context: world.context)
            }
            #expect(try await only.call(ToolCall(name: "list_bases"), context: world.context).isError == false)
            // A tool that is selected says which permission it needs.
            let refused = try await only.call(ToolCall(name: "list_bases"), context: world.context(with: [.search]))
            #expect(refused.isError && refused.problem?.kind == .forbidden)
            #expect(
                try await only.tools(context: world.context(with: [.commentsRead])).map(\.name) == ["list_comments"]
            )
            let none = SelectedTools(world.tools, selection: ToolSelection(names: []))
            #expect(try await none.tools(context: world.context).isEmpty)
            let reading = SelectedTools(world.tools, selection: ToolSelection(isReadOnly: true))
            #expect(try await reading.tools(context: world.context).allSatisfy(\.annotations.readOnlyHint))
        }
    }
}
