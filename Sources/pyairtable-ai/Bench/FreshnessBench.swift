import Airtable
import App
import ArgumentParser
import Domain
import Embeddings
import Foundation
import Search

/// How long after a write is acknowledged a search finds the record.
///
/// Writes records with a word that stands nowhere else, one at a time, and asks for it until it is found; deletes them
/// afterwards. The index is kept by whichever process holds its lock: a server beside this command, or else the
/// command itself. Times include the searches that ask, so they are upper bounds.
struct FreshnessBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "freshness",
        abstract: "Measure how long after a write a search finds the record."
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "The base to write to (name or id); its first table takes the records.")
    var base: String

    @Option(help: "Records to write.")
    var writes = 200

    @Option(help: "Milliseconds between two writes.")
    var pause = 50

    private struct Report: Encodable {
        var writes: Int
        var p50: Double
        var p99: Double
        var max: Double

        enum CodingKeys: String, CodingKey {
            case writes
            case p50 = "p50_ms"
            case p99 = "p99_ms"
            case max = "max_ms"
        }
    }

    func validate() throws {
        guard writes > 0, pause >= 0 else { throw ValidationError("--writes must be above 0, --pause not below") }
    }

    func run() async throws {
        try await withServices(shared) { services, context in
            let search = try await services.openSearch()
            defer { search.pool.close() }
            let base = try await services.airtable.base(base, context: context)
            guard let table = try await services.airtable.tables(in: base.id, context: context).first else {
                throw ValidationError("the base has no table")
            }
            // The lock's holder indexes; this waits beside it.
            let indexing = Task { try await search.indexer.run() }
            defer { indexing.cancel() }
            var times: [Double] = []
            var made: [RecordID] = []
            for _ in 0..<writes {
                let word = String((0..<14).map { _ in "bcdfghjklmnpqrstvwxz".randomElement() ?? "b" })
                let record = try await services.airtable.create(
                    [RecordDraft([table.primaryField: .string("Arrived: \(word)")])],
                    in: table.id,
                    context: context
                )
                made += record.map(\.id)
                let start = ContinuousClock.now
                try await find(word, made.last, in: base.id, search.search, context)
                times.append((ContinuousClock.now - start).inSeconds * 1_000)
                try await Task.sleep(for: .milliseconds(pause))
            }
            for start in stride(from: 0, to: made.count, by: 10) {
                let some = Array(made[start..<min(start + 10, made.count)])
                try await services.airtable.delete(some, in: table.id, context: context)
            }
            times.sort()
            let last = times.count - 1
            try ANNBenchProcess.writeLine(
                Report(writes: writes, p50: times[last / 2], p99: times[last * 99 / 100], max: times[last])
            )
        }
    }

    private func find(
        _ word: String,
        _ record: RecordID?,
        in base: BaseID,
        _ search: SearchService,
        _ context: RequestContext
    ) async throws {
        let deadline = ContinuousClock.now + .seconds(60)
        let request = SearchRequest(query: word, bases: [base.description], limit: 3)
        while ContinuousClock.now < deadline {
            if try await search.search(request, context: context).hits.contains(where: { $0.recordID == record }) {
                return
            }
            try await Task.sleep(for: .milliseconds(10))
        }
        throw ValidationError("not found a minute after it was written; is another process's indexer stuck?")
    }
}
