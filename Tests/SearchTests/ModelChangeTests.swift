import Airtable
import Database
import Domain
import Embeddings
import Foundation
import Jobs
import TestSupport
import Testing

@testable import Search

@Suite("Changing the model")
struct ModelChangeTests {
    struct SuddenEnd: Error {}
    private typealias Names = ModelsFixture

    @Test(
        "the first model configured is the live one, and another default changes nothing",
        arguments: DatabaseKind.allCases
    )
    func first(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            try await process.world.createMany(5, in: table)
            try await process.indexer.indexAll()
            #expect(try await process.live() == Names.first)
            let other = try process.other(configured: Names.second, isWish: false)
            try await other.indexer.indexAll()
            #expect(try await other.live() == Names.first, "nobody asked for another")
            #expect(process.readings(Names.second).isEmpty)
            try await other.expectSound()
        }
    }

    @Test(
        "a model that is configured takes over when its index is whole, and the old one goes",
        arguments: DatabaseKind.allCases
    )
    func configured(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(150, in: table)
            try await process.indexer.indexAll()
            let old = try process.models.model(Names.first).collections.path(tenant: process.tenant, base: table.base)
            #expect(FileManager.default.fileExists(atPath: old))

            let wishing = try process.other(configured: Names.second, isWish: true)
            try await wishing.indexer.indexAll()
            #expect(try await wishing.live() == Names.second)
            #expect(try await process.live() == Names.second, "all processes change together")
            #expect(!FileManager.default.fileExists(atPath: old))
            #expect(Set(try await process.byMeaning("number77")).contains(ids[77]))
            try await wishing.expectSound()
            #expect(wishing.readings(Names.second).values.allSatisfy { $0 == 1 })

            // It was a wish once: the same configuration does not undo what a job has changed since.
            let back = try await wishing.jobs.start(
                EmbeddingJobRequest(base: "Base", model: Names.first.description),
                context: wishing.context
            )
            let again = try process.other(configured: Names.second, isWish: true)
            try await again.working {
                let end = try await again.end(of: back.id)
                #expect(end.state == .succeeded)
            }
            #expect(try await again.live() == Names.first)
            let later = try process.other(configured: Names.second, isWish: true)
            try await later.indexer.indexAll()
            #expect(try await later.live() == Names.first)
            try await later.expectSound()
        }
    }

    @Test("until then the old model answers, from a whole index, whatever is written", arguments: DatabaseKind.allCases)
    func meanwhile(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(200, in: table)
            try await process.indexer.indexAll()
            // The new model waits at its third call until it is let on.
            let (calls, mayGoOn) = (Guarded(0), Guarded(false))
            process.shelf.embedder(Names.second).beforeBulk.value = {
                calls.update { $0 += 1 }
                if calls.value >= 2 { try await eventually(timeout: .seconds(60)) { mayGoOn.value } }
            }
            let job = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", model: Names.second.description),
                context: process.context
            )
            #expect(job.changesModel && job.unit == .texts)
            try await process.working {
                try await eventually { calls.value >= 2 }
                #expect(try await process.live() == Names.first)
                #expect(try await process.byMeaning("number42").contains(ids[42]))
                // What is written meanwhile is found at once, changed and removed, in both indexes.
                let new = try await process.world.create(table, ["Name": "N", "Text": "otter"])[0]
                try await process.world.update(table, ids[3], ["Text": "seal"])
                try await process.world.airtable.delete([ids[4]], in: table.id, context: process.context)
                try await eventually {
                    let isNewThere = try await process.byMeaning("otter").contains(new)
                    return try await process.byMeaning("seal").contains(ids[3]) && isNewThere
                }
                mayGoOn.value = true
                #expect(try await process.end(of: job.id).state == .succeeded)
                #expect(try await process.live() == Names.second)
                #expect(try await process.byMeaning("otter").contains(new))
                #expect(try await process.byMeaning("seal").contains(ids[3]))
            }
            let after = try process.other()
            try await after.indexer.indexAll()
            try await after.expectSound()
        }
    }

    @Test("searches that go on all the while never fail, never come up short, and never mix two spaces")
    func concurrentSearches() async throws {
        try await withModels { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(120, in: table)
            try await process.indexer.indexAll()
            let isOver = Guarded(false)
            let count = try await withThrowingTaskGroup(of: Int.self) { group in
                for seed in 1...3 {
                    group.addTask {
                        // A process of its own, and one that indexes too.
                        let other = seed == 1 ? process : try process.other()
                        var generator = SeededGenerator(seed: UInt64(seed))
                        var searches = 0
                        while !isOver.value {
                            let number = Int.random(in: 0..<120, using: &generator)
                            // Vectors of two models never fit: of one space the record's own text comes out on top.
                            let hits = try await other.search.search(
                                SearchRequest(query: "n\(number) · Text: walrus number\(number)", limit: 1),
                                context: other.context
                            ).hits
                            #expect(hits.map(\.recordID) == [ids[number]])
                            #expect(hits.allSatisfy { $0.matched.semantic })
                            searches += 1
                        }
                        return searches
                    }
                }
                try await process.working {
                    for model in [Names.second, Names.third, Names.first, Names.second] {
                        let job = try await process.jobs.start(
                            EmbeddingJobRequest(base: "Base", model: model.description),
                            context: process.context
                        )
                        #expect(try await process.end(of: job.id).state == .succeeded)
                        #expect(try await process.live() == model)
                        // Its services are in place and the old index is gone before the next one is asked for.
                        try await eventually { try await process.world.database.isSettled(process.tenant) }
                    }
                }
                isOver.value = true
                return try await group.reduce(0, +)
            }
            #expect(count > 20)
            let after = try process.other()
            try await after.indexer.indexAll()
            try await after.expectSound()
        }
    }

    @Test(
        "wherever it ends, each text is read at most once more than a batch, and both indexes stay sound",
        arguments: DatabaseKind.allCases
    )
    func suddenEnds(_ kind: DatabaseKind) async throws {
        for seed in UInt64(1)...(kind == .sqlite ? 8 : 3) {
            try await withModels(kind) { process in
                var generator = SeededGenerator(seed: seed)
                let table = try await process.world.notes()
                var ids = try await process.world.createMany(170, in: table)
                try await process.indexer.indexAll()
                _ = try await process.jobs.start(
                    EmbeddingJobRequest(base: "Base", model: Names.second.description),
                    context: process.context
                )
                var (ends, done) = (0, 0)
                for _ in 0..<30 where try await process.live() == Names.first {
                    let left = Guarded(Int.random(in: 0...7, using: &generator))
                    let doomed = try process.other { _ in
                        left.update { $0 -= 1 }
                        if left.value < 0 { throw SuddenEnd() }
                    }
                    do { try await doomed.indexer.indexAll() } catch is SuddenEnd { ends += 1 }
                    doomed.models.closeWriters()
                    let build = try await process.build()
                    #expect((build?.done ?? .max) >= done, "seed \(seed)")
                    done = build?.done ?? done
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: ids += try await process.world.createMany(1, in: table, from: ids.count)
                    case 1:
                        try await process.world.update(
                            table,
                            ids[Int.random(in: 0..<100, using: &generator)],
                            ["Text": .string("changed \(ends)")]
                        )
                    default: break
                    }
                }
                #expect(ends > 0)
                let last = try process.other()
                try await last.indexer.indexAll()
                #expect(try await last.live() == Names.second, "seed \(seed)")
                try await last.expectSound("seed \(seed)")
                let repeated = process.readings(Names.second).values.filter { $0 > 1 }
                #expect(repeated.allSatisfy { $0 <= 1 + ends }, "seed \(seed)")
                let excess = repeated.reduce(0) { $0 + $1 - 1 }
                #expect(excess <= ends * Limits.embeddingTextsUnderWay, "seed \(seed): \(excess) texts read again")
            }
        }
    }

    @Test("what the new model would not take is found by words only, and named", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(20, in: table)
            process.shelf.embedder(Names.first).refusedWord.value = "number7"
            try await process.indexer.indexAll()
            #expect(try await process.withoutVector() == [ids[7]])
            process.shelf.embedder(Names.second).refusedWord.value = "number8"
            let job = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", model: Names.second.description),
                context: process.context
            )
            try await process.working {
                let end = try await process.end(of: job.id)
                #expect(end.state == .succeeded)
                #expect(end.failed == 1 && end.failedRecords == [ids[8]])
            }
            #expect(try await process.withoutVector() == [ids[8]], "the new model takes what the old one would not")
            let hits = try await process.search.search(SearchRequest(query: "number8"), context: process.context).hits
            #expect(hits.filter(\.matched.lexical).map(\.recordID) == [ids[8]], "by words it is found")
            try await process.expectSound()
        }
    }

    @Test(
        "a service that refuses us leaves the old index as it is, and the job says why",
        arguments: DatabaseKind.allCases
    )
    func stuck(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            let ids = try await process.world.createMany(10, in: table)
            try await process.indexer.indexAll()
            process.shelf.embedder(Names.second).failure.value = EmbeddingsError(.serviceRefused, "the key is wrong")
            let job = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", model: Names.second.description),
                context: process.context
            )
            try await process.working {
                let end = try await process.end(of: job.id)
                #expect(end.state == .failed)
                #expect(end.message?.contains("the key is wrong") == true)
                #expect(try await process.byMeaning("number3").contains(ids[3]))
                // Asked again it is tried again.
                process.shelf.embedder(Names.second).failure.value = nil
                let again = try await process.jobs.start(
                    EmbeddingJobRequest(base: "Base", model: Names.second.description),
                    context: process.context
                )
                #expect(try await process.end(of: again.id).state == .succeeded)
            }
            #expect(try await process.live() == Names.second)
        }
    }

    @Test("called off, a change leaves nothing behind; two at once are refused", arguments: DatabaseKind.allCases)
    func calledOff(_ kind: DatabaseKind) async throws {
        try await withModels(kind) { process in
            let table = try await process.world.notes()
            try await process.world.createMany(30, in: table)
            try await process.indexer.indexAll()
            let job = try await process.jobs.start(
                EmbeddingJobRequest(base: "Base", model: Names.second.description),
                context: process.context
            )
            await #expect(throws: SearchError(.modelChangeUnderWay, "")) {
                try await process.jobs.start(
                    EmbeddingJobRequest(base: "Base", model: Names.third.description),
                    context: process.context
                )
            }
            #expect(try await process.jobs.cancel(job.id, context: process.context).state == .cancelled)
            try await process.indexer.indexAll()
            #expect(try await process.live() == Names.first)
            #expect(process.readings(Names.second).isEmpty)
            #expect(StoredCollection.all(in: process.world.directory).count == 1)
            try await process.expectSound()
        }
    }
}

extension ModelsFixture {
    func build() async throws -> IndexBuild? {
        let tenant = tenant
        return try await world.database.read(of: .everyTenant) { try SearchStore().build(tenant: tenant, in: $0) }
    }
}

extension SQLDatabase {
    /// Whether the indexer has taken a change of the model in.
    fileprivate func isSettled(_ tenant: TenantID) async throws -> Bool {
        try await read(of: .tenant(tenant)) { transaction in
            let store = SearchStore()
            return try store.models(tenant: tenant, in: transaction).map { !$0.needsPass } ?? true
                && store.backfills(tenant: tenant, in: transaction).allSatisfy { $0.phase == .done }
        }
    }
}
