import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Proposed changes of who sees less")
struct MaskedProposalTests {
    private static func table(_ store: StoreFixture) async throws -> Table {
        try await store.table([
            FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Salary", type: .number),
            FieldDraft(name: "Note", type: .multilineText),
        ])
    }

    @Test("nothing hidden is in a proposal, nor in its hash", arguments: DatabaseKind.allCases)
    func hidden(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await Self.table(store)
            let salary = try #require(table.field("Salary"))
            let id = try await store.create(table, ["Name": "a", "Salary": 100])[0].id
            let masked = store.masked(Reach(hiding: [salary.id], of: table.id))
            let operations: [ProposedOperation] = [
                .delete([id], in: table.id),
                .update([RecordUpdate(id: id, fields: ["Name": "b"])], in: table.id, typecast: false),
            ]
            for operation in operations {
                let low = try await masked.propose(operation, context: store.context)
                _ = try await store.service.update(
                    [RecordUpdate(id: id, fields: ["Salary": .number(JSONNumber(Int.random(in: 1_000...9_999)))])],
                    in: table.id,
                    context: store.context
                )
                // Else somebody could try salaries until the hash fits.
                let high = try await masked.propose(operation, context: store.context)
                #expect(low.hash == high.hash)
                #expect(!"\(high.changes)".contains("Salary") && high.changes.count == 1)
                let whole = try await store.service.propose(operation, context: store.context)
                #expect(whole.hash != high.hash)
            }
        }
    }

    @Test("what would be refused when written is refused when proposed, in the same words")
    func refusals() async throws {
        try await withStore(.sqlite) { store in
            let table = try await Self.table(store)
            let (name, salary) = (try #require(table.field("Name")), try #require(table.field("Salary")))
            let ids = try await store.create(table, ["Name": "mine"], ["Name": "theirs"]).map(\.id)
            var sight = Reach(table.id, store.rule(allowing: ["{Name} = 'mine'"]))
            sight.excludedFields = [table.id: [salary.id]]
            var locked = sight
            locked.excludedFields[table.id]?.insert(name.id)
            let action = locked
            let service = store.masked(sight) { $0 == .recordsWrite ? action : nil }
            func update(_ id: RecordID, _ fields: JSONObject) -> ProposedOperation {
                .update([RecordUpdate(id: id, fields: fields)], in: table.id, typecast: false)
            }
            let refused: [ProposedOperation] = [
                update(ids[1], ["Note": "x"]), update(ids[0], ["Salary": 1]), update(ids[0], ["Name": "mine"]),
                update(.random(), ["Note": "x"]), update(ids[0], ["Note": 3]),
                .delete([ids[1]], in: table.id),
                .create([RecordDraft(fields: ["Note": "x"])], in: table.id, typecast: false),
                .delete([ids[0]], in: .random()), .undo(transaction: 10_000),
            ]
            for operation in refused {
                var messages: [String] = []
                do { _ = try await service.propose(operation, context: store.context) } catch {
                    messages.append("\(error)")
                }
                do {
                    _ = try await service.perform(operation, attachments: nil, context: store.context)
                } catch { messages.append("\(error)") }
                #expect(messages.count == 2 && messages.first == messages.last, "\(operation): \(messages)")
            }
            let proposal = try await service.propose(update(ids[0], ["Note": "x"]), context: store.context)
            #expect(proposal.changes.map(\.record) == [ids[0]])
            _ = try await service.apply(proposal, context: store.context)
        }
    }

    @Test("who may only change the schema hears of no records")
    func schemaOnly() async throws {
        try await withStore(.sqlite) { store in
            let (_, tasks) = try await UndoTests.tables(store)
            _ = try await store.create(tasks, ["Name": "a", "State": "old"])
            let state = try #require(tasks.field("State"))
            let operation = ProposedOperation.updateField(
                ["options": ["choices": [], "enableSelectFieldChoiceDeletion": true]],
                of: state.id,
                in: tasks.id
            )
            let designer = store.context(with: [.schemaWrite])
            let proposal = try await store.service.propose(operation, context: designer)
            #expect(proposal.changes.isEmpty && proposal.schema.count == 1)
            #expect(try await store.service.propose(operation, context: store.context).changes.count == 1)
            #expect(try await store.service.apply(proposal, context: designer).outcome.field?.options.choices == [])
        }
    }

    @Test("nothing is fetched: a cell that names an address is refused before anybody is asked")
    func addresses() async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Files", type: .multipleAttachments),
            ])
            let source = RefusingSource()
            let service = AirtableService(
                database: store.database,
                access: store.access,
                attachments: source,
                now: store.clock.now
            )
            let fields: JSONObject = ["Files": [["url": "https://attacker.example.test/?q=secret"]]]
            await expectFailure(.invalidAttachment) {
                try await service.propose(
                    .create([RecordDraft(fields: fields)], in: table.id, typecast: true),
                    context: store.context
                )
            }
        }
    }
}

private struct RefusingSource: AttachmentSource {
    func attachments(
        _ inputs: Set<AttachmentInput>,
        base: BaseID,
        context: RequestContext
    ) async throws -> [AttachmentInput: Attachment] {
        Issue.record("asked for \(inputs)")
        return [:]
    }
}
