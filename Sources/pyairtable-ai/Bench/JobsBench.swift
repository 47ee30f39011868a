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
/// Three things, each of the same texts: the encoder without anything else, as `embed-bench` runs it; a job with nothing
/// beside it; a job with searches beside it. Each job has a base of its own with one text a record, in a data directory
/// of its own below `--data`, which should be fresh. The encoder is measured before, between and after the jobs, and
/// searches with nothing beside them after the last job, in its index.
///
/// On a machine that does other things too the shares of processor time (`cpuShare`) say more than those of time.
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

    @Option(help: "Searches with nothing beside them.")
    var idleSearches = 300

    /// Texts in one call of the encoder alone.
    private static let batch = 32
    /// Below what the renderer keeps of a record's name.
    private static let characters = 90
    private static let table = "Texts"
    private static let field = "Text"

    private struct Report: Encodable {
        var texts: Int
        var tokens: Int
        var threads: Int
        var encoderTextsPerSecond: Double
        var encoderCPUMsPerText: Double
        var jobTextsPerSecond: Double
        var jobCPUMsPerText: Double
        var share: Double
        var cpuShare: Double
        var searchedJobTextsPerSecond: Double
        var searchedJobCPUMsPerText: Double
        var shareWithSearches: Double
        var searchesDuring: Int
        var searchP50MsIdle: Double
        var searchP99MsIdle: Double
        var searchP50MsDuring: Double
        var searchP99MsDuring: Double
        var searchP99Ratio: Double
    }

    /// What something took, of the clock and of the processors.
    private struct Cost {
        var seconds = 0.0
        var processorSeconds = 0.0

        static func + (left: Cost, right: Cost) -> Cost {
            Cost(
                seconds: left.seconds + right.seconds,
                processorSeconds: left.processorSeconds + right.processorSeconds
            )
        }
    }

    private struct JobResult {
        var cost = Cost()
        var tokens = 0
        var encoder = Cost()
        var threads = 0
        var during: [Double] = []
        var idle: [Double] = []
    }

    func validate() throws {
        guard texts > 0, pause >= 0, idleSearches > 0 else {
            throw ValidationError("--texts and --idle-searches must be above 0, --pause not below")
        }
        guard shared.databaseURL == nil else { throw ValidationError("each job has a SQLite file of its own") }
    }

    func run() async throws {
        let lines = try readTexts()
        let third = (lines.count + 2) / 3
        let alone = try await measure("alone", lines, encoder: [0..<third, third..<min(2 * third, lines.count)])
        let searched = try await measure(
            "searched",
            lines,
            encoder: [min(2 * third, lines.count)..<lines.count],
            searches: true
        )
        let (count, encoder) = (Double(lines.count), alone.encoder + searched.encoder)
        let rates = [encoder, alone.cost, searched.cost].map { count / $0.seconds }
        let processor = [encoder, alone.cost, searched.cost].map { $0.processorSeconds * 1_000 / count }
        let (idle, during) = (searched.idle, searched.during)
        try ANNBenchProcess.writeLine(
            Report(
                texts: lines.count,
                tokens: alone.tokens,
                threads: alone.threads,
                encoderTextsPerSecond: rounded(rates[0]),
                encoderCPUMsPerText: rounded(processor[0]),
                jobTextsPerSecond: rounded(rates[1]),
                jobCPUMsPerText: rounded(processor[1]),
                share: rounded(rates[1] / rates[0]),
                cpuShare: rounded(processor[0] / processor[1]),
                searchedJobTextsPerSecond: rounded(rates[2]),
                searchedJobCPUMsPerText: rounded(processor[2]),
                shareWithSearches: rounded(rates[2] / rates[0]),
                searchesDuring: during.count,
                searchP50MsIdle: rounded(percentile(idle, 0.5)),
                searchP99MsIdle: rounded(percentile(idle, 0.99)),
                searchP50MsDuring: rounded(percentile(during, 0.5)),
                searchP99MsDuring: rounded(percentile(during, 0.99)),
                searchP99Ratio: rounded(percentile(during, 0.99) / percentile(idle, 0.99))
            )
        )
    }

    /// One job in a directory of its own, with the encoder alone on some of the texts before and after.
    private func measure(
        _ name: String,
        _ lines: [String],
        encoder pieces: [Range<Int>],
        searches: Bool = false
    ) async throws -> JobResult {
        var result = JobResult()
        let directory = "\(shared.data ?? "data")/\(name)"
        try await withServices(shared, adding: [.data: directory]) { services, context in
            let search = try await services.openSearch()
            defer { search.pool.close() }
            let base = try await makeBase(lines, services, context)
            result.threads = services.configuration.threads
            if pieces.count > 1 { result.encoder = try await encoderAlone(lines[pieces[0]], search.embedder) }
            let end = try await embed(base, lines, search, context, searches: searches)
            (result.cost, result.during, result.tokens) = (end.cost, end.searches, end.job.tokens)
            if let last = pieces.last {
                result.encoder = result.encoder + (try await encoderAlone(lines[last], search.embedder))
            }
            if searches {
                result.idle = try await self.searches(lines, search.search, context) { $0 >= idleSearches }
            }
        }
        return result
    }

    /// The cost of `body`.
    private func cost(of body: () async throws -> Void) async throws -> Cost {
        func processorSeconds() -> Double {
            var usage = rusage()
            getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
            let (user, system) = (usage.ru_utime, usage.ru_stime)
            return Double(user.tv_sec + system.tv_sec) + Double(user.tv_usec + system.tv_usec) / 1_000_000
        }
        let (start, before) = (ContinuousClock.now, processorSeconds())
        try await body()
        let after = processorSeconds()
        return Cost(seconds: (ContinuousClock.now - start).inSeconds, processorSeconds: after - before)
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

    /// The encoder without database and index, on texts as the job renders them.
    private func encoderAlone(_ lines: ArraySlice<String>, _ embedder: any Embedder) async throws -> Cost {
        let rendered = lines.map { "\(Self.field): \($0)" }
        _ = try await embedder.embed(Array(rendered.prefix(Self.batch)), priority: .bulk)
        return try await cost {
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
        }
    }

    private func embed(
        _ base: Base,
        _ lines: [String],
        _ search: SearchServices,
        _ context: RequestContext,
        searches isSearched: Bool
    ) async throws -> (cost: Cost, job: EmbeddingJob, searches: [Double]) {
        var now = try await search.embeddingJobs.start(
            EmbeddingJobRequest(base: base.id.description),
            context: context
        )
        var times: [Double] = []
        let cost = try await cost {
            let working = Task {
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await search.indexer.run() }
                    group.addTask { try await search.worker.run() }
                    try await group.waitForAll()
                }
            }
            defer { working.cancel() }
            let searching = Task {
                isSearched ? try await searches(lines, search.search, context) { _ in Task.isCancelled } : []
            }
            while !now.state.isTerminal {
                try await Task.sleep(for: .milliseconds(20))
                now = try await search.embeddingJobs.job(now.id, context: context)
            }
            searching.cancel()
            times = try await searching.value
        }
        guard now.state == .succeeded else {
            throw ValidationError("the job ended as \(now.state): \(now.message ?? "")")
        }
        return (cost, now, times)
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
