import Access
package import Airtable
public import Domain
package import Search

/// Every tool the product offers: to MCP clients, to language models, by REST and in the documentation.
///
/// A caller is offered the tools that they have the permission for; calling another one says which permission it needs.
public struct ToolRegistry: ToolProvider {
    /// All tools, whoever asks: for documentation and snapshots.
    public let definitions: [ToolDefinition]
    private let byName: [String: Entry]

    /// A tool, with its schemas made once.
    private struct Entry {
        let tool: any Tool
        let definition: ToolDefinition
        let arguments: JSONSchema
    }

    /// Looks at what is shown; nil where nothing is written.
    let orders: ShownOrders?

    init(_ tools: [any Tool], orders: ShownOrders? = nil) {
        self.orders = orders
        definitions = tools.map(\.definition)
        let entries = zip(tools, definitions).map { tool, definition in
            (tool.name, Entry(tool: tool, definition: definition, arguments: tool.argumentsSchema))
        }
        byName = Dictionary(entries, uniquingKeysWith: { first, _ in first })
        precondition(byName.count == tools.count, "two tools have the same name")
        precondition(tools.allSatisfy { $0.name.utf8.count <= Limits.toolNameBytes }, "a name is too long for clients")
    }

    /// The product's tools over its services. A new tool is one more line here.
    ///
    /// - Parameters:
    ///   - writes: how tools that change something are offered.
    ///   - importRoot: the directory below which files may be imported; nil for none.
    package static func standard(
        airtable: AirtableService,
        search: SearchService,
        writes: WriteMode = .asking,
        importRoot: String? = nil,
        writing: WritingServices = WritingServices()
    ) -> ToolRegistry {
        let reading: [any Tool] = [
            ListBasesTool(airtable: airtable),
            ListTablesTool(airtable: airtable),
            DescribeTableTool(airtable: airtable),
            ListRecordsTool(airtable: airtable),
            GetRecordTool(airtable: airtable),
            SearchRecordsTool(search: search),
            FindSimilarTool(search: search),
            AskTool(answers: AnswerExtractor(search: search)),
            AggregateRecordsTool(airtable: airtable),
            ListChangesTool(airtable: airtable),
            ListCommentsTool(airtable: airtable),
        ]
        if writes == .off { return ToolRegistry(reading) }
        let desk = WriteDesk(airtable: airtable, mode: writes, services: writing)
        return ToolRegistry(
            reading + [
                CreateRecordsTool(desk: desk),
                UpdateRecordsTool(desk: desk),
                UpsertRecordsTool(desk: desk),
                DeleteRecordsTool(desk: desk),
                ImportDataTool(desk: desk, root: importRoot.map { ImportRoot($0) }),
                UploadAttachmentTool(desk: desk),
                CreateCommentTool(desk: desk),
                CreateBaseTool(desk: desk),
                CreateTableTool(desk: desk),
                UpdateTableTool(desk: desk),
                CreateFieldTool(desk: desk),
                UpdateFieldTool(desk: desk),
                RevertTool(desk: desk),
            ],
            orders: desk.consent.orders
        )
    }

    public func definition(of name: String, context: RequestContext) async throws -> ToolDefinition? {
        byName[name]?.definition
    }

    /// What a tool may answer, bounds included; what is offered says less.
    func answerSchema(of name: String) -> JSONSchema? { byName[name]?.tool.answerSchema }

    public func tools(context: RequestContext) async throws -> [ToolDefinition] {
        definitions.filter { context.principal.permissions.contains($0.permission) }
    }

    public func permission(toCall name: String) -> Permission? { byName[name]?.definition.permission }

    public func isQuick(_ name: String) -> Bool { byName[name]?.tool.isQuick ?? false }

    public func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        guard let entry = byName[call.name] else { throw ToolProviderError.unknownTool(call.name) }
        do {
            try context.require(entry.definition.permission)
        } catch {
            return ToolResult(failure: error)
        }
        let result = try await entry.tool.call(
            call.arguments,
            checkedBy: entry.arguments,
            caller: caller,
            context: context
        )
        orders?.look(at: result, for: context)
        return result
    }
}
