import App
import ArgumentParser
import Domain

/// Which tools a client is offered, as the one who starts the server decides. Only ever narrows.
struct MCPOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Groups of tools to offer, between commas: \(Toolset.allCases.map(\.rawValue).joined(separator: ", ")).",
            valueName: "names"
        )
    )
    var toolsets: String?

    @Option(help: ArgumentHelp("Tools to offer, between commas.", valueName: "names"))
    var tools: String?

    @Flag(help: "Offer only tools that change nothing; wins over everything else.")
    var readOnly = false

    func validate() throws { _ = try selection() }

    /// - Throws: `ValidationError` for a group that there is not. Tools are known only to the server.
    func selection() throws -> ToolSelection {
        var selection = ToolSelection(isReadOnly: readOnly)
        selection.toolsets = try toolsets.map { text in
            Set(
                try Self.names(text, of: "--toolsets").map { name in
                    if let toolset = Toolset(rawValue: name) { return toolset }
                    let known = Toolset.allCases.map(\.rawValue)
                    let nearest = Spelling.nearest(to: name, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
                    throw ValidationError(
                        "there is no toolset \"\(name)\"\(nearest) There are \(known.joined(separator: ", "))"
                    )
                }
            )
        }
        selection.names = try tools.map { Set(try Self.names($0, of: "--tools")) }
        return selection
    }

    /// The same as arguments.
    var arguments: [String] {
        (toolsets.map { ["--toolsets", $0] } ?? []) + (tools.map { ["--tools", $0] } ?? [])
            + (readOnly ? ["--read-only"] : [])
    }

    /// - Throws: `ValidationError`.
    static func address(_ url: String) throws -> BridgeAddress {
        do { return try BridgeAddress(url) } catch let error as BridgeAddressError {
            throw ValidationError(error.description)
        }
    }

    private static func names(_ text: String, of option: String) throws -> [String] {
        let names = text.split(separator: ",").map {
            String($0.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }
        guard !names.isEmpty, names.allSatisfy({ !$0.isEmpty }) else {
            throw ValidationError("\(option) takes names between commas")
        }
        return names
    }
}
