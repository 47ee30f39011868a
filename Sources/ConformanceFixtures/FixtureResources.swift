import Domain

/// Resources under the addresses that conformance suites read.
struct FixtureResources: ResourceProvider {
    static let watched = "test://watched-resource"
    private static let dynamic = "test://dynamic-resource"

    static let staticText = ResourceLink(
        uri: "test://static-text",
        name: "static-text",
        title: "Static text",
        description: "A text that never changes",
        mediaType: "text/plain"
    )

    let stage: FixtureStage

    func resources(context: RequestContext) async throws -> [ResourceLink] {
        var resources = [
            Self.staticText,
            ResourceLink(
                uri: "test://static-binary",
                name: "static-binary",
                title: "Static picture",
                description: "A picture that never changes",
                mediaType: "image/png"
            ),
            ResourceLink(
                uri: Self.watched,
                name: "watched-resource",
                title: "Watched text",
                description: "A text that test_trigger_resource_change changes",
                mediaType: "text/plain"
            ),
        ]
        if stage.isResourceShown {
            resources.append(
                ResourceLink(
                    uri: Self.dynamic,
                    name: "dynamic-resource",
                    title: "Dynamic text",
                    description: "Is there only while it is switched on",
                    mediaType: "text/plain"
                )
            )
        }
        return resources
    }

    func templates(context: RequestContext) async throws -> [ResourceTemplate] {
        [
            ResourceTemplate(
                uriTemplate: "test://template/{id}/data",
                name: "template-data",
                title: "Data by number",
                description: "Tells the id that it was read with",
                mediaType: "application/json"
            ),
            ResourceTemplate(
                uriTemplate: "test://asking/{topic}",
                name: "asking",
                title: "Text about a topic",
                description: "Asks the user what to say before it is read",
                mediaType: "text/plain"
            ),
        ]
    }

    func read(_ uri: String, caller: any ToolCaller, context: RequestContext) async throws -> [ResourceContents] {
        if let id = Self.filled(uri, "test://template/", "/data") {
            let data: JSONValue = ["id": .string(id), "templateTest": true, "data": .string("Data for ID: \(id)")]
            return [ResourceContents(uri: uri, mediaType: "application/json", .text(data.text))]
        }
        if let topic = Self.filled(uri, "test://asking/", "") {
            let form = FixtureTools.form(
                "words",
                "What is there to say about \(topic)?",
                ["text": ["type": "string"]],
                required: ["text"]
            )
            let answer = try await FixtureTools.answer(to: form, of: caller)
            let text = FixtureTools.member("text", of: answer)?.stringValue ?? "Nothing."
            return [ResourceContents(uri: uri, mediaType: "text/plain", .text("\(topic): \(text)"))]
        }
        switch uri {
        case Self.staticText.uri:
            return [.init(uri: uri, mediaType: "text/plain", .text("This is the content of the static text resource."))]
        case "test://static-binary":
            return [.init(uri: uri, mediaType: "image/png", .base64(FixtureMedia.png))]
        case Self.watched:
            let text = "Watched resource content, revision \(stage.revision)"
            return [.init(uri: uri, mediaType: "text/plain", .text(text))]
        case Self.dynamic where stage.isResourceShown:
            return [.init(uri: uri, mediaType: "text/plain", .text("I am here."))]
        default:
            throw ResourceError.notFound(uri, hint: "see resources/list")
        }
    }

    func checkWatchable(_ uri: String, context: RequestContext) async throws {
        let isFilled = Self.filled(uri, "test://template/", "/data") != nil
        let isListed = try await resources(context: context).contains { $0.uri == uri }
        guard isFilled || isListed else { throw ResourceError.notFound(uri, hint: "see resources/list") }
    }

    func complete(
        _ question: CompletionQuestion,
        template: String,
        context: RequestContext
    ) async throws -> Completion {
        guard try await templates(context: context).contains(where: { $0.uriTemplate == template }) else {
            throw ResourceError.unknownTemplate(template)
        }
        switch question.argument {
        // More than are shown, so that there is a rest to tell of.
        case "id": return .of((1...250).map(String.init), startingWith: question.value)
        case "topic": return .of(["parks", "parties", "weather"], startingWith: question.value)
        default: return Completion(values: [], total: 0)
        }
    }

    /// What stands between, when it is one step of a path.
    private static func filled(_ uri: String, _ before: String, _ after: String) -> String? {
        guard uri.hasPrefix(before), uri.hasSuffix(after), uri.utf8.count > before.utf8.count + after.utf8.count
        else { return nil }
        let value = uri.dropFirst(before.count).dropLast(after.count)
        return value.contains("/") ? nil : String(value)
    }
}

extension Completion {
    /// Those of `all` that go on as `typed` begins, as many as are shown.
    static func of(_ all: [String], startingWith typed: String) -> Completion {
        let fitting = all.filter { $0.hasPrefix(typed) }
        return Completion(values: Array(fitting.prefix(100)), total: fitting.count, hasMore: fitting.count > 100)
    }
}
