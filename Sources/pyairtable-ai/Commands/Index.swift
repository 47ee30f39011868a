import App
import ArgumentParser
import Domain
import Embeddings
import Search

/// `index`: returns when everything written so far can be found.
struct Index: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the search index up to date, and wait until it is.",
        discussion: "A running server does this by itself. Interrupted, it goes on where it was."
    )

    @OptionGroup var shared: SharedOptions

    @Flag(help: "Only tell how far the index is.")
    var status = false

    @Flag(help: "Write every vector anew.")
    var rebuild = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        let bar = ProgressBar()
        try await withServices(shared, makesData: false) { services, context in
            defer { bar.finish() }
            let search = try await services.openSearch()
            defer { search.pool.close() }
            if rebuild { try await search.indexer.requestRebuild(context: context) }
            if !status {
                try await search.indexer.indexAll { progress in
                    bar.show("indexing", done: Int64(progress.done), total: Int64(progress.total), unit: " records")
                }
                bar.finish()
            }
            show(try await search.indexer.status(tenant: context.tenant))
        }
    }

    private func show(_ status: IndexStatus) {
        if json {
            Console.writeLine([
                "current": .bool(status.isCurrent), "lag": .number(JSONNumber(status.lag)),
                "tables": .array(
                    status.tables.map { table in
                        [
                            "tableId": .string(table.table.description), "baseId": .string(table.base.description),
                            "done": .number(JSONNumber(table.done)), "total": .number(JSONNumber(table.total)),
                            "current": .bool(table.isCurrent),
                        ]
                    }
                ),
            ])
        } else if status.isCurrent {
            Console.writeError("the index is current\n")
        } else {
            Console.writeError("the index is behind: \(status.lag) changes")
            for table in status.tables where !table.isCurrent {
                Console.writeError(", \(table.table) \(table.done) of \(table.total)")
            }
            Console.writeError("\n")
        }
    }
}
