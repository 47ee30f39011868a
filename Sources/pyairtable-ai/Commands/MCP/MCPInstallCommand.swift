import App
import ArgumentParser
import Domain
import Foundation

/// `mcp install`: tells a client how to start this program.
struct MCPInstallCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "install",
        abstract: "Print how a client starts this server, or write it into the client's own file.",
        discussion: """
            With --write the file is read, one server is put in, and all else stays as it is; a copy of what was there lies
            beside it then. A file that is not JSON is left alone. Without --data and --url the client gets the bases of the
            token in AIRTABLE_API_KEY, or the data directory here when there is none. What must be secret is taken from the
            environment: PYAIRTABLE_KEY for --url.
            """
    )

    @Option(help: "\(Self.known).", transform: Self.client(named:))
    var client: MCPClientProgram

    @Flag(help: "Write it into the client's file.")
    var write = false

    @Option(help: "Directory of everything that is kept.")
    var data: String?

    @Option(help: "Address of a running server.")
    var url: String?

    @OptionGroup var options: MCPOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var imports: ImportRootOptions

    @Option(help: "What the client calls the server.")
    var name = "pyairtable"

    @Option(help: ArgumentHelp("The client's file, if it is elsewhere.", valueName: "path"))
    var file: String?

    func validate() throws {
        if data != nil, url != nil { throw ValidationError("--data and --url exclude each other") }
        if name.isEmpty || name.utf8.count > 64 { throw ValidationError("--name has 1 to 64 bytes") }
        if let url {
            _ = try MCPOptions.address(url)
            guard writing.writes == .ask, imports.importRoot == nil else {
                throw ValidationError("--url leaves writing to the server: leave out --writes and --import-root")
            }
        }
    }

    func run() async throws {
        let start = MCPServerStart(
            command: Self.executable,
            arguments: try arguments(),
            environment: try environment()
        )
        let entry = client.entry(start)
        let path = file ?? client.path(home: NSHomeDirectory())
        guard write else {
            let document: JSONValue = [client.serversMember: .object([name: entry])]
            Console.write(document.encoded(.indented) + [0x0A], to: STDOUT_FILENO)
            Console.writeError("\(client.title) reads it from \(path); --write puts it there.\n")
            return
        }
        let outcome = try MCPClientFile(path: path, member: client.serversMember).put(entry, name: name)
        switch outcome {
        case .unchanged: Console.write("\(path) says so already\n")
        case .written(let backup):
            Console.write("\(path) is written\n")
            if let backup { Console.write("what was there before is \(backup)\n") }
            Console.write("next: \(client.restartHint)\n")
        }
    }

    private func arguments() throws -> [String] {
        var arguments = ["mcp"]
        if let url {
            arguments += ["--url", try BridgeAddress(url).text]
        } else if let data {
            arguments += ["--data", URL(fileURLWithPath: data).standardizedFileURL.path]
        } else if Self.variable("AIRTABLE_API_KEY") == nil {
            arguments += ["--data", try AppConfiguration.load().dataDirectory]
        }
        return arguments + options.arguments + writing.arguments + imports.arguments
    }

    /// Keys go where the client keeps them for its servers, and are not shown.
    private func environment() throws -> [String: String] {
        let variable = url != nil ? "PYAIRTABLE_KEY" : data == nil ? "AIRTABLE_API_KEY" : nil
        guard let variable else { return [:] }
        guard let value = Self.variable(variable) else {
            guard url != nil else { return [:] }
            if write {
                throw ClientFileError.keyMissing(variable)
            }
            return [variable: "…"]
        }
        return [variable: write ? value : "…"]
    }

    private static let known = MCPClientProgram.allCases.map(\.rawValue).joined(separator: ", ")

    private static func client(named name: String) throws -> MCPClientProgram {
        guard let client = MCPClientProgram(rawValue: name) else {
            throw ValidationError("there is no client \"\(name)\"; there are \(known)")
        }
        return client
    }

    private static func variable(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }

    private static var executable: String {
        #if os(Linux)
            URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
        #else
            URL(fileURLWithPath: CommandLine.arguments[0]).standardizedFileURL.resolvingSymlinksInPath().path
        #endif
    }
}
