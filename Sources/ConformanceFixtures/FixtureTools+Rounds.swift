import Domain

/// Tools that need input, each in another way: of every kind, of several at once, over several rounds,
/// with something kept.
extension FixtureTools {
    static let rounds: [FixtureTool] = [
        FixtureTool("test_input_required_result_elicitation", "Asks the user for a name and greets.") { _, caller in
            let answer = try await answer(to: nameForm("user_name", "What is your name?"), of: caller)
            return ToolResult(text: "Hello, \(member("name", of: answer)?.stringValue ?? "whoever you are")!")
        },
        FixtureTool("test_input_required_result_sampling", "Has the client's language model name a capital.") {
            _,
            caller in
            let question = sampling("capital_question", "What is the capital of France?", maxTokens: 100)
            return ToolResult(text: modelText(try await answer(to: question, of: caller)))
        },
        FixtureTool("test_input_required_result_list_roots", "Asks the client for its folders.") { _, caller in
            let answer = try await answer(to: CallerQuestion("client_roots", .roots), of: caller)
            return ToolResult(text: "Roots: \(roots(answer))")
        },
        FixtureTool("test_input_required_result_request_state", "Keeps something while the user confirms.") {
            _,
            caller in
            let kept: JSONValue = ["purpose": "request-state", "number": 42]
            let reply = try await caller.ask([confirmation], keeping: kept)
            guard reply.kept == kept else { return ToolResult(text: "state-lost", isError: true) }
            return ToolResult(text: "state-ok: \(told(reply.answers[confirmation.key] ?? .cancelled))")
        },
        FixtureTool("test_input_required_result_multiple_inputs", "Asks three questions at once.") { _, caller in
            let reply = try await caller.ask(
                [
                    nameForm("user_name", "What is your name?"),
                    sampling("greeting", "Generate a greeting", maxTokens: 50),
                    CallerQuestion("client_roots", .roots),
                ],
                keeping: ["purpose": "multiple-inputs"]
            )
            let name = member("name", of: reply.answers["user_name"])?.stringValue ?? "nobody"
            let greeting = modelText(reply.answers["greeting"] ?? .cancelled)
            return ToolResult(
                text:
                    "Name: \(name); greeting: \(greeting); roots: \(roots(reply.answers["client_roots"] ?? .cancelled))"
            )
        },
        FixtureTool("test_input_required_result_multi_round", "Asks two questions, one after the other.") { _, caller in
            let first = try await caller.ask([nameForm("step1", "Step 1: What is your name?")], keeping: ["round": 1])
            let color = form(
                "step2",
                "Step 2: What is your favorite color?",
                ["color": ["type": "string"]],
                required: ["color"]
            )
            let second = try await caller.ask([color], keeping: ["round": 2])
            let name = member("name", of: first.answers["step1"])?.stringValue ?? "Somebody"
            let liked = member("color", of: second.answers["step2"])?.stringValue ?? "none"
            let rounds = [first, second].map { $0.kept["round"]?.text ?? "?" }.joined(separator: " and ")
            return ToolResult(text: "\(name) likes \(liked); rounds \(rounds)")
        },
        FixtureTool("test_input_required_result_tampered_state", "Relies on what it kept.") { _, caller in
            let reply = try await caller.ask([confirmation], keeping: ["purpose": "tampered-state"])
            return ToolResult(text: "integrity-ok: \(told(reply.answers[confirmation.key] ?? .cancelled))")
        },
        FixtureTool("test_input_required_result_capabilities", "Asks only what the client can be asked.") { _, caller in
            let all = [
                nameForm("elicit_input", "What is your name?"),
                sampling("sample_input", "Say something", maxTokens: 50),
            ]
            let questions = all.filter { caller.abilities.contains($0.ability) }
            guard !questions.isEmpty else { return ToolResult(text: "The client cannot be asked for anything") }
            let reply = try await caller.ask(questions, keeping: ["purpose": "capabilities"])
            return ToolResult(text: "capabilities-ok: \(reply.answers.keys.sorted().joined(separator: ", "))")
        },
    ]

    private static let confirmation = form("confirm", "Please confirm", ["ok": ["type": "boolean"]], required: ["ok"])

    private static func nameForm(_ key: String, _ message: String) -> CallerQuestion {
        form(key, message, ["name": ["type": "string"]], required: ["name"])
    }

    private static func roots(_ answer: CallerAnswer) -> String {
        guard case .result(let result) = answer, case .array(let roots)? = result["roots"] else { return "none" }
        return roots.compactMap { $0["uri"]?.stringValue }.joined(separator: ", ")
    }
}
