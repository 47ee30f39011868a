import Domain

/// Tools and their results as one revision writes them; what an older peer does not know is left out.
struct ToolShape {
    let revision: ProtocolRevision

    /// One entry of `tools/list`.
    func json(of tool: ToolDefinition) -> JSONValue {
        var members: JSONObject = ["name": .string(tool.name)]
        if revision.hasTitles { members["title"] = .string(tool.title) }
        members["description"] = .string(tool.description)
        members["inputSchema"] = tool.inputSchema.json
        if revision.hasStructuredOutput, let output = tool.outputSchema, output.json["type"] == "object" {
            members["outputSchema"] = output.json
        }
        if revision.hasToolAnnotations { members["annotations"] = annotations(of: tool) }
        return .object(members)
    }

    /// The result of `tools/call`.
    ///
    /// The text always stands as a content block. `structuredContent` follows where the revision knows it and the
    /// value is an object, as these revisions want; never for an error, which need not fit the output schema. The text is
    /// what a model reads, so nothing hides in it; the structured value is data, as it is stored.
    func json(of result: ToolResult) -> JSONValue {
        let text = HiddenText.visible(result.text.isEmpty ? result.structured?.text ?? "" : result.text)
        var members: JSONObject = ["content": [["type": "text", "text": .string(text)]]]
        if revision.hasStructuredOutput, !result.isError, let structured = result.structured,
            structured.objectValue != nil
        {
            members["structuredContent"] = structured
        }
        members["isError"] = .bool(result.isError)
        return .object(members)
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
