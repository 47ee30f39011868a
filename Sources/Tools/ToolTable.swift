public import Domain

/// The table of tools as the documentation has it, made from the registry.
public enum ToolTable {
    private static let begin = "<!-- made from the registry: PYAIRTABLE_REWRITE=1 swift test --filter ToolTable -->\n"
    private static let end = "<!-- end of what is made -->\n"

    /// A page with the part between its marks made anew; nil for one without marks.
    public static func page(_ page: String, of tools: [ToolDefinition]) -> String? {
        guard let start = page.firstRange(of: begin), let stop = page.firstRange(of: end),
            start.upperBound <= stop.lowerBound
        else {
            return nil
        }
        return page[..<start.upperBound] + "\n" + markdown(of: tools) + "\n" + page[stop.lowerBound...]
    }

    static func markdown(of tools: [ToolDefinition]) -> String {
        var lines: [String] = []
        for toolset in Toolset.allCases {
            let members = tools.filter { $0.toolset == toolset }
            if members.isEmpty { continue }
            lines += ["## \(toolset.rawValue)", ""]
            lines += ["| tool | what it does | permission | hints |", "|---|---|---|---|"]
            lines += members.map { tool in
                "| `\(tool.name)` | \(tool.title) | `\(tool.permission.rawValue)` | \(hints(of: tool)) |"
            }
            lines.append("")
            for tool in members {
                lines += ["**`\(tool.name)`**: \(tool.description)", ""]
                let arguments = Self.arguments(of: tool)
                if !arguments.isEmpty { lines += arguments + [""] }
            }
        }
        return lines.dropLast().joined(separator: "\n") + "\n"
    }

    private static func hints(of tool: ToolDefinition) -> String {
        let annotations = tool.annotations
        if annotations.readOnlyHint { return "reads" }
        var hints = [annotations.destructiveHint ? "may overwrite or remove" : "adds"]
        if annotations.idempotentHint { hints.append("twice is once") }
        if annotations.openWorldHint { hints.append("reaches beyond the server") }
        return hints.joined(separator: ", ")
    }

    private static func arguments(of tool: ToolDefinition) -> [String] {
        let schema = tool.inputSchema.json
        let required = Set(schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [])
        return (schema["properties"]?.objectValue ?? [:]).map { name, argument in
            let needed = required.contains(name) ? ", required" : ""
            let said = (argument["description"]?.stringValue).map { ": \($0)" } ?? ""
            return "- `\(name)` (\(kind(of: argument))\(needed))\(said)"
        }
    }

    /// The type of an argument in a word or two.
    private static func kind(of schema: JSONValue) -> String {
        if let values = schema["enum"]?.arrayValue {
            return values.map { "`\($0.stringValue ?? $0.text)`" }.joined(separator: " ")
        }
        if schema["type"] == "array", let items = schema["items"] {
            let members = items["properties"]?.objectValue?.keys ?? []
            return members.isEmpty ? "list" : "list of objects: " + members.map { "`\($0)`" }.joined(separator: " ")
        }
        return schema["type"]?.stringValue ?? "anything"
    }
}
