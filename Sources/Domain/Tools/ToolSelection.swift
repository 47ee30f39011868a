/// A group of tools that are switched on together.
public enum Toolset: String, Sendable, Hashable, CaseIterable {
    /// Bases, tables and their fields: looking.
    case schema
    /// Bases, tables and their fields: making and changing.
    case design
    case records
    case search
    case comments
    /// What changed, and taking it back.
    case history
    /// Answers, with where they stand.
    case knowledge
}

/// Which tools are offered at all, whoever asks. Only ever narrows.
public struct ToolSelection: Sendable, Hashable {
    /// Nil for all.
    public var toolsets: Set<Toolset>?
    /// Nil for all.
    public var names: Set<String>?
    /// Wins over everything else: only tools that change nothing.
    public var isReadOnly: Bool

    public init(toolsets: Set<Toolset>? = nil, names: Set<String>? = nil, isReadOnly: Bool = false) {
        self.toolsets = toolsets
        self.names = names
        self.isReadOnly = isReadOnly
    }

    public static let everything = ToolSelection()

    public func includes(_ tool: ToolDefinition) -> Bool {
        (toolsets?.contains(tool.toolset) ?? true) && (names?.contains(tool.name) ?? true)
            && (!isReadOnly || tool.annotations.readOnlyHint)
    }

    /// What both include.
    public func narrowed(by other: ToolSelection) -> ToolSelection {
        ToolSelection(
            toolsets: Self.intersection(toolsets, other.toolsets),
            names: Self.intersection(names, other.names),
            isReadOnly: isReadOnly || other.isReadOnly
        )
    }

    private static func intersection<Element>(_ left: Set<Element>?, _ right: Set<Element>?) -> Set<Element>? {
        guard let left, let right else { return left ?? right }
        return left.intersection(right)
    }
}
