import App
import ArgumentParser
import Domain
import Embeddings
import Foundation
import Logging
import MCP
import Outbound
import Search

/// `mcp` without more: serves on stdin and stdout, over a data directory, the hosted service, or another server.
struct MCPServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve the Model Context Protocol on stdin and stdout.",
        discussion: """
            stdout carries protocol only; everything else goes to stderr. Acts as the data directory's owner. With --url it
            hands every message on to a running server, as the key in PYAIRTABLE_KEY. Without a data directory, and with a
            token of the hosted Airtable in AIRTABLE_API_KEY, it serves the bases of that token.
            """
    )

    @OptionGroup var shared: SharedOptions
    @OptionGroup var options: MCPOptions
    @OptionGroup var writing: WriteOptions
    @OptionGroup var imports: ImportRootOptions
    @OptionGroup var fixtures: FixtureOptions

    @Option(help: "Address of a running server to hand every message on to, such as http://127.0.0.1:8080.")
    var url: String?

    func validate() throws {
        try fixtures.checkNoData(shared)
        guard let url else { return }
        try options.checkUnused(besides: "--url")
        guard writing.writes == .ask, imports.importRoot == nil else {
            throw ValidationError("--url leaves writing to the server: leave out --writes and --import-root")
        }
        if fixtures.fixtures { throw ValidationError("--fixtures serves no data: leave out --url") }
        _ = try MCPOptions.address(url)
        guard shared.data == nil, shared.databaseURL == nil else {
            throw ValidationError("--url leaves the data to the server: leave out --data and --database-url")
        }
    }

    func run() async throws {
        if let url { return try await bridge(to: try BridgeAddress(url)) }
        let scratch = try fixtures.scratchDirectory()
        defer { scratch?.remove() }
        var settings: [Setting: String?] = [:]
        if let scratch {
            settings = [
                .data: scratch.path, .databaseURL: "sqlite:\(scratch.path)/fixtures.sqlite", .embedder: "hash",
            ]
        }
        let configuration = try shared.configuration(adding: settings)
        guard scratch == nil, let hosted = try configuration.withoutSetUp() else {
            return try await serve(configuration)
        }
        try await serve(hosted, isHosted: true)
    }

    private func bridge(to address: BridgeAddress) async throws {
        let key = ProcessInfo.processInfo.environment["PYAIRTABLE_KEY"].flatMap { $0.isEmpty ? nil : $0 }
        let logger = Logger.standardError(try shared.configuration())
        if key == nil { logger.warning("PYAIRTABLE_KEY holds no key; the server will ask for one") }
        let selection = try options.selection()
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await MCPBridge.serveStandard(
                    address,
                    key: key.map { OutboundSecret($0) },
                    selection: selection,
                    logger: logger
                )
            }
            group.addTask { await TerminationSignal.wait() }
            await group.next()
            group.cancelAll()
        }
    }

    private func serve(_ configuration: AppConfiguration, isHosted: Bool = false) async throws {
        let logger = Logger.standardError(configuration)
        let services = try await Services.open(configuration, logger: logger)
        let search = try await services.openSearch(writes: writing.mode, importRoot: imports.importRoot)
        let hosted = isHosted ? try await HostedBases(services) : nil
        var offer = fixtures.fixtures ? FixtureMode.offer() : search.mcpOffer(services)
        let selection = try options.selection()
        if selection != .everything { offer.tools = NarrowedTools(tools: offer.tools, selection: selection) }
        let server = MCPServer(info: Product.mcpInfo, offer: offer, logger: logger) { _ in
            try await hosted?.ready()
            return try await services.ownerContext(
                .mcpStdio,
                timeout: .seconds(Limits.mcpWorkSeconds + Limits.mcpAnswerSeconds)
            )
        }
        do {
            // Indexing goes on beside, when no other process of this data directory does it.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await search.indexer.run() }
                if let hosted { group.addTask { try await hosted.run() } }
                group.addTask { try await server.serveStdio() }
                group.addTask { await TerminationSignal.wait() }
                // The indexer never returns; input's end or a signal does.
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            // The tasks beside the one that ended were cancelled by us.
        }
        search.pool.close()
        await services.close()
    }
}

/// Tools of which only some are offered, whoever asks; the others are as unknown as if there were none.
private struct NarrowedTools: ToolProvider {
    let tools: any ToolProvider
    let selection: ToolSelection

    func tools(context: RequestContext) async throws -> [ToolDefinition] {
        try await tools.tools(context: context).filter(selection.includes)
    }

    func call(_ call: ToolCall, caller: any ToolCaller, context: RequestContext) async throws -> ToolResult {
        guard try await tools(context: context).contains(where: { $0.name == call.name }) else {
            throw ToolProviderError.unknownTool(call.name)
        }
        return try await tools.call(call, caller: caller, context: context)
    }
}
