import Access
import Airtable
import Database
import Domain
import Embeddings
import Jobs
import TestSupport
import Testing

@testable import Search

@Suite("Embedding jobs")
struct EmbeddingJobTests {
    struct SuddenEnd: Error {}
    private typealias Names = ModelsFixture

    @Test(
        "a job embeds what is new, skips what is known by its hash, and counts both",
        arguments: DatabaseKind.allCases
    )
    func ordinary(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            try await process.world.createMany(100, in: table)
            let job = try await process.jobs.start(EmbeddingJobRequest(base: "base"), context: process.context)
            #expect(job.state == .queued && job.tables == [table.id] && job.unit == .records && !job.changesModel)
            try await process.working {
                let end = try await process.end(of: job.id)
                #expect(end.state == .succeeded && end.done == 100 && end.total == 100)
                #expect(end.skipped == 0 && end.failed == 0 && end.encodedTexts == 200 && end.tokens > 200)
                #expect(end.finishedTime != nil && end.secondsLeft == nil)
                // Once more: nothing is left to encode.
                let second = try await process.jobs.start(
                    EmbeddingJobRequest(tables: ["Notes"]),
                    context: process.context
                )
                let again = try await process.end(of: second.id)
                #expect(again.done == 100 && again.skipped == 100 && again.encodedTexts == 0 && again.tokens == 0)
                // By force everything is read again.
                let third = try await process.jobs.start(
                    EmbeddingJobRequest(tables: [table.id.description], force: true),
                    context: process.context
                )
                let forced = try await process.end(of: third.id)
                #expect(forced.done == 100 && forced.skipped == 0 && forced.encodedTexts == 200)
            }
            #expect(process.readings(Names.first).values.allSatisfy { $0 == 2 })
            try await process.expectSound()
        }
    }

    @Test("records whose text the model does not take are named", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(30, in: table)
            try await process.indexer.indexAll()
            process.shelf.embedder(Names.first).refusedWord.value = "number11"
            let job = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", force: true),
                context: process.context
            )
            try await process.working {
                let end = try await process.end(of: job.id)
                #expect(end.state == .succeeded && end.failed == 1 && end.failedRecords == [ids[11]])
            }
            #expect(try await process.withoutVector() == [ids[11]])
            try await process.expectSound()
        }
    }

    @Test(
        "killed anywhere, each end costs reading one batch again at most, by force too, and progress only rises",
        arguments: DatabaseKind.allCases,
        [false, true]
    )
    func suddenEnds(_ kind: DatabaseKind, isForced: Bool) async throws {
        for seed in UInt64(1)...(kind == .sqlite ? 6 : 2) {
            try await withModels(kind) { process in
                var generator = SeededGenerator(seed: seed)
                let table = try await process.world.notes()
                try await process.world.createMany(400, in: table)
                if isForced { try await process.indexer.indexAll() }
                let once = isForced ? 2 : 1
                let job = try await process.jobs.start(
                    EmbeddingJobRequest(base: "Base", force: isForced),
                    context: process.context
                )
                var (ends, done) = (0, 0)
                for _ in 0..<30 {
                    let left = Guarded(Int.random(in: 0...12, using: &generator))
                    let doomed = try process.other { _ in
                        left.update { $0 -= 1 }
                        if left.value < 0 { throw SuddenEnd() }
                    }
                    do { try await doomed.indexer.indexAll() } catch is SuddenEnd { ends += 1 }
                    doomed.models.closeWriters()
                    let seen = try await process.backfill(of: table.id).done
                    #expect(seen >= done, "seed \(seed)")
                    done = seen
                }
                #expect(ends > 0)
                let last = try process.other()
                try await last.working {
                    let end = try await last.end(of: job.id)
                    #expect(end.state == .succeeded && end.done == 400, "seed \(seed)")
                }
                try await last.expectSound("seed \(seed)")
                let readings = process.readings(Names.first)
                #expect(readings.count == 800)
                let excess = readings.values.reduce(0) { $0 + $1 - once }
                #expect(excess <= ends * Limits.embeddingTextsUnderWay, "seed \(seed): \(excess) read again")
                #expect(readings.values.allSatisfy { $0 >= once }, "seed \(seed): a text was left out")
            }
        }
    }

    @Test("a worker that dies leaves a job that another follows to its end", arguments: DatabaseKind.allCases)
    func workersEnd(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            try await process.world.createMany(60, in: table)
            let job = try await process.jobs.start(EmbeddingJobRequest(base: "Base"), context: process.context)
            // Taken up by one that never says anything again.
            let silent = try await process.queue.claim(
                kinds: [EmbeddingJobs.kind],
                owner: "silent",
                tenant: process.tenant
            )
            #expect(silent?.job.id == job.id)
            try await process.indexer.indexAll()
            try await process.working {
                let end = try await process.end(of: job.id)
                #expect(end.state == .succeeded)
            }
            await #expect(throws: JobError(.leaseLost, "")) {
                try await process.queue.finish(try #require(silent))
            }
        }
    }

    @Test("a cancelled job leaves off, and what the index needs anyway goes on", arguments: DatabaseKind.allCases)
    func cancelling(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(40, in: table)
            // The index has not seen the table yet, so the first job joins what is needed.
            try await process.indexer.indexAll()
            let forced = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", force: true),
                context: process.context
            )
            #expect(try await process.jobs.cancel(forced.id, context: process.context).state == .cancelled)
            try await process.indexer.indexAll()
            #expect(process.readings(Names.first).values.allSatisfy { $0 == 1 }, "nothing was read again")

            try await process.indexer.requestRebuild(context: process.context)
            let joined = try await process.jobs.start(EmbeddingJobRequest(base: "Base"), context: process.context)
            _ = try await process.jobs.cancel(joined.id, context: process.context)
            #expect(try await !process.indexer.status(tenant: process.tenant).isCurrent, "the rebuild goes on")
            try await process.indexer.indexAll()
            #expect(try await process.byMeaning("number5").contains(ids[5]))
            try await process.expectSound()
        }
    }

    @Test("cancelling a job ends nothing that another job waits for", arguments: DatabaseKind.allCases, [false, true])
    func cancellingOne(_ kind: DatabaseKind, _ isSecondForced: Bool) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            try await process.world.createMany(40, in: table)
            try await process.indexer.indexAll()
            let first = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", force: true),
                context: process.context
            )
            let second = try await process.jobs.start(
                EmbeddingJobRequest(tables: ["Notes"], force: isSecondForced),
                context: process.context
            )
            // Whichever of the two the table was queued for.
            let cancelled = isSecondForced ? second : first
            let kept = isSecondForced ? first : second
            _ = try await process.jobs.cancel(cancelled.id, context: process.context)
            try await process.working {
                let end = try await process.end(of: kept.id)
                #expect(end.state == .succeeded && end.done == 40 && end.total == 40)
                #expect(end.encodedTexts == (isSecondForced ? 80 : 0), "read again only for whoever wants it")
            }
            try await process.expectSound()
        }
    }

    @Test("what cannot be is refused, each with its reason")
    func refusedRequests() async throws {
        try await withModels { process in
            _ = try await process.world.notes()
            let cases: [(EmbeddingJobRequest, SearchError.Code)] = [
                (EmbeddingJobRequest(), .invalidOption),
                (EmbeddingJobRequest(base: "Base", tables: ["Notes"]), .invalidOption),
                (EmbeddingJobRequest(tables: []), .invalidOption),
                (EmbeddingJobRequest(base: "Bass"), .unknownBase),
                (EmbeddingJobRequest(tables: ["Notes", "Nodes"]), .unknownTable),
            ]
            for (request, code) in cases {
                await #expect(throws: SearchError(code, "")) {
                    try await process.jobs.start(request, context: process.context)
                }
            }
            for name in ["", "gemini", "openai/x", "openai/@3", "gemini/a@0", "gemini/a@99999", "local/x", "gemini/ä"] {
                await #expect(throws: EmbeddingsError(.invalidModelName, ""), "\(name)") {
                    try await process.jobs.start(
                        EmbeddingJobRequest(base: "Base", model: name),
                        context: process.context
                    )
                }
            }
            #expect(try await process.jobs.jobs(context: process.context).jobs.isEmpty)
        }
    }

    @Test("somebody who sees one base sees its jobs only, and changes no model")
    func scopes() async throws {
        try await withModels { process in
            let mine = try await process.world.notes(base: "Mine")
            _ = try await process.world.notes(base: "Theirs")
            let issued = try await process.world.access.createKey(
                APIKeyDraft(name: "narrow", scopes: [.embed], bases: [mine.base]),
                context: process.context
            )
            let narrow = try await process.world.access.authenticate(
                bearer: issued.text,
                timeout: .seconds(60),
                requestID: "r",
                logger: process.context.logger
            )
            let own = try await process.jobs.start(EmbeddingJobRequest(base: "Mine"), context: narrow)
            let theirs = try await process.jobs.start(EmbeddingJobRequest(base: "Theirs"), context: process.context)
            #expect(try await process.jobs.jobs(context: narrow).jobs.map(\.id) == [own.id])
            #expect(try await process.jobs.jobs(context: process.context).jobs.count == 2)
            // Neither an empty page nor a cursor tells of what stands beside it.
            let page = try await process.jobs.jobs(limit: 1, context: narrow)
            #expect(page.jobs.map(\.id) == [own.id] && page.next == nil)
            let first = try await process.jobs.jobs(limit: 1, context: process.context)
            let second = try await process.jobs.jobs(after: first.next, limit: 1, context: process.context)
            #expect(first.jobs.map(\.id) == [theirs.id] && first.next != nil)
            #expect(second.jobs.map(\.id) == [own.id] && second.next == nil)
            await #expect(throws: JobError(.notFound, "")) { try await process.jobs.job(theirs.id, context: narrow) }
            await #expect(throws: JobError(.notFound, "")) { try await process.jobs.cancel(theirs.id, context: narrow) }
            await #expect(throws: SearchError(.unknownBase, "")) {
                try await process.jobs.start(EmbeddingJobRequest(base: "Theirs"), context: narrow)
            }
            await #expect(throws: AccessError.forbidden(.embed)) {
                try await process.jobs.start(
                    EmbeddingJobRequest(base: "Mine", model: Names.second.description),
                    context: narrow
                )
            }
            #expect(try await process.jobs.job(theirs.id, context: process.context).state == .queued)
        }
    }

    @Test("a few texts are embedded by the live model, bounded and counted")
    func smallSets() async throws {
        try await withModels { process in
            let texts = TextEmbedding(models: process.models)
            let found = try await texts.embed(
                TextEmbeddingRequest(input: ["red bicycle", "bicycle red"], kind: .query, truncates: false),
                context: process.context
            )
            #expect(found.model == Names.first && found.dimensions == 48 && found.tokens == 8)
            #expect(found.vectors.count == 2 && found.vectors[0] == found.vectors[1])
            let long = String(repeating: "word ", count: 400)
            await #expect(throws: EmbeddingsError(.textTooLong, "")) {
                try await texts.embed(
                    TextEmbeddingRequest(input: ["a", long], kind: .document, truncates: false),
                    context: process.context
                )
            }
            let cut = try await texts.embed(
                TextEmbeddingRequest(input: ["a", long], kind: .document, truncates: true),
                context: process.context
            )
            #expect(cut.truncated == [1])
            for input in [[], Array(repeating: "a", count: Limits.embeddingInputs + 1)] {
                let code: SearchError.Code = input.isEmpty ? .invalidOption : .tooManyTexts
                await #expect(throws: SearchError(code, "")) {
                    try await texts.embed(
                        TextEmbeddingRequest(input: input, kind: .document, truncates: true),
                        context: process.context
                    )
                }
            }
            await #expect(throws: SearchError(.tooManyTexts, "")) {
                try await texts.embed(
                    TextEmbeddingRequest(
                        input: [String(repeating: "a", count: Limits.embeddingCharacters + 1)],
                        kind: .document,
                        truncates: true
                    ),
                    context: process.context
                )
            }
        }
    }
}

extension ModelsFixture {
    func backfill(of table: TableID) async throws -> Backfill {
        let tenant = tenant
        let all = try await world.database.read(of: .everyTenant) {
            try SearchStore().backfills(tenant: tenant, in: $0)
        }
        return try #require(all.first { $0.table == table })
    }
}
