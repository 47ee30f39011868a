import Domain
import Testing

@testable import ConformanceFixtures

@Suite("Fixture resources, prompts and changes")
struct FixtureOffersTests {
    private let fixtures = Fixtures()

    private func read(_ uri: String) async throws -> [ResourceContents] {
        try await fixtures.resources.read(uri, caller: ScriptedCaller(), context: somebody())
    }

    private func messages(of prompt: String, _ arguments: [String: String] = [:]) async throws -> [PromptMessage] {
        try await fixtures.prompts.messages(
            of: prompt,
            arguments: arguments,
            caller: ScriptedCaller(),
            context: somebody()
        )
    }

    @Test("every listed resource can be read and watched under its own address and type")
    func resources() async throws {
        let resources = try await fixtures.resources.resources(context: somebody())
        #expect(resources.map(\.uri) == ["test://static-text", "test://static-binary", "test://watched-resource"])
        for resource in resources {
            let contents = try await read(resource.uri)
            #expect(contents.map(\.uri) == [resource.uri])
            #expect(contents.map(\.mediaType) == [resource.mediaType])
            try await fixtures.resources.checkWatchable(resource.uri, context: somebody())
        }
    }

    @Test("a template is filled in with one step of a path, and what is not there is not found")
    func templates() async throws {
        let contents = try await read("test://template/123/data")
        let expected = #"{"id":"123","templateTest":true,"data":"Data for ID: 123"}"#
        #expect(contents.map(\.content) == [.text(expected)])
        for uri in [
            "test://template//data", "test://template/1/2/data", "test://dynamic-resource", "", "test://nothing",
        ] {
            await #expect(throws: ResourceError.notFound(uri)) { _ = try await read(uri) }
            await #expect(throws: ResourceError.notFound(uri)) {
                try await fixtures.resources.checkWatchable(uri, context: somebody())
            }
        }
    }

    @Test("prompts say what they promise")
    func prompts() async throws {
        let names = try await fixtures.prompts.prompts(context: somebody()).map(\.name)
        #expect(
            names == [
                "test_simple_prompt", "test_prompt_with_arguments", "test_prompt_with_embedded_resource",
                "test_prompt_with_image", "test_input_required_result_prompt",
            ]
        )
        let simple = try await messages(of: "test_simple_prompt")
        #expect(simple == [PromptMessage(.user, .text("This is a simple prompt for testing."))])
        let filled = try await messages(of: "test_prompt_with_arguments", ["arg1": "hello", "arg2": "world"])
        #expect(filled == [PromptMessage(.user, .text("Prompt with arguments: arg1='hello', arg2='world'"))])
        let embedded = try await messages(of: "test_prompt_with_embedded_resource", ["resourceUri": "test://example"])
        guard case .resource(let resource)? = embedded.first?.content else {
            Issue.record("the first message holds no resource")
            return
        }
        #expect(resource.uri == "test://example")
        guard case .image(let base64, "image/png")? = try await messages(of: "test_prompt_with_image").first?.content
        else {
            Issue.record("the first message holds no picture")
            return
        }
        #expect(!base64.isEmpty)
        await #expect(throws: PromptError.unknownPrompt("nothing")) { _ = try await messages(of: "nothing") }
    }

    @Test("completions go on as it was typed, after what was filled in, and tell of the rest")
    func completions() async throws {
        let prompt = "test_prompt_with_arguments"
        let first = try await fixtures.prompts.complete(
            CompletionQuestion(argument: "arg1", value: "par"),
            prompt: prompt,
            context: somebody()
        )
        #expect(first == Completion(values: ["paris", "park", "party"], total: 3))
        let second = try await fixtures.prompts.complete(
            CompletionQuestion(argument: "arg2", value: "", others: ["arg1": "paris"]),
            prompt: prompt,
            context: somebody()
        )
        #expect(second.values == ["paris-one", "paris-two"])
        let many = try await fixtures.resources.complete(
            CompletionQuestion(argument: "id", value: ""),
            template: "test://template/{id}/data",
            context: somebody()
        )
        #expect(many.values.count == 100 && many.total == 250 && many.hasMore)
        await #expect(throws: ResourceError.unknownTemplate("test://nothing")) {
            _ = try await fixtures.resources.complete(
                CompletionQuestion(argument: "id", value: ""),
                template: "test://nothing",
                context: somebody()
            )
        }
    }

    @Test("who watches is told of what they asked for, and of nothing else")
    func changes() async throws {
        func changes(of interest: ChangeInterest) -> AsyncStream<OfferChange> {
            fixtures.watcher.changes(of: interest) { somebody() }
        }
        let watched = "test://watched-resource"
        let everything = changes(of: ChangeInterest(tools: true, prompts: true, resources: true, uris: [watched]))
        let prompts = changes(of: ChangeInterest(prompts: true, uris: ["test://static-text"]))
        for trigger in ["tool_change", "resource_change", "resource_list_change", "prompt_change"] {
            _ = try await fixtures.call("test_trigger_\(trigger)")
        }
        var told: [OfferChange] = []
        for await change in everything.prefix(4) { told.append(change) }
        #expect(told == [.tools, .resource(uri: watched), .resources, .prompts])
        // The only thing that can have been told is the last that happened.
        for await change in prompts.prefix(1) { #expect(change == .prompts) }
    }

    @Test("what is told to have changed has changed")
    func whatChanged() async throws {
        for isShown in [true, false] {
            for trigger in ["tool_change", "resource_list_change", "prompt_change"] {
                _ = try await fixtures.call("test_trigger_\(trigger)")
            }
            let tools = try await fixtures.tools.tools(context: somebody()).map(\.name)
            let prompts = try await fixtures.prompts.prompts(context: somebody()).map(\.name)
            let resources = try await fixtures.resources.resources(context: somebody()).map(\.uri)
            #expect(tools.contains("test_dynamic_tool") == isShown)
            #expect(prompts.contains("test_dynamic_prompt") == isShown)
            #expect(resources.contains("test://dynamic-resource") == isShown)
            guard isShown else { continue }
            #expect(try await fixtures.call("test_dynamic_tool").text == "I am here.")
            #expect(try await messages(of: "test_dynamic_prompt").count == 1)
            #expect(try await read("test://dynamic-resource").count == 1)
        }
        let before = try await read("test://watched-resource")
        _ = try await fixtures.call("test_trigger_resource_change")
        let after = try await read("test://watched-resource")
        #expect(before != after)
    }

    @Test("who stops watching is forgotten")
    func forgotten() async throws {
        let stage = FixtureStage { _ in }
        let watcher = FixtureWatcher(stage: stage)
        let stream = watcher.changes(of: ChangeInterest(tools: true)) { somebody() }
        #expect(stage.listenerCount == 1)
        let watching = Task { for await _ in stream {} }
        watching.cancel()
        await watching.value
        #expect(stage.listenerCount == 0)
    }
}
