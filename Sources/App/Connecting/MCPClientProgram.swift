public import Domain
public import Foundation

/// A program that starts MCP servers, and where it is told which: the ones most people have on their desk.
public enum MCPClientProgram: String, Sendable, Hashable, CaseIterable {
    case claudeDesktop = "claude-desktop"
    case cursor
    case visualStudioCode = "vscode"

    public var title: String {
        switch self {
        case .claudeDesktop: "Claude Desktop"
        case .cursor: "Cursor"
        case .visualStudioCode: "VS Code"
        }
    }

    /// The user's own file, for all their projects.
    ///
    /// - Parameters:
    ///   - home: the user's directory.
    ///   - environment: of the process: where the user keeps configuration, if elsewhere than usual.
    public func path(home: String, environment: [String: String] = ProcessInfo.processInfo.environment) -> String {
        #if os(macOS)
            let settings = home + "/Library/Application Support"
        #else
            let named = environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
            let settings = named ?? home + "/.config"
        #endif
        return switch self {
        case .claudeDesktop: settings + "/Claude/claude_desktop_config.json"
        case .cursor: home + "/.cursor/mcp.json"
        case .visualStudioCode: settings + "/Code/User/mcp.json"
        }
    }

    /// The member of the file under which servers stand, by name.
    public var serversMember: String { self == .visualStudioCode ? "servers" : "mcpServers" }

    /// What to do so that the program sees a change of its file.
    public var restartHint: String {
        switch self {
        case .claudeDesktop: "quit Claude Desktop and start it again"
        case .cursor: "Cursor sees it by itself; Settings, MCP shows it"
        case .visualStudioCode: "run \"MCP: List Servers\" in VS Code and start it there"
        }
    }

    /// How a program says what it starts.
    public func entry(_ start: MCPServerStart) -> JSONValue {
        var members: JSONObject = self == .visualStudioCode ? ["type": "stdio"] : [:]
        members["command"] = .string(start.command)
        members["args"] = .array(start.arguments.map { .string($0) })
        if !start.environment.isEmpty {
            members["env"] = .object(
                JSONObject(start.environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            )
        }
        return .object(members)
    }
}

/// How a client starts this program.
public struct MCPServerStart: Sendable, Hashable {
    /// Absolute: the client decides where it starts.
    public var command: String
    public var arguments: [String]
    public var environment: [String: String]

    public init(command: String, arguments: [String], environment: [String: String] = [:]) {
        self.command = command
        self.arguments = arguments
        self.environment = environment
    }
}
