import Domain
import Testing

@testable import ConformanceFixtures

@Suite("Fixtures that ask")
struct FixtureQuestionsTests {
    private let fixtures = Fixtures { _ in }

    private static let answers: [String: CallerAnswer] = [
        "user_name": .accepted(["name": "Alice"]),
        "user_response": .accepted(["username": "alice", "email": "alice@example.com"]),
        "capital_question": .result(["content": ["type": "text", "text": "Paris."]]),
        "response": .result(["content": [["type": "text", "text": "One."], ["type": "text", "text": "Two."]]]),
        "greeting": .result(["content": ["type": "text", "text": "Hello there!"]]),
        "client_roots": .result(["roots": [["uri": "file:///test/root"]]]),
        "confirm": .accepted(["ok": true]),
        "step1": .accepted(["name": "Alice"]),
        "step2": .accepted(["color": "blue"]),
        "defaults": .accepted(["name": "Jane", "age": 25]),
        "choices": .declined,
        "elicit_input": .accepted(["name": "Alice"]),
        "sample_input": .result(["content": ["type": "text", "text": "Something."]]),
        "user_context": .accepted(["context": "tests"]),
        "words": .accepted(["text": "Sunny."]),
    ]

    private static let expected: [(tool: String, arguments: JSONObject, text: String)] = [
        ("test_sampling", ["prompt": "Say one, two"], "LLM response: One. Two."),
        (
            "test_elicitation", ["message": "Who?"],
            #"User response: action=accept, content={"username":"alice","email":"alice@example.com"}"#
        ),
        (
            "test_elicitation_sep1034_defaults", [:],
            #"Elicitation completed: action=accept, content={"name":"Jane","age":25}"#
        ),
        ("test_elicitation_sep1330_enums", [:], "Elicitation completed: action=decline, content={}"),
        ("test_streaming_elicitation", [:], #"Streaming completed: action=accept, content={"ok":true}"#),
        ("test_missing_capability", [:], "The client offers its language model"),
        ("test_input_required_result_elicitation", [:], "Hello, Alice!"),
        ("test_input_required_result_sampling", [:], "Paris."),
        ("test_input_required_result_list_roots", [:], "Roots: file:///test/root"),
        ("test_input_required_result_request_state", [:], #"state-ok: action=accept, content={"ok":true}"#),
        (
            "test_input_required_result_multiple_inputs", [:],
            "Name: Alice; greeting: Hello there!; roots: file:///test/root"
        ),
        ("test_input_required_result_multi_round", [:], "Alice likes blue; rounds 1 and 2"),
        ("test_input_required_result_tampered_state", [:], #"integrity-ok: action=accept, content={"ok":true}"#),
        ("test_input_required_result_capabilities", [:], "capabilities-ok: elicit_input, sample_input"),
    ]

    @Test("give the same answer whether they wait for it or are called again", arguments: [false, true])
    func bothWays(isStateless: Bool) async throws {
        for (tool, arguments, text) in Self.expected {
            let caller = ScriptedCaller(isStateless: isStateless, answers: Self.answers)
            let result = try await fixtures.call(tool, arguments, of: caller)
            #expect(result == ToolResult(text: text), "\(tool)")
        }
    }

    @Test("ask the same questions in the same order every time they run")
    func order() async throws {
        for (tool, arguments, _) in Self.expected {
            let waiting = ScriptedCaller(answers: Self.answers)
            let coming = ScriptedCaller(isStateless: true, answers: Self.answers)
            _ = try await fixtures.call(tool, arguments, of: waiting)
            _ = try await fixtures.call(tool, arguments, of: coming)
            #expect(waiting.questions == coming.questions, "\(tool)")
            #expect(Set(waiting.questions.map(\.key)).count == waiting.questions.count, "\(tool)")
        }
    }

    @Test("several rounds keep something else each time")
    func keptByRound() async throws {
        let caller = ScriptedCaller(isStateless: true, answers: Self.answers)
        _ = try await fixtures.call("test_input_required_result_multi_round", of: caller)
        #expect(caller.events == [.asked(["step1"], kept: ["round": 1]), .asked(["step2"], kept: ["round": 2])])
    }

    @Test("what was kept and comes back changed is not taken")
    func lostState() async throws {
        let result = try await fixtures.tools.call(
            ToolCall(name: "test_input_required_result_request_state"),
            caller: ForgetfulCaller(),
            context: somebody()
        )
        #expect(result.isError)
    }

    @Test("ask only for what the client can do, and say so when that is nothing")
    func abilities() async throws {
        let sampling = ScriptedCaller([.sampling], answers: Self.answers)
        let asked = try await fixtures.call("test_input_required_result_capabilities", of: sampling)
        #expect(asked.text == "capabilities-ok: sample_input")
        let nothing = try await fixtures.call("test_input_required_result_capabilities", of: ScriptedCaller([]))
        #expect(nothing.text == "The client cannot be asked for anything")
        for tool in ["test_missing_capability", "test_input_required_result_sampling"] {
            await #expect(throws: CallerError.missing(.sampling)) {
                _ = try await fixtures.call(tool, of: ScriptedCaller([.form]))
            }
        }
    }

    @Test("a no is a no, and silence is one too")
    func declined() async throws {
        let no = try await fixtures.call(
            "test_elicitation",
            ["message": "?"],
            of: ScriptedCaller(answers: ["user_response": .declined])
        )
        #expect(no.text == "User response: action=decline, content={}")
        let silence = try await fixtures.call("test_elicitation", ["message": "?"])
        #expect(silence.text == "User response: action=cancel, content={}")
    }

    @Test("forms are flat, with a default or a choice of every kind")
    func forms() async throws {
        let callers = [ScriptedCaller(), ScriptedCaller()]
        _ = try await fixtures.call("test_elicitation_sep1034_defaults", of: callers[0])
        _ = try await fixtures.call("test_elicitation_sep1330_enums", of: callers[1])
        let schemas = callers.flatMap(\.questions).compactMap { question -> JSONValue? in
            guard case .form(_, let schema) = question.content else { return nil }
            return schema.json
        }
        try #require(schemas.count == 2)
        let defaults = try #require(schemas[0]["properties"]?.objectValue)
        let values = defaults.map { $0.value["default"] }
        #expect(values == ["John Doe", 30, 95.5, "active", true])
        let choices = try #require(schemas[1]["properties"]?.objectValue)
        #expect(choices.keys == ["untitledSingle", "titledSingle", "legacyEnum", "untitledMulti", "titledMulti"])
        #expect(
            choices["legacyEnum"]?["enumNames"]?.arrayValue?.count == choices["legacyEnum"]?["enum"]?.arrayValue?.count
        )
        for schema in schemas {
            // A form of the protocol has these members and no others.
            #expect(schema.objectValue?.keys == ["type", "properties"])
        }
    }

    @Test("prompts and resources ask as tools do", arguments: [false, true])
    func promptsAndResources(isStateless: Bool) async throws {
        let caller = ScriptedCaller(isStateless: isStateless, answers: Self.answers)
        let messages = try await caller.rounds {
            try await fixtures.prompts.messages(
                of: "test_input_required_result_prompt",
                arguments: [:],
                caller: caller,
                context: somebody()
            )
        }
        #expect(messages == [PromptMessage(.user, .text("Prompt with context: tests"))])
        let reader = ScriptedCaller(isStateless: isStateless, answers: Self.answers)
        let contents = try await reader.rounds {
            try await fixtures.resources.read("test://asking/weather", caller: reader, context: somebody())
        }
        #expect(contents.map(\.content) == [.text("weather: Sunny.")])
    }
}

/// Gives back something else than it was given to keep.
private struct ForgetfulCaller: ToolCaller {
    var abilities: Set<CallerAbility> { [.form] }
    func report(_ progress: ToolProgress) async {}
    func log(_ level: CallerLogLevel, logger: String, _ data: JSONValue) async {}

    func ask(_ questions: [CallerQuestion], keeping kept: JSONValue) async throws -> CallerReply {
        CallerReply(answers: ["confirm": .accepted(["ok": true])], kept: ["purpose": "something else"])
    }
}
