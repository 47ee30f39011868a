import Domain

/// Tools that ask once: the user, the program's language model, or for its folders.
extension FixtureTools {
    static let questions: [FixtureTool] = [
        FixtureTool(
            "test_sampling",
            "Has the client's language model answer a prompt.",
            input: .object(
                properties: ["prompt": .string(description: "What the model is asked.")],
                required: ["prompt"]
            )
        ) { arguments, caller in
            let question = sampling("response", arguments["prompt"]?.stringValue ?? "", maxTokens: 100)
            let answer = try await answer(to: question, of: caller)
            return ToolResult(text: "LLM response: \(modelText(answer))")
        },
        FixtureTool(
            "test_elicitation",
            "Asks the user for a name and an address.",
            input: .object(
                properties: ["message": .string(description: "What the user is told.")],
                required: ["message"]
            )
        ) { arguments, caller in
            let form = form(
                "user_response",
                arguments["message"]?.stringValue ?? "",
                [
                    "username": ["type": "string", "description": "User's response"],
                    "email": ["type": "string", "description": "User's email address"],
                ],
                required: ["username", "email"]
            )
            return ToolResult(text: "User response: \(told(try await answer(to: form, of: caller)))")
        },
        FixtureTool("test_elicitation_sep1034_defaults", "Asks with a form in which every field has a default.") {
            _,
            caller in
            let form = form("defaults", "Please look over these values", defaulted)
            return ToolResult(text: "Elicitation completed: \(told(try await answer(to: form, of: caller)))")
        },
        FixtureTool("test_elicitation_sep1330_enums", "Asks with a form of every kind of choice.") { _, caller in
            let form = form("choices", "Please choose", choices)
            return ToolResult(text: "Elicitation completed: \(told(try await answer(to: form, of: caller)))")
        },
        FixtureTool("test_streaming_elicitation", "Reports progress, then asks the user.") { _, caller in
            await caller.report(ToolProgress(done: 1, total: 2, message: "About to ask"))
            let form = form("confirm", "Go on?", ["ok": ["type": "boolean"]], required: ["ok"])
            return ToolResult(text: "Streaming completed: \(told(try await answer(to: form, of: caller)))")
        },
        FixtureTool("test_missing_capability", "Needs a client that offers its language model.") { _, caller in
            guard caller.abilities.contains(.sampling) else { throw CallerError.missing(.sampling) }
            return ToolResult(text: "The client offers its language model")
        },
    ]

    private static let defaulted: JSONObject = [
        "name": ["type": "string", "description": "Name", "default": "John Doe"],
        "age": ["type": "integer", "description": "Age in years", "default": 30],
        "score": ["type": "number", "description": "Score", "default": 95.5],
        "status": [
            "type": "string", "description": "Status", "enum": ["active", "inactive", "pending"], "default": "active",
        ],
        "verified": ["type": "boolean", "description": "Whether verified", "default": true],
    ]

    private static let choices: JSONObject = [
        "untitledSingle": ["type": "string", "enum": ["option1", "option2", "option3"]],
        "titledSingle": [
            "type": "string",
            "oneOf": [
                ["const": "value1", "title": "First Option"], ["const": "value2", "title": "Second Option"],
                ["const": "value3", "title": "Third Option"],
            ],
        ],
        "legacyEnum": [
            "type": "string", "enum": ["opt1", "opt2", "opt3"],
            "enumNames": ["Option One", "Option Two", "Option Three"],
        ],
        "untitledMulti": [
            "type": "array", "minItems": 1, "maxItems": 3,
            "items": ["type": "string", "enum": ["option1", "option2", "option3"]],
        ],
        "titledMulti": [
            "type": "array", "minItems": 1, "maxItems": 3,
            "items": [
                "anyOf": [
                    ["const": "value1", "title": "First Choice"], ["const": "value2", "title": "Second Choice"],
                    ["const": "value3", "title": "Third Choice"],
                ]
            ],
        ],
    ]
}

/// Questions in the forms that the protocol has for them, and their answers in words.
extension FixtureTools {
    /// A flat object of simple values. Without `additionalProperties`, which forms of the protocol don't have.
    static func form(
        _ key: String,
        _ message: String,
        _ properties: JSONObject,
        required: [String] = []
    ) -> CallerQuestion {
        var schema: JSONObject = ["type": "object", "properties": .object(properties)]
        if !required.isEmpty { schema["required"] = .array(required.map { .string($0) }) }
        return CallerQuestion(key, .form(message: message, schema: JSONSchema(json: .object(schema))))
    }

    static func sampling(_ key: String, _ prompt: String, maxTokens: Int) -> CallerQuestion {
        CallerQuestion(
            key,
            .sampling([
                "messages": [["role": "user", "content": ["type": "text", "text": .string(prompt)]]],
                "maxTokens": .number(JSONNumber(maxTokens)),
            ])
        )
    }

    static func answer(to question: CallerQuestion, of caller: any ToolCaller) async throws -> CallerAnswer {
        let reply = try await caller.ask([question], keeping: .null)
        return reply.answers[question.key] ?? .cancelled
    }

    static func told(_ answer: CallerAnswer) -> String {
        switch answer {
        case .accepted(let content): "action=accept, content=\(JSONValue.object(content).text)"
        case .declined: "action=decline, content={}"
        case .cancelled: "action=cancel, content={}"
        case .result(let result): "result=\(JSONValue.object(result).text)"
        }
    }

    /// The text of `sampling/createMessage`'s result, whose content is a block or, since 2025-11-25, may be several.
    static func modelText(_ answer: CallerAnswer) -> String {
        guard case .result(let result) = answer, let content = result["content"] else { return "none" }
        let blocks = content.arrayValue ?? [content]
        return blocks.compactMap { $0["text"]?.stringValue }.joined(separator: " ")
    }

    /// One member of a form that was filled in.
    static func member(_ name: String, of answer: CallerAnswer?) -> JSONValue? {
        if case .accepted(let content)? = answer { content[name] } else { nil }
    }
}
