import Access
package import Airtable
public import Domain
package import Search

/// Every tool the product offers: to MCP clients, to language models, by REST and in the documentation.
///
/// A caller is offered the tools that they have the permission for; calling another one says which permission it needs.
public struct ToolRegistry: ToolProvider {
    private let tools: [any Tool]
    private let byName: [String: any Tool]

    init(_ tools: [any Tool]) {
        self.tools = tools
        byName = Dictionary(tools.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        precondition(byName.count == tools.count, "two tools have the same name")
    }

    /// The product's tools over its services. A new tool is one more line here.
    package static func standard(airtable: AirtableService, search: SearchService) -> ToolRegistry {
        ToolRegistry([
            ListBasesTool(airtable: airtable),
            ListTablesTool(airtable: airtable),
            DescribeTableTool(airtable: airtable),
            ListRecordsTool(airtable: airtable),
            GetRecordTool(airtable: airtable),
            SearchRecordsTool(search: search),
            FindSimilarTool(search: search),
            AskTool(answers: AnswerExtractor(search: search)),
            AggregateRecordsTool(airtable: airtable),
        ])
    }

    /// All tools, whoever asks: for documentation and snapshots.
    public var definitions: [ToolDefinition] { tools.map(\.definition) }

    public func tools(context: RequestContext) async throws -> [ToolDefinition] {
        tools.filter { context.principal.permissions.contains($0.permission) }.map(\.definition)
    }

    public func permission(toCall name: String) -> Permission? { byName[name]?.permission }

    public func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        guard let tool = byName[call.name] else { throw ToolProviderError.unknownTool(call.name) }
        do {
            try context.require(tool.permission)
        } catch {
            return ToolResult(failure: error)
        }
        return try await tool.call(call.arguments, caller: caller, context: context)
    }
}
