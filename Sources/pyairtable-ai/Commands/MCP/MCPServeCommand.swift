import App
import ArgumentParser
import Domain
import Embeddings
import Foundation
import Logging
import MCP
import Outbound
import Search
import Tools

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
        let configuration = try shared.configuration(adding: scratch?.settings ?? [:])
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

    /// Says what it is before the data and the model are open: a client that starts it need not wait for them.
    private func serve(_ configuration: AppConfiguration, isHosted: Bool = false) async throws {
        let logger = Logger.standardError(configuration)
        let selection = try options.selection()
        let (isFixtures, writes, importRoot) = (fixtures.fixtures, writing.mode, imports.importRoot)
        // Unstructured, because the server and the indexer both wait for it; waited for below in any case.
        let opening = Task {
            let services = try await Services.open(configuration, logger: logger)
            let search = try await services.openSearch(writes: writes, importRoot: importRoot)
            return Opened(
                services: services,
                search: search,
                hosted: isHosted ? try await HostedBases(services) : nil
            )
        }
        let deferred = DeferredOffer {
            let opened = try await opening.value
            var offer = isFixtures ? FixtureMode.offer() : opened.search.mcpOffer(opened.services)
            if selection != .everything { offer.tools = SelectedTools(offer.tools, selection: selection) }
            return offer
        }
        let server = MCPServer(info: Product.mcpInfo, offer: deferred.offer, logger: logger) { _ in
            try await deferred.ready()
            let opened = try await opening.value
            try await opened.hosted?.ready()
            return try await opened.services.ownerContext(
                .mcpStdio,
                timeout: .seconds(Limits.mcpWorkSeconds + Limits.mcpAnswerSeconds)
            )
        }
        // Unstructured, as nothing waits for it; it ends with the server, if not before.
        let settling = ProgramPages.releaseSoon { _ = try await opening.value }
        defer { settling.cancel() }
        do {
            // Indexing goes on beside, when no other process of this data directory does it.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let opened = try await opening.value
                    try await opened.search.indexer.run()
                }
                if isHosted { group.addTask { try await opening.value.hosted?.run() } }
                group.addTask {
                    // Requests that came while the data was being opened have their time after that.
                    let options = MCPServer.StdioOptions(ready: {
                        try? await deferred.ready()
                        try? await opening.value.hosted?.ready()
                    })
                    try await server.serveStdio(options: options)
                }
                group.addTask { await TerminationSignal.wait() }
                // The indexer never returns; input's end, a signal, or data that cannot be opened does.
                try await group.next()
                group.cancelAll()
            }
        } catch is CancellationError {
            // The tasks beside the one that ended were cancelled by us.
        }
        let opened = try await opening.value
        opened.search.pool.close()
        await opened.services.close()
    }

    private struct Opened: Sendable {
        let services: Services
        let search: SearchServices
        let hosted: HostedBases?
    }
}
