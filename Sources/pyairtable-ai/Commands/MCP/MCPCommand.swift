import ArgumentParser

/// `mcp`: the Model Context Protocol on stdin and stdout, and how clients are told of it.
struct MCPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp",
        abstract: "Serve the Model Context Protocol on stdin and stdout.",
        discussion: "Without a subcommand it serves. `mcp install --client NAME` tells a client how to start it.",
        subcommands: [MCPServeCommand.self, MCPInstallCommand.self],
        defaultSubcommand: MCPServeCommand.self
    )
}
