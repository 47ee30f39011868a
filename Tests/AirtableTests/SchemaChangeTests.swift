import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Changes of tables, fields and choices")
struct SchemaChangeTests {
    /// A table of tasks, linked to people.
    struct Tasks: Sendable {
        let store: StoreFixture
        let tasks: Table
        let people: Table

        func field(_ name: String) throws -> Field { try #require(tasks.field(name)) }
        func read() async throws -> Table { try await store.service.table(id: tasks.id, context: store.context) }

        func update(_ name: String, _ update: FieldUpdate) async throws -> Field {
            try await store.service.updateField(field(name).id, update, in: tasks.id, context: store.context)
        }
    }

    private func withTasks(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (Tasks) async throws -> Void
    ) async throws {
        try await withStore(kind) { store in
            let made = try await store.service.createBase(
                name: "Work",
                tables: [
                    TableDraft(
                        name: "Tasks",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText),
                            FieldDraft(name: "State", type: .singleSelect, choices: ["Open", "Done", "Late"]),
                            FieldDraft(name: "Tags", type: .multipleSelects, choices: ["A", "B"]),
                            FieldDraft(name: "Cost", type: .currency), .link("Who", to: "People"),
                        ]
                    ),
                    TableDraft(name: "People", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                ],
                context: store.context
            )
            try await body(Tasks(store: store, tasks: made.tables[0], people: made.tables[1]))
        }
    }

    @Test("a base is renamed, which is told of each of its tables", arguments: DatabaseKind.allCases)
    func base(_ kind: DatabaseKind) async throws {
        try await withTasks(kind) { work in
            let (service, context, id) = (work.store.service, work.store.context, work.tasks.base)
            _ = try await service.createBase(name: "Play", tables: [], context: context)
            let changed = try await service.renameBase(id, to: " Labour ", context: context)
            #expect(changed.name == "Labour")
            #expect(try await service.base("labour", context: context) == changed)
            let entries = try await work.store.allChanges().suffix(2)
            #expect(Set(entries.map(\.table)) == [work.tasks.id, work.people.id])
            #expect(entries.allSatisfy { $0.schemaChange == .baseRenamed(before: "Work", after: "Labour") })
            #expect(Set(entries.map(\.transaction)).count == 1)
            await expectFailure(.duplicateBaseName) { try await service.renameBase(id, to: "PLAY", context: context) }
            await expectFailure(.invalidRequest) { try await service.renameBase(id, to: " ", context: context) }
            // Another case of its own name is no clash, and the same name no change.
            _ = try await service.renameBase(id, to: "LABOUR", context: context)
            let count = try await work.store.allChanges().count
            _ = try await service.renameBase(id, to: "LABOUR", context: context)
            #expect(try await work.store.allChanges().count == count)
            let stranger = try await work.store.otherTenant()
            await expectFailure(.modelNotFound) { try await service.renameBase(id, to: "X", context: stranger) }
            try await work.store.expectSound()
        }
    }

    @Test("a table is renamed and described, and the log tells from what to what", arguments: DatabaseKind.allCases)
    func table(_ kind: DatabaseKind) async throws {
        try await withTasks(kind) { work in
            let (store, id) = (work.store, work.tasks.id)
            let changed = try await store.service.updateTable(
                id,
                TableUpdate(name: " Jobs ", description: "What is to do"),
                context: store.context
            )
            #expect(changed.name == "Jobs" && changed.description == "What is to do")
            #expect(try await work.read() == changed)
            #expect(try await store.service.table("JOBS", in: work.tasks.base, context: store.context).id == id)
            let last = try #require(try await store.allChanges().last)
            #expect(last.event == .schemaChanged && last.actor == store.context.principal.user)
            #expect(
                last.schemaChange
                    == .tableUpdated(
                        before: TableHead(name: "Tasks", description: nil),
                        after: TableHead(name: "Jobs", description: "What is to do")
                    )
            )
            // Nothing to change is no entry.
            _ = try await store.service.updateTable(id, TableUpdate(name: "Jobs"), context: store.context)
            #expect(try await store.allChanges().last?.sequence == last.sequence)
            let cleared = try await store.service.updateTable(id, TableUpdate(description: ""), context: store.context)
            #expect(cleared.description == nil && cleared.name == "Jobs")
            for name in ["people", "", " "] {
                await expectFailure(.duplicateTableName) {
                    try await store.service.updateTable(id, TableUpdate(name: name), context: store.context)
                }
            }
            try await store.expectSound()
        }
    }

    @Test("a field is renamed, described and formatted anew; its cells stay", arguments: DatabaseKind.allCases)
    func field(_ kind: DatabaseKind) async throws {
        try await withTasks(kind) { work in
            let record = try await work.store.create(work.tasks, ["Cost": 5])[0]
            var options = FieldOptions()
            options.symbol = "€"
            let before = try work.field("Cost")
            let after = try await work.update(
                "Cost",
                FieldUpdate(name: "Price", description: "Each", options: options)
            )
            #expect(after.name == "Price" && after.description == "Each")
            #expect(after.options.symbol == "€" && after.options.precision == 2)
            #expect(after.id == before.id && after.ordinal == before.ordinal)
            #expect(try await work.read().field(id: before.id) == after)
            #expect(try await work.store.fields(record.id, work.tasks) == ["Price": 5])
            #expect(try await work.store.allChanges().last?.schemaChange == .fieldUpdated(before: before, after: after))
            await expectFailure(.duplicateOrEmptyFieldName) { try await work.update("Cost", FieldUpdate(name: "name")) }
            await expectFailure(.duplicateOrEmptyFieldName) { try await work.update("Cost", FieldUpdate(name: "")) }
            options.precision = 8
            await expectFailure(.invalidFieldOptions) { try await work.update("Cost", FieldUpdate(options: options)) }
            await expectFailure(.modelNotFound) {
                try await work.store.service.updateField(
                    .random(),
                    FieldUpdate(name: "x"),
                    in: work.tasks.id,
                    context: work.store.context
                )
            }
            try await work.store.expectSound()
        }
    }

    @Test("choices are added, renamed, recoloured and put in order", arguments: DatabaseKind.allCases)
    func choices(_ kind: DatabaseKind) async throws {
        try await withTasks(kind) { work in
            let record = try await work.store.create(work.tasks, ["State": "Done"])[0]
            let old = try #require(try work.field("State").options.choices)
            var options = FieldOptions()
            options.choices = [
                SelectChoice(id: old[1].id, name: "Finished"), SelectChoice(id: .random(), name: "New"),
                SelectChoice(id: old[0].id, name: "Open", color: "redBright"), old[2],
            ]
            let after = try await work.update("State", FieldUpdate(options: options))
            #expect(after.options.choices?.map(\.name) == ["Finished", "New", "Open", "Late"])
            #expect(after.options.choices?.map(\.color) == [old[1].color, "cyanLight2", "redBright", old[2].color])
            #expect(try await work.store.fields(record.id, work.tasks) == ["State": "Finished"])
            // Leaving one out may be a mistake.
            options.choices?.removeFirst()
            await expectFailure(.invalidFieldOptions) { try await work.update("State", FieldUpdate(options: options)) }
            options.choices = [SelectChoice(id: .random(), name: "Twice"), SelectChoice(id: .random(), name: "Twice")]
            await expectFailure(.invalidFieldOptions) {
                try await work.update("State", FieldUpdate(options: options, deletesChoices: true))
            }
            try await work.store.expectSound()
        }
    }

    @Test(
        "a deleted choice leaves every record, each in the log with before and after",
        arguments: DatabaseKind.allCases
    )
    func deleteChoice(_ kind: DatabaseKind) async throws {
        try await withTasks(kind) { work in
            let (store, context) = (work.store, work.store.context)
            // More than one page, so that the sweep goes on after the first.
            var ids: [RecordID] = []
            for round in 0..<3 {
                let drafts = (0..<500).map { number in
                    RecordDraft(fields: number == 7 ? ["Tags": ["A", "B"], "State": "Open"] : ["Tags": ["B"]])
                }
                let made = try await store.service.create(drafts, in: work.tasks.id, context: context)
                if round != 1 { ids.append(made[7].id) }
                if round == 1 {
                    _ = try await store.service.update(
                        [RecordUpdate(id: made[7].id, fields: ["Tags": ["A"]])],
                        in: work.tasks.id,
                        context: context
                    )
                    ids.append(made[7].id)
                }
            }
            let tags = try work.field("Tags")
            let choice = try #require(tags.options.choices?.first)
            let before = try #require(try await store.allChanges().last).sequence
            try await store.service.deleteChoice(choice.id, of: tags.id, in: work.tasks.id, context: context)
            #expect(try await store.fields(ids[0], work.tasks) == ["Tags": ["B"], "State": "Open"])
            #expect(try await store.fields(ids[1], work.tasks) == ["State": "Open"])
            let changes = try await store.allChanges().filter { $0.sequence > before }
            #expect(changes.count == 4)
            #expect(Set(changes.map(\.transaction)) == [before + 1])
            #expect(changes.first?.event == .schemaChanged)
            let updated = changes.dropFirst().compactMap { change -> RecordID? in
                guard case .updated(let before, let after) = change.event else { return nil }
                // Choices are read by today's schema, so what is gone has no name, but its place in the log.
                #expect(before.cells[tags.id] != after.cells[tags.id])
                return after.id
            }
            #expect(Set(updated) == Set(ids))
            await expectFailure(.modelNotFound) {
                try await store.service.deleteChoice(choice.id, of: tags.id, in: work.tasks.id, context: context)
            }
            try await store.expectSound()
        }
    }

    @Test(
        "a deleted field takes its cells, the other side of a link, and what was computed through it",
        arguments: DatabaseKind.allCases
    )
    func deleteField(_ kind: DatabaseKind) async throws {
        try await withTasks(kind) { work in
            let (store, context) = (work.store, work.store.context)
            let who = try work.field("Who")
            var draft = FieldDraft(name: "Names", type: .multipleLookupValues)
            draft.recordLink = "Who"
            draft.fieldInLinkedTable = "Name"
            let names = try await store.service.createField(draft, in: work.tasks.id, context: context)
            #expect(names.options.recordLinkField == who.id && names.options.isValid == true)
            #expect(names.options.result?.type == .singleLineText)
            let person = try await store.create(work.people, ["Name": "Ada"])[0]
            let task = try await store.create(work.tasks, ["Name": "x", "Who": [.string(person.id.description)]])[0]
            try await store.service.deleteField(who.id, in: work.tasks.id, context: context)
            let tasks = try await work.read()
            #expect(tasks.fields.map(\.name) == ["Name", "State", "Tags", "Cost", "Names"])
            #expect(tasks.field("Names")?.options.isValid == false)
            let people = try await store.service.table(id: work.people.id, context: context)
            #expect(people.fields.map(\.name) == ["Name"])
            #expect(try await store.fields(task.id, tasks) == ["Name": "x"])
            #expect(try await store.fields(person.id, people) == ["Name": "Ada"])
            // The last entry says that computed cells followed.
            let kinds = try await store.allChanges().suffix(4).map(\.schemaChange)
            #expect(kinds.contains(.fieldDeleted(who)))
            #expect(kinds.filter { if case .fieldDeleted? = $0 { true } else { false } }.count == 2)
            await expectFailure(.invalidRequest) {
                try await store.service.deleteField(tasks.primaryField, in: tasks.id, context: context)
            }
            await expectFailure(.modelNotFound) {
                try await store.service.deleteField(who.id, in: tasks.id, context: context)
            }
            try await store.expectSound()
        }
    }

    @Test("who may not write schemas changes none, and another tenant finds none")
    func permissions() async throws {
        try await withTasks(.sqlite) { work in
            let store = work.store
            let reader = store.context(with: [.schemaRead, .recordsWrite, .recordsRead])
            let other = try await store.otherTenant()
            let cost = try work.field("Cost").id
            for (context, isOther) in [(reader, false), (other, true)] {
                func expectRefusal(_ body: () async throws -> Void) async {
                    do {
                        try await body()
                        Issue.record("nothing was refused")
                    } catch let error as AirtableError {
                        #expect(isOther && error.code == .modelNotFound)
                    } catch { #expect(!isOther && error is AccessError) }
                }
                await expectRefusal {
                    _ = try await store.service.updateTable(work.tasks.id, TableUpdate(name: "X"), context: context)
                }
                await expectRefusal {
                    let update = FieldUpdate(name: "X")
                    _ = try await store.service.updateField(cost, update, in: work.tasks.id, context: context)
                }
                await expectRefusal {
                    try await store.service.deleteField(cost, in: work.tasks.id, context: context)
                }
                await expectRefusal {
                    let choice = try #require(try work.field("State").options.choices?.first?.id)
                    let field = try work.field("State").id
                    try await store.service.deleteChoice(choice, of: field, in: work.tasks.id, context: context)
                }
            }
            #expect(try await work.read() == work.tasks)
        }
    }
}
