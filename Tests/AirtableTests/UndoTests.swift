import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Undoing transactions")
struct UndoTests {
    static let name = FieldDraft(name: "Name", type: .singleLineText)

    /// Two linked tables.
    static func tables(_ store: StoreFixture) async throws -> (projects: Table, tasks: Table) {
        let schema = try await store.service.createBase(
            name: "B",
            tables: [
                TableDraft(name: "Projects", fields: [name]),
                TableDraft(
                    name: "Tasks",
                    fields: [
                        name, FieldDraft(name: "Done", type: .checkbox), FieldDraft(name: "No", type: .autoNumber),
                        FieldDraft(name: "State", type: .singleSelect, choices: ["new", "old"]),
                        .link("Project", to: "Projects", inverse: "Tasks"),
                    ]
                ),
            ],
            context: store.context
        )
        return (schema.tables[0], schema.tables[1])
    }

    static func state(_ store: StoreFixture, _ tables: [Table]) async throws -> [RecordID: Record] {
        var records: [RecordID: Record] = [:]
        for table in tables {
            let page = RecordPageRequest(limit: 1_000)
            for record in try await store.service.records(in: table.id, page: page, context: store.context).records {
                records[record.id] = record
            }
        }
        return records
    }

    static func latest(_ store: StoreFixture) async throws -> Int64 {
        try await store.allChanges().last?.transaction ?? 0
    }

    @Test(
        "each kind of write is taken back, links on both sides, and can be done again",
        arguments: DatabaseKind.allCases
    )
    func everyKind(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await Self.tables(store)
            let project = try await store.create(projects, ["Name": "p"])[0].id
            let kept = try await store.create(tasks, ["Name": "kept", "Project": .ids([project])])[0].id
            let writes: [() async throws -> Void] = [
                { _ = try await store.create(tasks, ["Name": "new", "Project": .ids([project]), "State": "old"]) },
                {
                    _ = try await service.update(
                        [RecordUpdate(id: kept, fields: ["Name": "other", "Project": .null, "Done": true])],
                        in: tasks.id,
                        context: context
                    )
                },
                { try await service.delete([kept], in: tasks.id, context: context) },
                { try await service.delete([project], in: projects.id, context: context) },
            ]
            for write in writes {
                let before = try await Self.state(store, [projects, tasks])
                try await write()
                let done = try await Self.latest(store)
                let after = try await Self.state(store, [projects, tasks])
                #expect(before != after)
                guard case .undone(let undo?, let records) = try await service.undo(transaction: done, context: context)
                else {
                    Issue.record("refused")
                    return
                }
                #expect(try await Self.state(store, [projects, tasks]) == before)
                let entries = try await store.allChanges().filter { $0.transaction == undo }
                #expect(entries.count == records)
                #expect(entries.allSatisfy { $0.actor == context.principal.user })
                // Undoing the undo does it again.
                let redo = try await service.undo(transaction: undo, context: context)
                #expect(redo == .undone(transaction: undo + Int64(records), records: records))
                #expect(try await Self.state(store, [projects, tasks]) == after)
                _ = try await service.undo(transaction: undo + Int64(records), context: context)
                #expect(try await Self.state(store, [projects, tasks]) == before)
                try await store.expectSound()
            }
        }
    }

    @Test("what changed since stands against it, other cells do not", arguments: DatabaseKind.allCases)
    func obstacles(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (_, tasks) = try await Self.tables(store)
            let (name, done) = (tasks.fields[0].id, tasks.fields[1].id)
            func set(_ id: RecordID, _ fields: JSONObject) async throws -> Int64 {
                store.clock.advance(seconds: 1)
                _ = try await service.update([RecordUpdate(id: id, fields: fields)], in: tasks.id, context: context)
                return try await Self.latest(store)
            }
            func obstacle(_ reason: UndoObstacle.Reason, _ id: RecordID, _ fields: [FieldID], _ since: Int64)
                -> UndoOutcome
            {
                let actor = context.principal.user
                let change = UndoObstacle.Since(transaction: since, time: store.clock.instant, actor: actor)
                return .refused([
                    UndoObstacle(
                        reason: reason,
                        base: tasks.base,
                        table: tasks.id,
                        record: id,
                        fields: fields,
                        since: change
                    )
                ])
            }
            let id = try await store.create(tasks, ["Name": "a"])[0].id
            let created = try await Self.latest(store)
            let renamed = try await set(id, ["Name": "b"])
            // Another cell of the record: no obstacle, and not lost.
            let ticked = try await set(id, ["Done": true])
            #expect(
                try await service.undo(transaction: renamed, context: context)
                    == .undone(transaction: ticked + 1, records: 1)
            )
            let cells = try await service.record(id, in: tasks.id, context: context).cells
            #expect(cells[name] == .text("a") && cells[done] == .checked)
            // Twice is once too often: the first undo is the change since.
            var outcome = try await service.undo(transaction: renamed, context: context)
            #expect(outcome == obstacle(.changed, id, [name], ticked + 1))
            // A record that was written to since is not unmade.
            outcome = try await service.undo(transaction: created, context: context)
            #expect(outcome == obstacle(.changed, id, [done], ticked + 1))
            let again = try await set(id, ["Name": "c", "Done": false])
            outcome = try await service.undo(transaction: ticked, context: context)
            #expect(outcome == obstacle(.changed, id, [done], again))
            store.clock.advance(seconds: 1)
            try await service.delete([id], in: tasks.id, context: context)
            let deleted = try await Self.latest(store)
            outcome = try await service.undo(transaction: again, context: context)
            #expect(outcome == obstacle(.deleted, id, [], deleted))
            _ = try await service.undo(transaction: deleted, context: context)
            outcome = try await service.undo(transaction: deleted, context: context)
            #expect(outcome == obstacle(.restored, id, [], deleted + 1))
            let count = try await store.allChanges().count
            #expect(count == Int(deleted) + 1, "what is refused writes nothing")
            try await store.expectSound()
        }
    }

    @Test("all of a transaction or nothing of it", arguments: DatabaseKind.allCases)
    func atomic(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await Self.tables(store)
            let made = try await store.create(tasks, ["Name": "a"], ["Name": "b"], ["Name": "c"])
            let number = try await Self.latest(store)
            _ = try await service.update(
                [RecordUpdate(id: made[1].id, fields: ["Name": "x"])],
                in: tasks.id,
                context: context
            )
            let before = try await Self.state(store, [projects, tasks])
            guard case .refused(let obstacles) = try await service.undo(transaction: number, context: context) else {
                Issue.record("not refused")
                return
            }
            #expect(obstacles.map(\.record) == [made[1].id])
            #expect(try await Self.state(store, [projects, tasks]) == before)
        }
    }

    @Test(
        "schema changes, imports and writes to deleted tables say why they cannot be undone",
        arguments: DatabaseKind.allCases
    )
    func schema(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await Self.tables(store)
            func reasons(_ number: Int64) async throws -> [UndoObstacle.Reason] {
                guard case .refused(let list) = try await service.undo(transaction: number, context: context) else {
                    return []
                }
                return list.map(\.reason)
            }
            #expect(try await reasons(1) == [.schemaChanged, .schemaChanged])
            _ = try await service.createField(FieldDraft(name: "F", type: .url), in: tasks.id, context: context)
            #expect(try await reasons(try await Self.latest(store)) == [.schemaChanged])
            // A write that adds a choice on its way is a write: the choice stays.
            _ = try await service.create(
                [RecordDraft(fields: ["State": "brand new"])],
                in: tasks.id,
                typecast: true,
                context: context
            )
            let cast = try await Self.latest(store)
            #expect(
                try await service.undo(transaction: cast, context: context)
                    == .undone(transaction: cast + 2, records: 1)
            )
            let table = try await service.table(id: tasks.id, context: context)
            #expect(table.field("State")?.options.choices?.map(\.name) == ["new", "old", "brand new"])
            _ = try await store.create(projects, ["Name": "p"])
            let written = try await Self.latest(store)
            try await service.deleteTable(projects.id, context: context)
            #expect(try await reasons(written) == [.tableGone])
            #expect(try await reasons(written + 1).allSatisfy { $0 == .schemaChanged })
            try await store.expectSound()
        }
    }

    @Test("a record that comes back keeps its number, and the next one gets another", arguments: DatabaseKind.allCases)
    func numbers(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (_, tasks) = try await Self.tables(store)
            let made = try await store.create(tasks, ["Name": "a"], ["Name": "b"])
            store.clock.advance(seconds: 60)
            try await service.delete([made[0].id], in: tasks.id, context: context)
            _ = try await service.undo(transaction: try await Self.latest(store), context: context)
            let back = try await service.record(made[0].id, in: tasks.id, context: context)
            #expect(back == made[0])
            let next = try await store.create(tasks, ["Name": "c"])[0]
            let numbers = Set([made[0], made[1], next].compactMap { $0.cells[tasks.fields[2].id] })
            #expect(numbers.count == 3)
            try await store.expectSound()
        }
    }

    @Test(
        "random writes and undos: right or refused, and links always agree",
        arguments: DatabaseKind.allCases,
        [UInt64(11), 12]
    )
    func random(_ kind: DatabaseKind, seed: UInt64) async throws {
        try await withStore(kind) { store in
            var generator = SeededGenerator(seed: seed)
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await Self.tables(store)
            let tables = [projects, tasks]
            var (undone, refused) = (0, 0)
            for _ in 0..<150 {
                let before = try await Self.state(store, tables)
                if Int.random(in: 0..<3, using: &generator) > 0 {
                    try await Self.write(store, tables, before, using: &generator)
                    continue
                }
                let changes = try await store.allChanges()
                let numbers = changes.filter { $0.event != .schemaChanged }.map(\.transaction).distinct()
                guard let number = numbers.suffix(12).randomElement(using: &generator) else { continue }
                let steps = changes.filter { $0.transaction == number }.map(\.event)
                let expected = Self.expected(before, undoing: steps, tables)
                let outcome = try await service.undo(transaction: number, context: context)
                let after = try await Self.state(store, tables)
                switch outcome {
                case .undone:
                    undone += 1
                    #expect(after == expected, "seed \(seed), transaction \(number)")
                case .refused:
                    refused += 1
                    #expect(expected == nil, "seed \(seed), transaction \(number)")
                    #expect(after == before, "seed \(seed), transaction \(number)")
                }
            }
            #expect(undone > 5 && refused > 5, "seed \(seed): \(undone) undone, \(refused) refused")
            try await store.expectSound()
        }
    }

    /// What the records should be after the undo; nil when it has to be refused.
    static func expected(
        _ state: [RecordID: Record],
        undoing events: [RecordChange.Event],
        _ tables: [Table]
    ) -> [RecordID: Record]? {
        let computed = Set(tables.flatMap(\.fields).filter(\.type.isComputed).map(\.id))
        var result = state
        for event in events {
            switch event {
            case .created(let made):
                guard state[made.id] == made else { return nil }
                result[made.id] = nil
            case .deleted(let gone):
                guard state[gone.id] == nil else { return nil }
                result[gone.id] = gone
            case .updated(let before, let after):
                guard var record = state[after.id] else { return nil }
                for field in Set(before.cells.keys).union(after.cells.keys).subtracting(computed)
                where before.cells[field] != after.cells[field] {
                    guard record.cells[field] == after.cells[field] else { return nil }
                    record.cells[field] = before.cells[field]
                }
                result[after.id] = record
            case .schemaChanged, .imported, .tableDeleted: return nil
            }
        }
        return result
    }

    static func write(
        _ store: StoreFixture,
        _ tables: [Table],
        _ state: [RecordID: Record],
        using generator: inout SeededGenerator
    ) async throws {
        let (service, context) = (store.service, store.context)
        let side = Int.random(in: 0...1, using: &generator)
        func ids(_ table: Table) async throws -> [RecordID] {
            try await service.records(in: table.id, page: RecordPageRequest(limit: 1_000), context: context).records
                .map(\.id)
        }
        let (mine, others) = (try await ids(tables[side]), try await ids(tables[1 - side]))
        var fields: JSONObject = ["Name": .string("\(Int.random(in: 0...3, using: &generator))")]
        if Bool.random(using: &generator) {
            let linked = others.shuffled(using: &generator).prefix(Int.random(in: 0...2, using: &generator))
            fields[side == 0 ? "Tasks" : "Project"] = .ids(Array(linked))
        }
        switch (Int.random(in: 0..<5, using: &generator), mine.randomElement(using: &generator)) {
        case (0...1, let id?):
            let update = RecordUpdate(id: id, fields: fields)
            _ = try await service.update([update], in: tables[side].id, context: context)
        case (2, let id?):
            try await service.delete([id], in: tables[side].id, context: context)
        default:
            _ = try await service.create([RecordDraft(fields: fields)], in: tables[side].id, context: context)
        }
    }
}
