import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Proposed changes")
struct ProposalTests {
    /// What a transaction of the change log did to written cells, in the form of a proposal.
    static func history(_ number: Int64, _ service: AirtableService, _ context: RequestContext) async throws
        -> [String]
    {
        let entries = try await service.history(ofTransaction: number, context: context)
        var made: [RecordID: String] = [:]
        for entry in entries where entry.kind == .created { made[try #require(entry.record)] = "new \(made.count + 1)" }
        var lines: [String] = []
        for entry in entries where !entry.isDerived && ![.schemaChanged, .imported, .tableDeleted].contains(entry.kind)
        {
            let table = try await service.table(id: entry.table, context: context)
            var cells: [String] = []
            for cell in entry.cells {
                let field = try #require(table.field(id: cell.field))
                if field.type.isComputed { continue }
                func json(_ value: CellValue?) -> String {
                    guard let value else { return "null" }
                    if case .links(let ids) = value {
                        return JSONValue.array(ids.map { .string(made[$0] ?? $0.description) }).text
                    }
                    return CellCodec.json(of: value, field: field).text
                }
                cells.append("\(field.name): \(json(cell.before)) -> \(json(cell.after))")
            }
            if entry.kind == .updated, cells.isEmpty { continue }
            let record = entry.kind == .created ? "new" : "\(try #require(entry.record))"
            lines.append("\(entry.kind) \(entry.table) \(record) \(cells)")
        }
        return lines
    }

    static func lines(_ changes: [ProposedChange]) -> [String] {
        changes.map { change in
            let cells = change.cells.map { "\($0.name): \($0.before.text) -> \($0.after.text)" }
            return "\(change.kind) \(change.table) \(change.record.map { "\($0)" } ?? "new") \(cells)"
        }
    }

    @Test(
        "what is proposed is what the change log tells afterwards, for random writes",
        arguments: DatabaseKind.allCases,
        [UInt64(3), 4]
    )
    func exact(_ kind: DatabaseKind, seed: UInt64) async throws {
        try await withStore(kind) { store in
            var generator = SeededGenerator(seed: seed)
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await UndoTests.tables(store)
            var kinds: Set<ProposedOperation.Kind> = []
            for round in 0..<60 {
                let operation = try await Self.operation(store, projects, tasks, using: &generator)
                let before = try await UndoTests.state(store, [projects, tasks])
                let sequence = try await service.changes.latestSequence(tenant: context.tenant)
                let proposal = try await service.propose(operation, context: context)
                #expect(try await UndoTests.state(store, [projects, tasks]) == before, "seed \(seed), \(round)")
                #expect(try await service.changes.latestSequence(tenant: context.tenant) == sequence)
                let again = try await service.propose(operation, context: context)
                #expect(again.hash == proposal.hash, "seed \(seed), \(round)")
                store.clock.advance(seconds: 1)
                let applied = try await service.apply(proposal, context: context)
                kinds.insert(operation.kind)
                guard let number = applied.transaction else {
                    #expect(proposal.isEmpty, "seed \(seed), \(round)")
                    continue
                }
                #expect(Self.lines(proposal.changes) == Self.lines(applied.changes))
                let told = try await Self.history(number, service, context)
                #expect(Self.lines(proposal.changes) == told, "seed \(seed), \(round): \(operation)")
            }
            #expect(kinds.count == 5, "seed \(seed): \(kinds)")
            try await store.expectSound()
        }
    }

    private static func operation(
        _ store: StoreFixture,
        _ projects: Table,
        _ tasks: Table,
        using generator: inout SeededGenerator
    ) async throws -> ProposedOperation {
        func ids(_ table: Table) async throws -> [RecordID] {
            try await store.service.records(in: table.id, page: RecordPageRequest(limit: 1_000), context: store.context)
                .records.map(\.id)
        }
        let (mine, others) = (try await ids(tasks), try await ids(projects))
        func fields(using generator: inout SeededGenerator) -> JSONObject {
            var fields: JSONObject = ["Name": .string("n\(Int.random(in: 0...5, using: &generator))")]
            if Bool.random(using: &generator) {
                fields["State"] = .string("s\(Int.random(in: 0...20, using: &generator))")
            }
            switch Int.random(in: 0...3, using: &generator) {
            case 0: fields["Project"] = .ids(Array(others.shuffled(using: &generator).prefix(2)))
            case 1: fields["Project"] = [.string("p\(Int.random(in: 0...20, using: &generator))")]
            case 2: fields["Project"] = .null
            default: break
            }
            return fields
        }
        let some = Array(mine.shuffled(using: &generator).prefix(Int.random(in: 1...3, using: &generator)))
        switch Int.random(in: 0..<9, using: &generator) {
        case 0...1 where !some.isEmpty:
            let updates = some.map { RecordUpdate(id: $0, fields: fields(using: &generator)) }
            return .update(updates, in: tasks.id, typecast: true)
        case 2 where !some.isEmpty: return .delete(some, in: tasks.id)
        case 3 where !others.isEmpty: return .delete([others[0]], in: projects.id)
        case 4...5:
            // Names that several records have would be refused.
            let upserts = (0..<2)
                .map { _ in
                    var fields = fields(using: &generator)
                    fields["Name"] = .string("u\(Int.random(in: 0...3, using: &generator))")
                    return RecordUpsert(fields: fields)
                }
            return .upsert(upserts, mergeOn: ["Name"], in: tasks.id, typecast: true)
        case 6:
            let latest = try await UndoTests.latest(store)
            let outcome = try await store.service.propose(.undo(transaction: latest), context: store.context)
            if outcome.outcome.obstacles.isEmpty { return .undo(transaction: latest) }
            fallthrough
        default:
            let drafts = (0..<Int.random(in: 1...3, using: &generator))
                .map { _ in RecordDraft(fields: fields(using: &generator)) }
            return .create(drafts, in: tasks.id, typecast: true)
        }
    }

    @Test("a proposal is refused when a record it is about has changed, and names it", arguments: DatabaseKind.allCases)
    func stale(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await UndoTests.tables(store)
            let made = try await store.create(tasks, ["Name": "a"], ["Name": "b"], ["Name": "c"]).map(\.id)
            func set(_ id: RecordID, _ fields: JSONObject) async throws {
                _ = try await service.update([RecordUpdate(id: id, fields: fields)], in: tasks.id, context: context)
            }
            func expectStale(_ records: [RecordID], _ proposal: ChangeProposal) async throws {
                let before = try await store.allChanges().count
                do {
                    _ = try await service.apply(proposal, context: context)
                    Issue.record("applied")
                } catch let error as ProposalError {
                    #expect(error.code == .stale && error.kind == .conflict)
                    #expect(error.records == records.sorted())
                    for id in records { #expect(error.message.contains(id.description)) }
                }
                #expect(try await store.allChanges().count == before)
            }
            let update = ProposedOperation.update(
                made.prefix(2).map { RecordUpdate(id: $0, fields: ["Name": "x"]) },
                in: tasks.id,
                typecast: false
            )
            // Another cell of it counts: somebody agreed to change the record as it was.
            var proposal = try await service.propose(update, context: context)
            try await set(made[1], ["Done": true])
            try await expectStale([made[1]], proposal)
            // A record that it is not about does not.
            proposal = try await service.propose(update, context: context)
            try await set(made[2], ["Done": true])
            _ = try await store.create(projects, ["Name": "p"])
            #expect(try await service.apply(proposal, context: context).outcome.records == Array(made.prefix(2)))
            // Once is once: the records are others now.
            try await expectStale(Array(made.prefix(2)), proposal)
            // Deleted meanwhile.
            proposal = try await service.propose(.delete([made[0], made[2]], in: tasks.id), context: context)
            try await service.delete([made[0]], in: tasks.id, context: context)
            try await expectStale([made[0]], proposal)
            // An upsert that would have made a record now finds one.
            let upsert = ProposedOperation.upsert(
                [RecordUpsert(fields: ["Name": "new", "Done": true])],
                mergeOn: ["Name"],
                in: tasks.id,
                typecast: false
            )
            proposal = try await service.propose(upsert, context: context)
            #expect(proposal.count(.created) == 1)
            let found = try await store.create(tasks, ["Name": "new"])[0].id
            try await expectStale([found], proposal)
            // The schema may change meanwhile, when the change stays the same.
            proposal = try await service.propose(upsert, context: context)
            _ = try await service.createField(FieldDraft(name: "F", type: .url), in: tasks.id, context: context)
            #expect(try await service.apply(proposal, context: context).outcome.found == [found])
            try await store.expectSound()
        }
    }

    @Test("a proposal is for one caller, by one key, in one tenant, and for ten minutes")
    func bound() async throws {
        try await withStore(.sqlite) { store in
            let (service, context) = (store.service, store.context)
            let (_, tasks) = try await UndoTests.tables(store)
            let id = try await store.create(tasks, ["Name": "a"])[0].id
            let operation = ProposedOperation.delete([id], in: tasks.id)
            let proposal = try await service.propose(operation, context: context)
            let draft = APIKeyDraft(name: "other", scopes: Set(Permission.allCases))
            let key = try await store.access.createKey(draft, context: context).key.id
            let byKey = RequestContext(
                id: "key",
                principal: Principal(
                    user: context.principal.user,
                    key: key,
                    permissions: context.principal.permissions
                ),
                tenant: context.tenant,
                deadline: context.deadline,
                origin: .http,
                logger: context.logger
            )
            #expect(try await service.propose(operation, context: byKey).hash != proposal.hash)
            let other = try await store.otherTenant()
            for stranger in [byKey, other] {
                await #expect(throws: ProposalError.foreign) {
                    _ = try await service.apply(proposal, context: stranger)
                }
            }
            let reader = store.context(with: [.recordsRead, .recordsWrite])
            await expectForbidden { try await service.apply(proposal, context: reader) }
            await expectForbidden { try await service.propose(operation, context: reader) }
            store.clock.advance(seconds: Limits.proposalSeconds - 1)
            let late = try await service.propose(operation, context: context)
            store.clock.advance(seconds: 1)
            await #expect(throws: ProposalError.expired) { _ = try await service.apply(proposal, context: context) }
            #expect(late.hash == proposal.hash)
            #expect(try await service.apply(late, context: context).outcome.records == [id])
        }
    }

    @Test("the hash is of the operation and of what it would do")
    func hashes() async throws {
        try await withStore(.sqlite) { store in
            let (service, context) = (store.service, store.context)
            let (_, tasks) = try await UndoTests.tables(store)
            let id = try await store.create(tasks, ["Name": "a"])[0].id
            let operations: [ProposedOperation] = [
                .create([RecordDraft(fields: ["Name": "x"])], in: tasks.id, typecast: false),
                .create([RecordDraft(fields: ["Name": "y"])], in: tasks.id, typecast: false),
                .create([RecordDraft(fields: ["Name": "x"])], in: tasks.id, typecast: true),
                .update([RecordUpdate(id: id, fields: ["Name": "x"])], in: tasks.id, typecast: false),
                .upsert([RecordUpsert(fields: ["Name": "x"])], mergeOn: ["Name"], in: tasks.id, typecast: false),
                .delete([id], in: tasks.id),
                .comment("x", parent: nil, on: id, in: tasks.id), .comment("y", parent: nil, on: id, in: tasks.id),
                .createField(["name": "F", "type": "url"], in: tasks.id),
                .createField(["name": "G", "type": "url"], in: tasks.id),
                .updateTable(TableUpdate(name: "F"), of: tasks.id),
                .createTable(["name": "F", "fields": [["name": "N", "type": "number"]]], in: tasks.base),
                .createBase(name: "F", tables: [["name": "F", "fields": [["name": "N", "type": "number"]]]]),
            ]
            var hashes: Set<String> = []
            for operation in operations {
                let proposal = try await service.propose(operation, context: context)
                #expect(proposal.hash.wholeMatch(of: /[0-9a-f]{64}/) != nil)
                #expect(try await service.propose(operation, context: context).hash == proposal.hash)
                hashes.insert(proposal.hash)
            }
            #expect(hashes.count == operations.count)
        }
    }

    @Test("designs and comments are proposed without being made, and made once they are agreed to")
    func design() async throws {
        try await withStore(.sqlite) { store in
            let (service, context) = (store.service, store.context)
            let (projects, tasks) = try await UndoTests.tables(store)
            let ids = try await store.create(tasks, ["Name": "a", "State": "old"], ["Name": "b", "State": "new"]).map(
                \.id
            )
            let state = try #require(tasks.field("State"))
            let new = try #require(state.options.choices?.first { $0.name == "new" })
            let operations: [ProposedOperation] = [
                .createBase(name: "X", tables: [["name": "T", "fields": [["name": "N", "type": "singleLineText"]]]]),
                .createTable(["name": "T", "fields": [["name": "N", "type": "singleLineText"]]], in: tasks.base),
                .createField(
                    ["name": "L", "type": "multipleRecordLinks", "options": ["linkedTableId": "Projects"]],
                    in: tasks.id
                ),
                .updateTable(TableUpdate(name: "Jobs"), of: tasks.id),
                .updateField(
                    [
                        "name": "Status",
                        "options": ["choices": [["id": .string(new.id.description), "name": "fresh"]]],
                        "enableSelectFieldChoiceDeletion": true,
                    ],
                    of: state.id,
                    in: tasks.id
                ),
                .comment("hello", parent: nil, on: ids[0], in: tasks.id),
            ]
            for operation in operations {
                let bases = try await service.bases(context: context)
                let tables = try await service.tables(in: tasks.base, context: context)
                let proposal = try await service.propose(operation, context: context)
                #expect(try await service.bases(context: context) == bases)
                #expect(try await service.tables(in: tasks.base, context: context) == tables)
                #expect(try await service.comments(on: ids[0], in: tasks.id, context: context).comments.isEmpty)
                #expect(!proposal.isEmpty)
                if operation.kind == .updateField {
                    #expect(proposal.isDestructive)
                    // One loses its choice; the other's is only called another name.
                    #expect(proposal.changes.map(\.record) == [ids[0]])
                    #expect(proposal.changes.first?.cells.map(\.before) == ["old"])
                }
                let applied = try await service.apply(proposal, context: context)
                #expect(applied.outcome.tables.map(\.name) == proposal.outcome.tables.map(\.name))
                #expect(applied.outcome.field?.name == proposal.outcome.field?.name)
            }
            #expect(try await service.bases(context: context).map(\.name).sorted() == ["B", "X"])
            let names = try await service.tables(in: tasks.base, context: context).map(\.name)
            #expect(names == ["Projects", "Jobs", "T"])
            let fields = try await service.table(id: projects.id, context: context).fields.map(\.name)
            #expect(fields.count == 3 && fields.prefix(2) == ["Name", "Tasks"], "\(fields)")
            #expect(
                try await service.comments(on: ids[0], in: tasks.id, context: context).comments.map(\.text) == ["hello"]
            )
            try await store.expectSound()
        }
    }

    @Test("an undo is proposed with every cell it puts back; what stands against it is told, and nothing overwritten")
    func undo() async throws {
        try await withStore(.sqlite) { store in
            let (service, context) = (store.service, store.context)
            let (_, tasks) = try await UndoTests.tables(store)
            let id = try await store.create(tasks, ["Name": "a"])[0].id
            let update = RecordUpdate(id: id, fields: ["Name": "b"])
            _ = try await service.update([update], in: tasks.id, context: context)
            let number = try await UndoTests.latest(store)
            let proposal = try await service.propose(.undo(transaction: number), context: context)
            #expect(
                proposal.isDestructive
                    && proposal.changes.map(\.cells) == [
                        [ProposedCell(field: tasks.fields[0].id, name: "Name", before: "b", after: "a")]
                    ]
            )
            let other = RecordUpdate(id: id, fields: ["Name": "c"])
            _ = try await service.update([other], in: tasks.id, context: context)
            await #expect(throws: ProposalError.stale([id])) { _ = try await service.apply(proposal, context: context) }
            let blocked = try await service.propose(.undo(transaction: number), context: context)
            #expect(blocked.outcome.obstacles.map(\.reason) == [.changed])
            #expect(try await store.fields(id, tasks)["Name"] == "c")
        }
    }

    @Test("more records than one call takes are refused, and as many as it takes are one transaction")
    func bounds() async throws {
        try await withStore(.sqlite) { store in
            let (service, context) = (store.service, store.context)
            let (_, tasks) = try await UndoTests.tables(store)
            func drafts(_ count: Int) -> ProposedOperation {
                .create(
                    (0..<count).map { RecordDraft(fields: ["Name": .string("\($0)")]) },
                    in: tasks.id,
                    typecast: false
                )
            }
            await expectFailure(.tooLarge) {
                try await service.propose(drafts(Limits.proposedRecords + 1), context: context)
            }
            let proposal = try await service.propose(drafts(Limits.proposedRecords), context: context)
            let applied = try await service.apply(proposal, context: context)
            let changes = try await store.allChanges().filter { $0.transaction == applied.transaction }
            #expect(changes.count == Limits.proposedRecords)
            // The store's own calls take what they always took.
            await expectFailure(.tooLarge) {
                let drafts = (0...Limits.internalPageRecords).map { _ in RecordDraft(fields: [:]) }
                return try await service.create(drafts, in: tasks.id, context: context)
            }
        }
    }
}
