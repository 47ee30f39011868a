import Domain
import Testing

@testable import ConformanceFixtures

@Suite("Fixture tools")
struct FixtureToolsTests {
    /// Time does not pass.
    private let fixtures = Fixtures { _ in }

    @Test("every name that the official scenarios call is there, and the simplest comes first")
    func names() async throws {
        let names = try await fixtures.tools.tools(context: somebody()).map(\.name)
        let official = """
            test_simple_text test_image_content test_audio_content test_embedded_resource test_multiple_content_types
            test_error_handling test_tool_with_progress test_tool_with_logging test_sampling test_elicitation
            test_elicitation_sep1034_defaults test_elicitation_sep1330_enums test_missing_capability
            test_streaming_elicitation test_logging_tool test_trigger_tool_change test_trigger_prompt_change
            test_reconnection json_schema_2020_12_tool test_input_required_result_elicitation
            test_input_required_result_sampling test_input_required_result_list_roots
            test_input_required_result_request_state test_input_required_result_multiple_inputs
            test_input_required_result_multi_round test_input_required_result_tampered_state
            test_input_required_result_capabilities
            """
        let missing = Set(official.split { $0.isWhitespace }.map(String.init)).subtracting(names)
        #expect(missing.isEmpty)
        #expect(names.first == "test_simple_text")
        #expect(Set(names).count == names.count)
    }

    @Test("names, titles, descriptions and schemas are fit to be listed")
    func definitions() async throws {
        for tool in try await fixtures.tools.tools(context: somebody()) {
            let allowed = tool.name.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
            #expect(allowed && tool.name.count <= 64)
            #expect(!tool.title.isEmpty && !tool.description.isEmpty)
            #expect(tool.inputSchema.json["type"] == "object")
            #expect(tool.inputSchema.json["properties"]?.objectValue != nil, "\(tool.name)")
        }
    }

    @Test("each kind of content is shown, alone and with others")
    func contents() async throws {
        let text = try await fixtures.call("test_simple_text")
        #expect(text == ToolResult(text: "This is a simple text response for testing."))
        let image = try await fixtures.call("test_image_content")
        #expect(image == ToolResult(text: "", content: [.image(base64: FixtureMedia.png, mediaType: "image/png")]))
        let audio = try await fixtures.call("test_audio_content")
        #expect(audio == ToolResult(text: "", content: [.audio(base64: FixtureMedia.wav, mediaType: "audio/wav")]))
        let embedded = ResourceContents(
            uri: "test://embedded-resource",
            mediaType: "text/plain",
            .text("This is an embedded resource content.")
        )
        #expect(
            try await fixtures.call("test_embedded_resource") == ToolResult(text: "", content: [.resource(embedded)])
        )
        let mixed = try await fixtures.call("test_multiple_content_types")
        #expect(mixed.text == "Multiple content types test:")
        #expect(mixed.content.count == 2)
        let failing = try await fixtures.call("test_error_handling")
        #expect(failing.isError && failing.text == "This tool intentionally returns an error for testing")
    }

    @Test("progress grows to its total, and each line is logged at its level")
    func steps() async throws {
        let caller = ScriptedCaller()
        _ = try await fixtures.call("test_tool_with_progress", of: caller)
        #expect(caller.events == [.progress(0, 100), .progress(50, 100), .progress(100, 100)])

        let logging = ScriptedCaller()
        _ = try await fixtures.call("test_tool_with_logging", of: logging)
        let lines: [JSONValue] = ["Tool execution started", "Tool processing data", "Tool execution completed"]
        #expect(logging.events == lines.map { .log(.info, $0) })

        let levels = ScriptedCaller()
        _ = try await fixtures.call("test_logging_tool", of: levels)
        #expect(levels.events == CallerLogLevel.allCases.map { .log($0, ["level": .string($0.rawValue)]) })
    }

    @Test("a connection is let go before the answer is ready")
    func reconnection() async throws {
        let caller = ScriptedCaller()
        let fixtures = Fixtures { _ in #expect(caller.events == [.released]) }
        let result = try await fixtures.call("test_reconnection", of: caller)
        #expect(!result.isError)
        #expect(caller.events == [.released])
    }

    @Test("who waits is counted, and who was cancelled meanwhile")
    func waiting() async throws {
        let (stream, reached) = AsyncStream.makeStream(of: Void.self)
        let fixtures = Fixtures { _ in
            reached.yield()
            try await Task.sleep(for: .seconds(60))
        }
        let waiting = Task { try await fixtures.call("test_wait", ["milliseconds": 30_000]) }
        for await _ in stream { break }
        #expect(try await fixtures.call("test_waiting").structured == ["running": 1, "cancelled": 0])
        waiting.cancel()
        await #expect(throws: CancellationError.self) { _ = try await waiting.value }
        #expect(try await fixtures.call("test_waiting").structured == ["running": 0, "cancelled": 1])
    }

    @Test("a tool that is not there is unknown, and wrong arguments are told of in the result")
    func refusals() async throws {
        await #expect(throws: ToolProviderError.unknownTool("nothing")) { _ = try await fixtures.call("nothing") }
        let unknown = try await fixtures.call("test_simple_text", ["more": 1])
        #expect(unknown.isError)
        let missing = try await fixtures.call("test_sampling")
        #expect(missing.isError && missing.text.contains("prompt"))
    }

    @Test("the schema of seldom keywords keeps them all, and they are followed")
    func seldomKeywords() async throws {
        let tools = try await fixtures.tools.tools(context: somebody())
        let schema = try #require(tools.first { $0.name == "json_schema_2020_12_tool" }).inputSchema.json
        let keywords = [
            "$schema", "type", "$defs", "properties", "allOf", "if", "then", "else", "additionalProperties",
        ]
        #expect(schema.objectValue?.keys == keywords)
        #expect(schema["$defs"]?["address"]?["$anchor"] == "addressDef")
        #expect(schema["allOf"]?[0]?["anyOf"]?.arrayValue?.count == 2)

        let cases: [(JSONObject, Bool)] = [
            (["contactMethod": "phone", "phone": "1"], true),
            (["contactMethod": "phone", "email": "a@b.example"], false),
            (["email": "a@b.example", "address": ["city": "Bern"]], true),
            (["email": "a", "address": ["city": 1]], false),
            (["phone": "1"], false), ([:], false), (["email": "a", "other": 1], false),
            (["email": "a", "contactMethod": "fax"], false),
        ]
        for (arguments, fits) in cases {
            let result = try await fixtures.call("json_schema_2020_12_tool", arguments)
            #expect(result.isError != fits, "\(JSONValue.object(arguments))")
        }
    }

    @Test("arguments that stand in headers are texts, whole numbers and truths")
    func mirroredArguments() async throws {
        let tools = try await fixtures.tools.tools(context: somebody())
        let schema = try #require(tools.first { $0.name == "test_custom_header" }).inputSchema.json
        let properties = try #require(schema["properties"]?.objectValue)
        let headers = properties.compactMap { $0.value["x-mcp-header"]?.stringValue }
        #expect(headers == ["Region", "Priority", "Urgent"])
        #expect(properties["place"]?["properties"]?["city"]?["x-mcp-header"] == "City")
        #expect(try await fixtures.call("test_custom_header", ["region": "Hello"]).text.contains("Hello"))
    }
}
