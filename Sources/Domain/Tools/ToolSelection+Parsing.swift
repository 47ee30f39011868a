/// Selections as people write them: in flags, settings and headers.
extension ToolSelection {
    /// - Parameters:
    ///   - toolsets: names of toolsets, separated by commas; `all` for all; nil to leave them open.
    ///   - names: names of tools, separated by commas; nil to leave them open.
    ///   - readOnly: `true`, `false`, `1`, `0`, `yes`, `no` in any case, or nothing, which is yes; nil to leave it open.
    ///   - known: the tools that there are; nil when names are not to be checked.
    /// - Throws: `ToolSelectionError`, which names what is wrong and what there is.
    public init(
        toolsets: String?,
        names: String? = nil,
        readOnly: String? = nil,
        known: [String]? = nil
    ) throws(ToolSelectionError) {
        self.init()
        if let toolsets {
            var chosen: Set<Toolset>? = []
            for name in Self.list(toolsets) {
                if name.lowercased() == "all" {
                    chosen = nil
                    continue
                }
                guard let toolset = Toolset(rawValue: name.lowercased()) else {
                    throw ToolSelectionError(
                        .unknownToolset,
                        Misnamed.message("toolset", name, among: Toolset.allCases.map(\.rawValue))
                    )
                }
                chosen?.insert(toolset)
            }
            self.toolsets = chosen
        }
        if let names {
            let list = Self.list(names)
            if let known, let unknown = list.first(where: { !known.contains($0) }) {
                throw ToolSelectionError(.unknownTool, Misnamed.message("tool", unknown, among: known))
            }
            self.names = Set(list)
        }
        switch readOnly?.lowercased().filter({ !$0.isWhitespace }) {
        case nil, "false", "0", "no": isReadOnly = false
        case "", "true", "1", "yes": isReadOnly = true
        case let other?:
            throw ToolSelectionError(.invalidFlag, "read-only is true or false, received '\(Misnamed.shown(other))'")
        }
    }

    private static func list(_ text: String) -> [String] {
        text.split(separator: ",").map { $0.filter { !$0.isWhitespace } }.filter { !$0.isEmpty }
    }
}

/// Why a selection of tools cannot be read.
public struct ToolSelectionError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        case unknownToolset
        case unknownTool
        case invalidFlag
    }

    public let code: Code
    public let message: String

    public var kind: FailureKind { .invalid }

    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

/// The headers by which one request narrows what it is offered.
public enum ToolSelectionHeader {
    public static let toolsets = "X-MCP-Toolsets"
    public static let names = "X-MCP-Tools"
    public static let readOnly = "X-MCP-Readonly"
}

extension ToolSelection {
    /// What a request's headers leave of this selection: they narrow it, and widen nothing.
    ///
    /// - Parameter header: the value of a header by its name; nil when there is none.
    /// - Throws: `ToolSelectionError`.
    public func narrowed(byHeaders header: (String) -> String?) throws(ToolSelectionError) -> ToolSelection {
        narrowed(
            by: try ToolSelection(
                toolsets: header(ToolSelectionHeader.toolsets),
                names: header(ToolSelectionHeader.names),
                readOnly: header(ToolSelectionHeader.readOnly)
            )
        )
    }
}
