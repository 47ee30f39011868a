import Airtable
import App
import ArgumentParser
import Domain
import Embeddings
import Foundation
import Jobs
import Search

/// How fast an embedding job gets texts into the index, beside the encoder alone, and how searches fare meanwhile.
///
/// Makes a base of its own with one text a record, in a data directory that should be fresh; encodes the same texts
/// without anything else; then has a job embed them, with searches going on; then searches again with nothing else.
struct JobsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Measure an embedding job end to end, and searches during it."
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "The file of texts, one a line; numbered, cut at 90 characters and repeated until there are enough.")
    var input: String

    @Option(help: "Texts to embed.")
    var texts = 20_000

    @Option(help: "Milliseconds between two searches.")
    var pause = 100

    /// Texts in one call of the encoder alone.
    private static let batch = 32
    /// Below what the renderer keeps of a record's name.
    private static let characters = 90
    private static let table = "Texts"
    private static let field = "Text"

    private struct Report: Encodable {
        var texts: Int
        var tokens: Int
        var encoderTextsPerSecond: Double
        var jobTextsPerSecond: Double
        var share: Double
        var searchesDuring: Int
        var searchP50MsIdle: Double
        var searchP99MsIdle: Double
        var searchP50MsDuring: Double
        var searchP99MsDuring: Double
        var threads: Int
    }

    func validate() throws {
        guard texts > 0, pause >= 0 else { throw ValidationError("--texts must be above 0, --pause not below") }
    }

    func run() async throws {
        let lines = try readTexts()
        try await withServices(shared) { services, context in
            let search = try services.openSearch()
            defer { search.pool.close() }
            let base = try await makeBase(lines, services, context)
            let encoder = try await encoderAlone(lines, search.embedder)
            let (seconds, job, during) = try await embed(base, lines, search, context)
            let idle = try await searches(lines, search.search, context) { $0 >= max(50, min(during.count, 300)) }
            let rate = Double(lines.count) / seconds
            try ANNBenchProcess.writeLine(
                Report(
                    texts: lines.count,
                    tokens: job.tokens,
                    encoderTextsPerSecond: rounded(encoder),
                    jobTextsPerSecond: rounded(rate),
                    share: rounded(rate / encoder),
                    searchesDuring: during.count,
                    searchP50MsIdle: rounded(percentile(idle, 0.5)),
                    searchP99MsIdle: rounded(percentile(idle, 0.99)),
                    searchP50MsDuring: rounded(percentile(during, 0.5)),
                    searchP99MsDuring: rounded(percentile(during, 0.99)),
                    threads: services.configuration.threads
                )
            )
        }
    }

    private func readTexts() throws -> [String] {
        var lines = try TextLines(path: input, format: .plain)
        var found: [String] = []
        while case let more = try lines.next(4_096), !more.isEmpty {
            found += more.filter { $0.contains { !$0.isWhitespace } }
        }
        guard !found.isEmpty else { throw EmbedInputError(.noTexts, "the input holds no text") }
        // A text is encoded once however often it stands there, so each begins with another number. They end where the
        // indexer would cut them, so that the encoder alone reads the same.
        return (0..<texts).map { number in
            String("\(number) \(found[number % found.count])".prefix(Self.characters))
        }
    }

    private func makeBase(_ lines: [String], _ services: Services, _ context: RequestContext) async throws -> Base {
        let name = "bench \(UInt32.random(in: 0 ... .max))"
        let schema = try await services.airtable.createBase(
            name: name,
            tables: [TableDraft(name: Self.table, fields: [FieldDraft(name: Self.field, type: .singleLineText)])],
            context: context
        )
        guard let table = schema.tables.first else { throw ValidationError("the base has no table") }
        for start in stride(from: 0, to: lines.count, by: Limits.batchRecords) {
            let drafts = lines[start..<min(start + Limits.batchRecords, lines.count)].map { text in
                RecordDraft([table.primaryField: .string(text)])
            }
            _ = try await services.airtable.create(drafts, in: table.id, context: context)
        }
        return schema.base
    }

    /// Texts a second without database and index; the same texts as the job's.
    private func encoderAlone(_ lines: [String], _ embedder: any Embedder) async throws -> Double {
        let rendered = lines.map { "\(Self.field): \($0)" }
        _ = try await embedder.embed(Array(rendered.prefix(Self.batch)), priority: .bulk)
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { group in
            var next = 0
            func add() {
                let piece = Array(rendered[next..<min(next + Self.batch, rendered.count)])
                next += piece.count
                group.addTask { _ = try await embedder.embed(piece, priority: .bulk) }
            }
            for _ in 0..<2 where next < rendered.count { add() }
            while try await group.next() != nil {
                if next < rendered.count { add() }
            }
        }
        return Double(rendered.count) / (ContinuousClock.now - start).inSeconds
    }

    private func embed(
        _ base: Base,
        _ lines: [String],
        _ search: SearchServices,
        _ context: RequestContext
    ) async throws -> (seconds: Double, job: EmbeddingJob, searches: [Double]) {
        let start = ContinuousClock.now
        let job = try await search.embeddingJobs.start(
            EmbeddingJobRequest(base: base.id.description),
            context: context
        )
        let working = Task {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await search.indexer.run() }
                group.addTask { try await search.worker.run() }
                try await group.waitForAll()
            }
        }
        defer { working.cancel() }
        let searching = Task {
            try await searches(lines, search.search, context) { _ in Task.isCancelled }
        }
        var now = job
        while !now.state.isTerminal {
            try await Task.sleep(for: .milliseconds(20))
            now = try await search.embeddingJobs.job(job.id, context: context)
        }
        let seconds = (ContinuousClock.now - start).inSeconds
        searching.cancel()
        guard now.state == .succeeded else {
            throw ValidationError("the job ended as \(now.state): \(now.message ?? "")")
        }
        return (seconds, now, try await searching.value)
    }

    /// Milliseconds of searches, ascending; a new question each time.
    private func searches(
        _ lines: [String],
        _ search: SearchService,
        _ context: RequestContext,
        until isEnough: @Sendable (Int) -> Bool
    ) async throws -> [Double] {
        var times: [Double] = []
        while !isEnough(times.count) {
            let line = lines[(times.count * 7_919) % lines.count]
            let words = line.split(separator: " ").prefix(6).joined(separator: " ")
            let start = ContinuousClock.now
            do {
                let request = SearchRequest(query: "\(words) \(times.count)", limit: 10)
                _ = try await search.search(request, context: context)
                times.append((ContinuousClock.now - start).inSeconds * 1_000)
                try await Task.sleep(for: .milliseconds(pause))
            } catch is CancellationError {
                break
            }
        }
        return times.sorted()
    }

    private func percentile(_ sorted: [Double], _ share: Double) -> Double {
        sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))]
    }

    private func rounded(_ value: Double) -> Double { (value * 1_000).rounded() / 1_000 }
}
