import Airtable
import Domain
import Embeddings
import TestSupport
import Testing

@testable import Search

@Suite("Indexing and sudden ends")
struct CrashTests {
    struct SuddenEnd: Error {}

    /// Makes `world`'s indexer end after so many steps of batches.
    private func ending(_ world: SearchFixture, after steps: Int) -> SearchFixture {
        let left = Guarded(steps)
        return world.otherProcess { services in
            services.afterStep = { _ in
                left.update { $0 -= 1 }
                if left.value < 0 { throw SuddenEnd() }
            }
        }
    }

    private func randomChange(
        _ world: SearchFixture,
        _ tables: (Table, Table),
        _ known: inout [RecordID],
        _ generator: inout SeededGenerator
    ) async throws {
        let words = ["walrus", "seal", "otter", "tea", "iron", "steel"]
        let text = (0..<Int.random(in: 1...6, using: &generator))
            .map { _ in words.randomElement(using: &generator) ?? "" }.joined(separator: " ")
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4:
            known += try await world.create(tables.0, ["Name": .string(text), "Text": .string(text + " more")])
        case 4..<7:
            guard let id = known.randomElement(using: &generator) else { return }
            try await world.update(tables.0, id, ["Text": Bool.random(using: &generator) ? .string(text) : .null])
        case 7:
            guard let id = known.randomElement(using: &generator) else { return }
            try await world.update(tables.0, id, ["Name": .string(text)])
        case 8:
            guard let position = known.indices.randomElement(using: &generator) else { return }
            try await world.airtable.delete([known.remove(at: position)], in: tables.0.id, context: world.context)
        default:
            guard let id = known.randomElement(using: &generator) else { return }
            try await world.create(tables.1, ["Title": .string(text), "About": [.string(id.description)]])
        }
    }

    @Test("wherever it ends, the next start makes index, units and records one again", arguments: DatabaseKind.allCases)
    func anywhere(_ kind: DatabaseKind) async throws {
        for seed in UInt64(1)...(kind == .sqlite ? 12 : 4) {
            try await withSearch(kind) { world in
                var generator = SeededGenerator(seed: seed)
                let schema = try await world.base(
                    "Base",
                    [
                        TableDraft(
                            name: "Notes",
                            fields: [
                                FieldDraft(name: "Name", type: .singleLineText),
                                FieldDraft(name: "Text", type: .multilineText),
                            ]
                        ),
                        TableDraft(
                            name: "Refs",
                            fields: [
                                FieldDraft(name: "Title", type: .singleLineText), .link("About", to: "Notes"),
                            ]
                        ),
                    ]
                )
                let tables = (schema.tables[0], schema.tables[1])
                var known: [RecordID] = []
                for _ in 0..<6 {
                    for _ in 0..<Int.random(in: 1...8, using: &generator) {
                        try await randomChange(world, tables, &known, &generator)
                    }
                    let doomed = ending(world, after: Int.random(in: 0...14, using: &generator))
                    // It may get to the end of its work before that.
                    do { try await doomed.index() } catch is SuddenEnd {}
                }
                let fresh = world.otherProcess()
                try await fresh.index()
                try await fresh.expectSound(comparesVectors: true, "seed \(seed)")
            }
        }
    }

    @Test("a text that changes and changes back over a sudden end has its own vector", arguments: IndexingStep.allCases)
    func thereAndBack(_ step: IndexingStep) async throws {
        try await withSearch { world in
            let table = try await world.notes()
            let id = try await world.create(table, ["Name": "A", "Text": "walrus"])[0]
            try await world.index()
            try await world.update(table, id, ["Text": "tea pot"])
            let doomed = world.otherProcess { services in
                services.afterStep = { if $0 == step { throw SuddenEnd() } }
            }
            await #expect(throws: SuddenEnd.self) { try await doomed.index() }
            try await world.update(table, id, ["Text": "walrus"])
            let fresh = world.otherProcess()
            try await fresh.index()
            try await fresh.expectSound(comparesVectors: true)
        }
    }

    @Test("a deletion over a sudden end leaves no unit without a vector", arguments: IndexingStep.allCases)
    func deletion(_ step: IndexingStep) async throws {
        try await withSearch { world in
            let table = try await world.notes()
            let ids = try await world.create(table, ["Name": "A", "Text": "walrus"], ["Name": "B", "Text": "seal"])
            try await world.index()
            try await world.airtable.delete([ids[0]], in: table.id, context: world.context)
            let doomed = world.otherProcess { services in
                services.afterStep = { if $0 == step { throw SuddenEnd() } }
            }
            await #expect(throws: SuddenEnd.self) { try await doomed.index() }
            let fresh = world.otherProcess()
            try await fresh.index()
            #expect(try await fresh.hits("walrus seal").map(\.recordID) == [ids[1]])
            try await fresh.expectSound(comparesVectors: true)
        }
    }

    @Test("an error in a batch is tried again, and holds up nothing for good")
    func errors() async throws {
        try await withSearch { world in
            let table = try await world.notes()
            try await world.index()
            let failures = Guarded(6)
            let shaky = world.otherProcess { services in
                services.afterStep = { step in
                    guard step == .vectorsFlushed, failures.value > 0 else { return }
                    failures.update { $0 -= 1 }
                    throw SuddenEnd()
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await shaky.indexer.run() }
                let id = try await world.create(table, ["Name": "A", "Text": "walrus"])[0]
                try await eventually { try await world.byWords("walrus") == [id] }
                group.cancelAll()
                while await group.nextResult() != nil {}
            }
            let fresh = world.otherProcess()
            try await fresh.index()
            try await fresh.expectSound(comparesVectors: true)
        }
    }
}
