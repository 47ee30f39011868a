import Domain
import TestSupport

/// Tools without a store behind them; remembers who called what.
final class FakeTools: ToolProvider {
    let calls = Guarded<[(name: String, request: String)]>([])
    /// How many calls of `slow` were cancelled.
    let cancelledCount = Guarded(0)
    /// How many run right now, and how many did at most.
    let running = Guarded((now: 0, most: 0))
    let isListable: Bool

    init(isListable: Bool = true) { self.isListable = isListable }

    static let definitions: [ToolDefinition] = [
        tool("lookup", ["q": .string(minLength: 1), "limit": .integer(minimum: 1, maximum: 9)], required: ["q"]),
        tool("add", ["a": .integer(), "b": .integer()], required: ["a", "b"]),
        tool("slow", [:], required: []),
        tool("broken", [:], required: []),
        tool("write", ["value": .string()], required: ["value"], isReadOnly: false),
    ]

    private static func tool(
        _ name: String,
        _ properties: KeyValuePairs<String, JSONSchema>,
        required: [String],
        isReadOnly: Bool = true
    ) -> ToolDefinition {
        ToolDefinition(
            name: name,
            title: name,
            description: "A tool for tests.",
            inputSchema: .object(properties: properties, required: required),
            annotations: ToolAnnotations(
                readOnlyHint: isReadOnly,
                destructiveHint: false,
                idempotentHint: true,
                openWorldHint: false
            ),
            permission: .search
        )
    }

    func tools(context: RequestContext) async throws -> [ToolDefinition] {
        guard isListable else { throw ToolProviderError.unknownTool("all") }
        return Self.definitions
    }

    func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        calls.update { $0.append((call.name, context.id)) }
        running.update { $0 = ($0.now + 1, max($0.most, $0.now + 1)) }
        defer { running.update { $0.now -= 1 } }
        switch call.name {
        case "lookup":
            return ToolResult(text: "found \(call.arguments["q"]?.stringValue ?? "") in recAAAAAAAAAAAAA1")
        case "add":
            let sum = (call.arguments["a"]?.intValue ?? 0) + (call.arguments["b"]?.intValue ?? 0)
            return ToolResult(text: #"{"sum":\#(sum)}"#)
        case "write": return ToolResult(text: "written")
        case "slow":
            do { try await Task.sleep(for: .seconds(3_600)) } catch {
                cancelledCount.update { $0 += 1 }
                throw error
            }
            return ToolResult(text: "late")
        default: throw ToolProviderError.unknownTool(call.name)
        }
    }
}
