import Domain

/// How values look to a peer of one revision: what it does not know is left out.
struct Shape {
    let revision: ProtocolRevision

    /// One entry of `tools/list`.
    func json(of tool: ToolDefinition) -> JSONValue {
        var members: JSONObject = ["name": .string(tool.name)]
        if revision.hasTitles { members["title"] = .string(tool.title) }
        members["description"] = .string(tool.description)
        members["inputSchema"] = tool.inputSchema.json
        if revision.hasStructuredOutput, let output = tool.outputSchema,
            output.json["type"] == "object" || !revision.hasHandshake
        {
            members["outputSchema"] = output.json
        }
        if revision.hasToolAnnotations { members["annotations"] = annotations(of: tool) }
        return .object(members)
    }

    /// The result of `tools/call`.
    ///
    /// The text stands first, unless the content says all. `structuredContent` follows where the revision knows it and, before
    /// 2026-07-28, the value is an object; never for an error, which need not fit the output schema. The text is what a model
    /// reads, so nothing hides in it; the structured value is data, as it is stored.
    func json(of result: ToolResult) -> JSONObject {
        var blocks: [JSONValue] = []
        let text = result.text.isEmpty && result.content.isEmpty ? result.structured?.text ?? "" : result.text
        if !text.isEmpty || result.content.isEmpty {
            blocks.append(["type": "text", "text": .string(HiddenText.visible(text))])
        }
        blocks += result.content.compactMap { json(of: $0) }
        var members: JSONObject = ["content": .array(blocks)]
        if revision.hasStructuredOutput, !result.isError, let structured = result.structured,
            structured.objectValue != nil || !revision.hasHandshake
        {
            members["structuredContent"] = structured
        }
        members["isError"] = .bool(result.isError)
        return members
    }

    /// A block of content; nil for what the revision has no form for.
    func json(of block: ContentBlock) -> JSONValue? {
        switch block {
        case .text(let text):
            return ["type": "text", "text": .string(HiddenText.visible(text))]
        case .image(let data, let mediaType):
            return ["type": "image", "data": .string(data), "mimeType": .string(mediaType)]
        case .audio(let data, let mediaType):
            // Older clients are told at least that there is something to hear.
            guard revision.hasToolAnnotations else {
                return ["type": "text", "text": .string("(sound, \(mediaType))")]
            }
            return ["type": "audio", "data": .string(data), "mimeType": .string(mediaType)]
        case .resource(let contents):
            return ["type": "resource", "resource": json(of: contents)]
        case .link(let link):
            guard revision.hasResourceLinks, case .object(var members) = json(of: link) else { return nil }
            members["type"] = "resource_link"
            return .object(members)
        }
    }

    /// An entry of `resources/list`.
    func json(of link: ResourceLink) -> JSONValue {
        var members: JSONObject = ["uri": .string(link.uri), "name": .string(HiddenText.visible(link.name))]
        if revision.hasTitles, let title = link.title { members["title"] = .string(HiddenText.visible(title)) }
        if let description = link.description { members["description"] = .string(HiddenText.visible(description)) }
        if let mediaType = link.mediaType { members["mimeType"] = .string(mediaType) }
        return .object(members)
    }

    func json(of template: ResourceTemplate) -> JSONValue {
        var members: JSONObject = ["uriTemplate": .string(template.uriTemplate), "name": .string(template.name)]
        if revision.hasTitles { members["title"] = .string(template.title) }
        members["description"] = .string(template.description)
        members["mimeType"] = .string(template.mediaType)
        return .object(members)
    }

    func json(of contents: ResourceContents) -> JSONValue {
        var members: JSONObject = ["uri": .string(contents.uri), "mimeType": .string(contents.mediaType)]
        switch contents.content {
        case .text(let text): members["text"] = .string(text)
        case .base64(let data): members["blob"] = .string(data)
        }
        return .object(members)
    }

    func json(of prompt: PromptDefinition) -> JSONValue {
        var members: JSONObject = ["name": .string(prompt.name)]
        if revision.hasTitles { members["title"] = .string(prompt.title) }
        members["description"] = .string(prompt.description)
        let arguments = prompt.arguments.map { argument -> JSONValue in
            var members: JSONObject = ["name": .string(argument.name)]
            if revision.hasTitles { members["title"] = .string(argument.title) }
            members["description"] = .string(argument.description)
            members["required"] = .bool(argument.isRequired)
            return .object(members)
        }
        if !arguments.isEmpty { members["arguments"] = .array(arguments) }
        return .object(members)
    }

    func json(of message: PromptMessage) -> JSONValue? {
        json(of: message.content).map { ["role": .string(message.role.rawValue), "content": $0] }
    }

    /// The result of `completion/complete`.
    func json(of completion: Completion) -> JSONObject {
        let shown = completion.values.prefix(Limits.mcpCompletions)
        var members: JSONObject = ["values": .array(shown.map { .string($0) })]
        if let total = completion.total { members["total"] = .number(JSONNumber(total)) }
        members["hasMore"] = .bool(completion.hasMore || shown.count < completion.values.count)
        return ["completion": .object(members)]
    }

    private func annotations(of tool: ToolDefinition) -> JSONValue {
        var members: JSONObject = [:]
        // Before tools had a title of their own, it stood among the annotations.
        if !revision.hasTitles { members["title"] = .string(tool.title) }
        members["readOnlyHint"] = .bool(tool.annotations.readOnlyHint)
        members["destructiveHint"] = .bool(tool.annotations.destructiveHint)
        members["idempotentHint"] = .bool(tool.annotations.idempotentHint)
        members["openWorldHint"] = .bool(tool.annotations.openWorldHint)
        return .object(members)
    }
}
