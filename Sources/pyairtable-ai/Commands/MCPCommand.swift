import App
import ArgumentParser
import Domain
import Embeddings
import Foundation
import Logging
import MCP
import Search

/// `mcp`: the Model Context Protocol on stdin and stdout.
struct MCPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mcp",
        abstract: "Serve the Model Context Protocol on stdin and stdout.",
        discussion: "stdout carries protocol only; everything else goes to stderr. Acts as the data directory's owner."
    )

    @OptionGroup var shared: SharedOptions

    func run() async throws {
        let configuration = try shared.configuration()
        let logger = Logger.standardError(configuration)
        let services = try await Services.open(configuration, logger: logger)
        let search = try await services.openSearch()
        let server = MCPServer(
            info: Product.mcpInfo,
            offer: search.mcpOffer(services),
            logger: logger
        ) { _ in
            try await services.ownerContext(
                .mcpStdio,
                timeout: .seconds(Limits.mcpWorkSeconds + Limits.mcpAnswerSeconds)
            )
        }
        do {
            // Indexing goes on beside, when no other process of this data directory does it.
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await search.indexer.run() }
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
