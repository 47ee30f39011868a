import Domain

/// Prompts under the names that conformance suites ask for.
struct FixturePrompts: PromptProvider {
    let stage: FixtureStage

    func prompts(context: RequestContext) async throws -> [PromptDefinition] {
        stage.isPromptShown ? Self.shown + [Self.dynamic] : Self.shown
    }

    func messages(
        of prompt: String,
        arguments: [String: String],
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> [PromptMessage] {
        switch prompt {
        case "test_simple_prompt":
            return [PromptMessage(.user, .text("This is a simple prompt for testing."))]
        case "test_prompt_with_arguments":
            let (first, second) = (arguments["arg1"] ?? "", arguments["arg2"] ?? "")
            return [PromptMessage(.user, .text("Prompt with arguments: arg1='\(first)', arg2='\(second)'"))]
        case "test_prompt_with_embedded_resource":
            let resource = ResourceContents(
                uri: arguments["resourceUri"] ?? "",
                mediaType: "text/plain",
                .text("Embedded resource content for testing.")
            )
            return [
                PromptMessage(.user, .resource(resource)),
                PromptMessage(.user, .text("Please process the embedded resource above.")),
            ]
        case "test_prompt_with_image":
            return [
                PromptMessage(.user, FixtureMedia.picture),
                PromptMessage(.user, .text("Please analyze the image above.")),
            ]
        case "test_input_required_result_prompt":
            let form = FixtureTools.form(
                "user_context",
                "What context should the prompt use?",
                ["context": ["type": "string"]],
                required: ["context"]
            )
            let answer = try await FixtureTools.answer(to: form, of: caller)
            let words = FixtureTools.member("context", of: answer)?.stringValue ?? "none"
            return [PromptMessage(.user, .text("Prompt with context: \(words)"))]
        case Self.dynamic.name where stage.isPromptShown:
            return [PromptMessage(.user, .text("I am here."))]
        default:
            throw PromptError.unknownPrompt(prompt)
        }
    }

    func complete(
        _ question: CompletionQuestion,
        prompt: String,
        context: RequestContext
    ) async throws -> Completion {
        guard try await prompts(context: context).contains(where: { $0.name == prompt }) else {
            throw PromptError.unknownPrompt(prompt)
        }
        switch (prompt, question.argument) {
        case ("test_prompt_with_arguments", "arg1"):
            return .of(["paris", "park", "party", "test", "testing"], startingWith: question.value)
        case ("test_prompt_with_arguments", "arg2"):
            // What was filled in before narrows what can follow.
            let before = question.others["arg1"] ?? "any"
            return .of(["\(before)-one", "\(before)-two"], startingWith: question.value)
        case ("test_prompt_with_embedded_resource", "resourceUri"):
            let uris = ["test://static-text", "test://static-binary", FixtureResources.watched]
            return .of(uris, startingWith: question.value)
        default:
            return Completion(values: [], total: 0)
        }
    }

    private static let dynamic = PromptDefinition(
        name: "test_dynamic_prompt",
        title: "Dynamic prompt",
        description: "Is there only while it is switched on",
        arguments: []
    )

    private static let shown = [
        PromptDefinition(
            name: "test_simple_prompt",
            title: "Simple prompt",
            description: "One message without arguments",
            arguments: []
        ),
        PromptDefinition(
            name: "test_prompt_with_arguments",
            title: "Prompt with arguments",
            description: "One message that repeats its arguments",
            arguments: [argument("arg1", "First test argument"), argument("arg2", "Second test argument")]
        ),
        PromptDefinition(
            name: "test_prompt_with_embedded_resource",
            title: "Prompt with a resource",
            description: "A resource and a message about it",
            arguments: [argument("resourceUri", "URI of the resource to embed")]
        ),
        PromptDefinition(
            name: "test_prompt_with_image",
            title: "Prompt with a picture",
            description: "A picture and a message about it",
            arguments: []
        ),
        PromptDefinition(
            name: "test_input_required_result_prompt",
            title: "Prompt that asks",
            description: "Asks the user before it answers",
            arguments: []
        ),
    ]

    private static func argument(_ name: String, _ description: String) -> PromptDefinition.Argument {
        PromptDefinition.Argument(name: name, title: name, description: description, isRequired: true)
    }
}
