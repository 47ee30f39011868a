/// What a tool's caller may assume of it; hints in the sense of MCP, never a permission.
public struct ToolAnnotations: Sendable, Hashable {
    /// Changes nothing.
    public var readOnlyHint: Bool
    /// May overwrite or remove; without meaning when read-only.
    public var destructiveHint: Bool
    /// Doing it twice is doing it once; without meaning when read-only.
    public var idempotentHint: Bool
    /// Reaches beyond this server.
    public var openWorldHint: Bool

    public init(readOnlyHint: Bool, destructiveHint: Bool, idempotentHint: Bool, openWorldHint: Bool) {
        self.readOnlyHint = readOnlyHint
        self.destructiveHint = destructiveHint
        self.idempotentHint = idempotentHint
        self.openWorldHint = openWorldHint
    }

    /// Only looks at what this server holds.
    public static let readOnly = ToolAnnotations(
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false
    )
}

/// A tool as it is offered: to MCP clients, to language models, by REST and in the documentation.
public struct ToolDefinition: Sendable, Hashable {
    /// Unique among the tools of one provider; `[A-Za-z0-9_.-]`, at most 128.
    public let name: String
    /// For people.
    public let title: String
    /// For the model: when to use it, what it answers.
    public let description: String
    /// An object's.
    public let inputSchema: JSONSchema
    /// Of the structured result; nil when there is only text.
    public let outputSchema: JSONSchema?
    public let annotations: ToolAnnotations
    /// What the caller must have, checked before arguments are decoded.
    public let permission: Permission
    public let toolset: Toolset

    public init(
        name: String,
        title: String,
        description: String,
        inputSchema: JSONSchema,
        outputSchema: JSONSchema? = nil,
        annotations: ToolAnnotations,
        permission: Permission,
        toolset: Toolset = .records
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        self.annotations = annotations
        self.permission = permission
        self.toolset = toolset
    }
}
