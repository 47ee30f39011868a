import Database
import Domain
import TestSupport
import Testing

@testable import Search

@Suite("Lexical index")
struct LexicalIndexTests {
    /// BM25 as in the textbook, over plain arrays.
    private func twin(
        _ documents: [UnitKey: [String]],
        _ query: [String],
        allowed: Set<UInt32>
    ) -> [UnitKey: Double] {
        let documents = documents.filter { allowed.contains($0.key.partition) }
        let (k1, b) = (0.9, 0.4)
        let count = Double(documents.count)
        let mean = Double(documents.values.reduce(0) { $0 + $1.count }) / count
        var scores: [UnitKey: Double] = [:]
        for word in query {
            let containing = documents.filter { $0.value.contains(word) }
            let frequency = Double(containing.count)
            let rarity = logarithm(1 + (count - frequency + 0.5) / (frequency + 0.5))
            for (key, words) in containing {
                let times = Double(words.count { $0 == word })
                let norm = k1 * (1 - b + b * Double(min(words.count, 255)) / mean)
                scores[key, default: 0] += rarity * times * (k1 + 1) / (times + norm)
            }
        }
        return scores
    }

    private func draft(_ key: UnitKey, _ words: [String]) -> UnitDraft {
        var stems: [String: Int] = [:]
        for word in words { stems[word, default: 0] += 1 }
        return UnitDraft(
            key: key,
            record: .random(),
            window: 0,
            range: 0..<1,
            hash: ContentHash(of: words.joined()),
            isEncoded: true,
            words: WordCounts(stems: stems, total: words.count)
        )
    }

    @Test("scores are BM25 of the allowed units, through any changes", arguments: DatabaseKind.allCases)
    func againstTwin(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: SearchStore.migrations) { database in
            let store = SearchStore()
            let tenant = TenantID.random()
            let layouts = (0..<3).map { _ in
                let field = Field(id: .random(), name: "Name", type: .multilineText, ordinal: 1)
                return TableLayout(
                    Table(id: .random(), base: .random(), name: "T", primaryField: field.id, fields: [field]),
                    linkedPrimaries: [:]
                )
            }
            for layout in layouts {
                try await database.write(of: .everyTenant) { transaction in
                    _ = try store.ensurePartitions([.short], layout: layout, tenant: tenant, in: transaction)
                }
            }
            var generator = SeededGenerator(seed: 7)
            var documents: [UnitKey: [String]] = [:]
            var next: [UInt32: UInt32] = [:]
            for round in 0..<12 {
                var drafts: [UnitDraft] = []
                var removed: [UnitKey] = []
                for _ in 0..<60 {
                    let length = Int.random(in: 1...40, using: &generator)
                    let words = (0..<length).map { _ in "w\(min(29, Int.random(in: 1...900, using: &generator) / 20))" }
                    let partition = UInt32.random(in: 1...3, using: &generator)
                    let known = documents.keys.filter { $0.partition == partition }.sorted()
                    let taken = Set(drafts.map(\.key) + removed)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0:
                        guard let key = known.randomElement(using: &generator), !taken.contains(key) else { continue }
                        removed.append(key)
                    case 1:
                        guard let key = known.randomElement(using: &generator), !taken.contains(key) else { continue }
                        drafts.append(draft(key, words))
                        documents[key] = words
                    default:
                        let key = UnitKey(partition: partition, entry: next[partition, default: 0])
                        next[partition, default: 0] += 1
                        drafts.append(draft(key, words))
                        documents[key] = words
                    }
                }
                for key in removed { documents[key] = nil }
                let (written, gone) = (drafts, removed)
                try await database.write(of: .everyTenant) {
                    try store.apply(written, removing: gone, tenant: tenant, in: $0)
                }
                let allowed: Set<UInt32> = round % 2 == 0 ? [1, 2, 3] : [1, 3]
                let query = ["w1", "w\(round)", "w29", "nowhere"].uniqued()
                let expected = twin(documents, query, allowed: allowed)
                try await database.read(of: .everyTenant) { transaction in
                    let partitions = try store.partitions(tenant: tenant, in: transaction)
                    let scores = try LexicalIndex().scores(
                        stems: query,
                        partitions: partitions.filter { allowed.contains($0.number) },
                        tenant: tenant,
                        in: transaction
                    )
                    for (key, score) in expected {
                        #expect(abs(Double(scores[key]) - score) < 1e-4 * max(1, score), "round \(round)")
                    }
                    let best = scores.best(1_000)
                    #expect(best.count == expected.count)
                    #expect(best.map(\.score) == best.map(\.score).sorted(by: >))
                    for partition in partitions {
                        let facts = try store.postingFacts(of: partition.number, tenant: tenant, in: transaction)
                        #expect(facts.expectedPostings == facts.postings)
                        #expect(facts.units == partition.units && facts.words == partition.words)
                    }
                }
            }
        }
    }

    @Test("applying the same changes twice is applying them once", arguments: DatabaseKind.allCases)
    func idempotent(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: SearchStore.migrations) { database in
            let store = SearchStore()
            let tenant = TenantID.random()
            let field = Field(id: .random(), name: "Name", type: .singleLineText, ordinal: 1)
            let table = Table(id: .random(), base: .random(), name: "T", primaryField: field.id, fields: [field])
            let layout = TableLayout(table, linkedPrimaries: [:])
            let made = try await database.write(of: .everyTenant) { transaction in
                try store.ensurePartitions([.short, .long(field.id)], layout: layout, tenant: tenant, in: transaction)
            }
            #expect(made.count == 2)
            let again = try await database.write(of: .everyTenant) { transaction in
                try store.ensurePartitions([.short], layout: layout, tenant: tenant, in: transaction)
            }
            #expect(made == again)
            let number = try #require(made[.short]?.number)
            let drafts = (0..<300).map { draft(UnitKey(partition: number, entry: $0), ["a", "b\($0 % 7)"]) }
            for _ in 0..<2 {
                try await database.write(of: .everyTenant) {
                    try store.apply(drafts, removing: [], tenant: tenant, in: $0)
                }
            }
            try await database.read(of: .everyTenant) { transaction in
                let partition = try #require(
                    try store.partitions(tenant: tenant, in: transaction).first { $0.number == number }
                )
                #expect(partition.units == 300 && partition.words == 600 && partition.nextEntry == 300)
                let scores = try LexicalIndex().scores(
                    stems: ["a"],
                    partitions: [partition],
                    tenant: tenant,
                    in: transaction
                )
                #expect(scores.best(1_000).count == 300)
                #expect(try store.partitions(tenant: .random(), in: transaction).isEmpty)
            }
            // A table that goes takes everything with it, bit by bit.
            try await database.write(of: .everyTenant) { try store.removeTable(table.id, tenant: tenant, in: $0) }
            let removals = try await database.read(of: .everyTenant) { try store.removals(tenant: tenant, in: $0) }
            #expect(removals.count == 2)
            for removal in removals {
                var done = false
                var rest = removal
                while !done {
                    let (now, end) = (rest, min(rest.nextEntry, rest.doneEntry + 128))
                    done = try await database.write(of: .everyTenant) {
                        try store.clear(now, before: end, limit: 3, tenant: tenant, in: $0)
                    }
                    rest.doneEntry = end
                }
            }
            let left = try await database.read(of: .everyTenant) { transaction in
                try ["units", "postings", "partitions", "removals"].map { name in
                    try transaction.firstRow("SELECT count(*) FROM search_\(name)")?.integer(0) ?? -1
                }
            }
            #expect(left == [0, 0, 0, 0])
        }
    }
}

extension Array where Element: Hashable {
    func uniqued() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
