import Domain

/// Checks a call before it is run; what is wrong is told to the model, so that it can mend it.
struct ToolCallCheck: Sendable {
    let tools: [ToolDefinition]

    struct Refusal: Error {
        var result: ToolResult

        init(_ lines: [String]) { result = ToolResult(text: lines.joined(separator: "\n"), isError: true) }
    }

    func checked(_ call: ModelToolCall) -> Result<ToolCall, Refusal> {
        guard let tool = tools.first(where: { $0.name == call.name }) else { return .failure(unknown(call.name)) }
        if let defect = call.defect {
            return .failure(Refusal(["The arguments of \(tool.name) can't be read: \(defect)."]))
        }
        guard case .object(let arguments) = call.arguments else {
            let found = call.arguments.typeName
            return .failure(Refusal(["The arguments of \(tool.name) must be an object, got \(found)."]))
        }
        let violations = tool.inputSchema.violations(of: call.arguments)
        guard violations.isEmpty else {
            let names = tool.inputSchema.json["properties"]?.objectValue?.keys ?? []
            return .failure(
                Refusal(
                    ["The arguments of \(tool.name) are wrong:"] + violations.map { "- \($0)" }
                        + [names.isEmpty ? "It takes no arguments." : "It takes: \(names.joined(separator: ", "))."]
                )
            )
        }
        return .success(ToolCall(name: tool.name, arguments: arguments))
    }

    private func unknown(_ name: String) -> Refusal {
        guard !tools.isEmpty else { return Refusal(["No tools are offered here. Answer without."]) }
        let names = tools.map(\.name)
        let nearest = Spelling.nearest(to: name, among: names).map { " Did you mean \($0)?" } ?? ""
        let shown = UntrustedText.visible(String(name.prefix(80)))
        return Refusal(["There is no tool named '\(shown)'.\(nearest)", "There are: \(names.joined(separator: ", "))."])
    }
}

/// A tool's result as a model is given it: data in its fence, bounded, with a word on how to go on.
enum ToolResultText {
    static func forModel(_ result: ToolResult, of tool: String, data: UntrustedText) -> String {
        let text = result.text
        let scalars = text.unicodeScalars
        guard let end = scalars.index(text.startIndex, offsetBy: Limits.toolResultCharacters, limitedBy: text.endIndex),
            end < text.endIndex
        else { return data.framed(text, label: tool) }
        // At the end of a line, if there is one not far before.
        let near = scalars.index(end, offsetBy: -2_000)
        let cut = scalars[near..<end].lastIndex(of: "\n") ?? end
        let left = scalars[cut...].count
        return data.framed(String(scalars[..<cut]), label: tool)
            + "\n(Cut here: \(left) more characters. Ask for fewer records or fields, or for the next page.)"
    }
}
