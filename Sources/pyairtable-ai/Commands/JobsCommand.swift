import App
import ArgumentParser
import Domain
import Embeddings
import Jobs
import Search

/// `jobs list|show|cancel|embed`: work that outlives the command that asks for it.
struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "List, show, cancel and start embedding jobs.",
        subcommands: [List.self, Show.self, Cancel.self, Embed.self]
    )

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the jobs, newest first.")

        @OptionGroup var shared: SharedOptions

        @Option(help: "Jobs at most.")
        var limit = 20

        @Flag(help: "Print a JSON array.")
        var json = false

        func validate() throws {
            guard (1...Limits.pageRecords).contains(limit) else {
                throw ValidationError("--limit must be from 1 to \(Limits.pageRecords)")
            }
        }

        func run() async throws {
            try await withJobs(shared) { search, context in
                let page = try await search.embeddingJobs.jobs(limit: limit, context: context)
                if json {
                    Console.writeLine(.array(page.jobs.map(\.json)))
                } else {
                    if page.jobs.isEmpty { Console.writeError("no jobs\n") }
                    for job in page.jobs { Console.write(job.line + "\n") }
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one job.")

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: JobTarget

        func run() async throws {
            try await withJobs(shared) { search, context in
                target.show(try await search.embeddingJobs.job(target.id, context: context))
            }
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "End a job; what it has done stays.")

        @OptionGroup var shared: SharedOptions
        @OptionGroup var target: JobTarget

        func run() async throws {
            try await withJobs(shared) { search, context in
                target.show(try await search.embeddingJobs.cancel(target.id, context: context))
            }
        }
    }

    struct Embed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Embed a base or tables again, or everything by another model.",
            discussion: "Waits until it is done, and does the work itself when no server does."
        )

        @OptionGroup var shared: SharedOptions

        @Option(help: "The base (name or id).")
        var base: String?

        @Option(help: "A table (name or id); may be given several times.")
        var table: [String] = []

        @Option(help: "local, gemini/NAME or openai/NAME@DIMENSIONS; another one than now changes the whole index.")
        var model: String?

        @Flag(help: "Encode also what did not change.")
        var force = false

        @Flag(help: "Only queue the job; a server does it.")
        var noWait = false

        @Flag(help: "Print one JSON object.")
        var json = false

        func validate() throws {
            if (base == nil) == table.isEmpty { throw ValidationError("give --base, or --table") }
        }

        func run() async throws {
            let bar = ProgressBar()
            try await withJobs(shared) { search, context in
                defer { bar.finish() }
                let request = EmbeddingJobRequest(
                    base: base,
                    tables: table.isEmpty ? nil : table,
                    model: model,
                    force: force
                )
                var job = try await search.embeddingJobs.start(request, context: context)
                if !noWait { job = try await follow(job, search, context, bar) }
                bar.finish()
                if json { Console.writeLine(job.json) } else { Console.write(job.text) }
                if job.state == .failed { throw ExitCode.failure }
            }
        }

        private func follow(
            _ job: EmbeddingJob,
            _ search: SearchServices,
            _ context: RequestContext,
            _ bar: ProgressBar
        ) async throws -> EmbeddingJob {
            try await withThrowingTaskGroup(of: EmbeddingJob?.self) { group in
                // The lock's holder indexes; this waits beside it.
                group.addTask {
                    try await search.indexer.run()
                    return nil
                }
                group.addTask {
                    try await search.worker.run()
                    return nil
                }
                group.addTask {
                    while true {
                        let now = try await search.embeddingJobs.job(job.id, context: context)
                        bar.show(
                            "embedding",
                            done: Int64(now.done),
                            total: Int64(now.total),
                            unit: " \(now.unit.rawValue)"
                        )
                        if now.state.isTerminal { return now }
                        try await Task.sleep(for: .milliseconds(200))
                    }
                }
                defer { group.cancelAll() }
                while let ended = try await group.next() {
                    if let ended { return ended }
                }
                return job
            }
        }
    }
}

/// A job by its id.
struct JobTarget: ParsableArguments {
    @Argument(help: "The job's id, as `jobs list` shows it.", transform: JobTarget.identifier)
    var id: JobID

    @Flag(help: "Print one JSON object.")
    var json = false

    private static func identifier(_ text: String) throws -> JobID {
        if let job = JobID(text) { return job }
        throw ValidationError("a job's id is job and 14 characters")
    }

    func show(_ job: EmbeddingJob) {
        if json { Console.writeLine(job.json) } else { Console.write(job.text) }
    }
}

private func withJobs(
    _ shared: SharedOptions,
    _ body: (SearchServices, RequestContext) async throws -> Void
) async throws {
    try await withServices(shared, makesData: false, isQuiet: true) { services, context in
        let search = try await services.openSearch()
        defer { search.pool.close() }
        try await body(search, context)
    }
}

extension EmbeddingJob {
    fileprivate var line: String { "\(id)  \(state.rawValue)  \(done)/\(total) \(unit.rawValue)  \(model)" }

    fileprivate var text: String {
        var lines = [
            line, "  skipped \(skipped), encoded \(encodedTexts) texts of \(tokens) tokens, failed \(failed)",
        ]
        if let perSecond {
            let left = secondsLeft.map { ", \($0) s left" } ?? ""
            lines.append("  \(perSecond) \(unit.rawValue)/s\(left)")
        }
        if let message { lines.append("  \(message)") }
        for record in failedRecords { lines.append("  failed: \(record)") }
        return lines.joined(separator: "\n") + "\n"
    }

    fileprivate var json: JSONValue {
        var members: JSONObject = [
            "id": .string(id.description), "state": .string(state.rawValue), "model": .string(model.description),
            "changesModel": .bool(changesModel), "force": .bool(isForced), "unit": .string(unit.rawValue),
            "total": .number(JSONNumber(total)), "done": .number(JSONNumber(done)),
            "skipped": .number(JSONNumber(skipped)), "failed": .number(JSONNumber(failed)),
            "failedRecords": .array(failedRecords.map { .string($0.description) }),
            "encodedTexts": .number(JSONNumber(encodedTexts)), "tokens": .number(JSONNumber(tokens)),
            "tables": .array(tables.map { .string($0.description) }),
            "createdTime": .string(createdTime.iso8601),
        ]
        members["perSecond"] = perSecond.flatMap { JSONNumber($0) }.map { .number($0) }
        members["secondsLeft"] = secondsLeft.map { .number(JSONNumber($0)) }
        members["startedTime"] = startedTime.map { .string($0.iso8601) }
        members["finishedTime"] = finishedTime.map { .string($0.iso8601) }
        members["message"] = message.map { .string($0) }
        return .object(members)
    }
}
