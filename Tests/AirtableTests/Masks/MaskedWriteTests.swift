import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Writing what one sees a part of")
struct MaskedWriteTests {
    typealias World = RecordRuleTests.World

    @Test(
        "AUTHZ-08: every record of a batch is looked at: one that is not seen is missing, one that may not be changed refused",
        arguments: DatabaseKind.allCases
    )
    func batches(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks) = (store.context, world.tasks.id)
            let sales = store.rule(allowing: ["{Team}='Sales'"])
            let notOps = Reach(tasks, store.rule(allowing: ["{Team}!='Ops'"]))
            let service = store.masked(notOps) { _ in Reach(tasks, sales) }
            func update(_ ids: RecordID...) async throws {
                let updates = ids.map { RecordUpdate(id: $0, fields: ["Title": "New"]) }
                _ = try await service.update(updates, in: tasks, context: context)
            }
            let missing = RecordID.random()
            let unknown = await expectFailure(.rowDoesNotExist) { try await update(world.mine, missing) }
            let unseen = await expectFailure(.rowDoesNotExist) { try await update(world.mine, world.theirs) }
            #expect(
                unknown?.message.replacing(missing.description, with: "")
                    == unseen?.message.replacing(world.theirs.description, with: "")
            )
            await expectForbidden { try await update(world.mine, world.nobodys) }
            #expect(try await world.titles(store.rule(allowsAll: true)) == ["Mine", "Theirs", "Nobody's"])
            try await update(world.mine)
            #expect(try await world.titles(store.rule(allowsAll: true)) == ["New", "Theirs", "Nobody's"])
            await expectForbidden {
                try await service.delete([world.mine, world.nobodys], in: tasks, context: context)
            }
            await expectFailure(.rowDoesNotExist) {
                try await service.delete([world.mine, world.theirs], in: tasks, context: context)
            }
            // An upsert finds what is seen only, and changes what may be changed only.
            let upsert = { (title: String, team: String) in
                try await service.upsert(
                    [RecordUpsert(fields: ["Title": .string(title), "Team": .string(team)])],
                    mergeOn: ["Title"],
                    in: tasks,
                    context: context
                )
            }
            await expectForbidden { try await upsert("Nobody's", "Sales") }
            #expect(try await upsert("Theirs", "Sales").created.count == 1)
            #expect(try await store.service.recordCount(in: tasks, context: context) == 4)
            try await store.expectSound()
        }
    }

    @Test(
        "AUTHZ-04: nobody makes a record that they would not see or may not change, nor moves one there",
        arguments: DatabaseKind.allCases
    )
    func beyond(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks) = (store.context, world.tasks.id)
            let seen = Reach(tasks, store.rule(allowing: ["{Team}!='Ops'"]))
            let service = store.masked(seen) { _ in Reach(tasks, store.rule(allowing: ["{Team}='Sales'"])) }
            for team in ["Ops", "Staff"] {
                await expectForbidden {
                    try await service.create(
                        [RecordDraft(fields: ["Team": "Sales"]), RecordDraft(fields: ["Team": .string(team)])],
                        in: tasks,
                        context: context
                    )
                }
                await expectForbidden {
                    try await service.update(
                        [RecordUpdate(id: world.mine, fields: ["Team": .string(team)])],
                        in: tasks,
                        context: context
                    )
                }
            }
            #expect(try await store.service.recordCount(in: tasks, context: context) == 3)
            let made = try await service.create([RecordDraft(fields: ["Team": "Sales"])], in: tasks, context: context)
            #expect(made.count == 1)
            let number = try #require(try await store.allChanges().last).transaction
            guard case .undone = try await service.undo(transaction: number, context: context) else {
                Issue.record("one's own change could not be undone")
                return
            }
        }
    }

    @Test(
        "AUTHZ-04: links that a writer does not see are neither made, nor found by name, nor lost",
        arguments: DatabaseKind.allCases
    )
    func links(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks) = (store.context, world.tasks.id)
            let service = world.masked(world.projects, store.rule(allowing: ["{Level}=1"]))
            let link = try #require(world.tasks.field("Project")).id
            func set(_ value: JSONValue, typecast: Bool = false) async throws -> Record {
                try await service.update(
                    [RecordUpdate(id: world.mine, fields: ["Project": value])],
                    in: tasks,
                    typecast: typecast,
                    context: context
                )[0]
            }
            func stored() async throws -> CellValue? {
                try await store.service.record(world.mine, in: tasks, context: context).cells[link]
            }
            await expectFailure(.rowDoesNotExist) { try await set([world.open, world.secret].asLinks) }
            #expect(try await set([]).cells[link] == nil)
            #expect(try await stored() == .links([world.secret]))
            #expect(try await set([world.open].asLinks).cells[link] == .links([world.open]))
            #expect(try await stored() == .links([world.open, world.secret]))
            // A record of that name is there, and not for them: theirs is another one, which the rule lets them make or not.
            await expectForbidden { try await set(["Secret"], typecast: true) }
            #expect(try await store.service.recordCount(in: world.projects.id, context: context) == 2)
            try await service.delete([world.mine], in: tasks, context: context)
            try await store.expectSound()
        }
    }

    @Test(
        "AUTHZ-04: locked fields are refused by name, hidden ones like fields that are not there",
        arguments: DatabaseKind.allCases
    )
    func fields(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks) = (store.context, world.tasks.id)
            let (mail, team) = (world.tasks.field("Mail")!.id, world.tasks.field("Team")!.id)
            let service = store.masked(Reach(hiding: [mail], of: tasks)) { _ in Reach(hiding: [team], of: tasks) }
            func write(_ name: String) async -> AirtableError? {
                await expectFailure(.invalidPermissions) {
                    try await service.update(
                        [RecordUpdate(id: world.mine, fields: [name: "x@example.test"])],
                        in: tasks,
                        context: context
                    )
                }
            }
            #expect(await write("Team")?.message.contains("\"Team\"") == true)
            let (hidden, missing) = (await write("Mail"), await write("Male"))
            #expect(hidden?.message.replacing("Mail", with: "") == missing?.message.replacing("Male", with: ""))
            #expect(hidden?.hint == missing?.hint)
            await expectFailure(.invalidPermissions) {
                try await service.upsert(
                    [RecordUpsert(fields: ["Title": "x"])],
                    mergeOn: ["Mail"],
                    in: tasks,
                    context: context
                )
            }
            // Replacing a record leaves what its writer can't set.
            _ = try await service.update(
                [RecordUpdate(id: world.mine, fields: ["Title": "New"])],
                in: tasks,
                replacing: true,
                context: context
            )
            let record = try await store.service.record(world.mine, in: tasks, context: context)
            #expect(record.cells[team] == .text("Sales") && record.cells[mail] == .text("Owner@Example.test"))
            #expect(record.cells[world.tasks.field("Project")!.id] == nil)
        }
    }

    @Test(
        "AUTHZ-03: what is seen and may not be changed is refused, what is not seen is not there",
        arguments: DatabaseKind.allCases
    )
    func places(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks, projects) = (store.context, world.tasks.id, world.projects.id)
            let base = world.tasks.base
            var hidden = Reach()
            hidden.excludedTables = [projects]
            let service = store.masked(hidden) { _ in Reach(bases: []) }
            let field = FieldDraft(name: "New", type: .number)
            let calls: [@Sendable (TableID) async throws -> Void] = [
                { _ = try await service.create([RecordDraft(fields: [:])], in: $0, context: context) },
                { _ = try await service.update([RecordUpdate(id: world.mine, fields: [:])], in: $0, context: context) },
                { _ = try await service.upsert([], mergeOn: ["Title"], in: $0, context: context) },
                { try await service.delete([world.mine], in: $0, context: context) },
                { _ = try await service.createField(field, in: $0, context: context) },
                { _ = try await service.updateTable($0, TableUpdate(name: "X"), context: context) },
                { try await service.deleteTable($0, context: context) },
                { _ = try await service.createView(ViewDraft(name: "V"), in: $0, context: context) },
                { _ = try await service.createComment("x", on: world.mine, in: $0, context: context) },
            ]
            for call in calls {
                await expectForbidden { try await call(tasks) }
                let unseen = await expectFailure(.modelNotFound) { try await call(projects) }
                let missing = await expectFailure(.modelNotFound) { try await call(.random()) }
                #expect(unseen?.message == missing?.message && unseen?.hint == missing?.hint)
            }
            await expectForbidden { try await service.renameBase(base, to: "X", context: context) }
            await expectForbidden { try await service.deleteBase(base, context: context) }
            await expectForbidden {
                try await service.createTable(TableDraft(name: "T", fields: [field]), in: base, context: context)
            }
            await expectForbidden { try await service.createBase(name: "New", tables: [], context: context) }
            // A link to a table that is not there is no field that is there.
            let table = try await service.table(id: tasks, context: context)
            #expect(table.field("Project") == nil)
            #expect(try await service.tables(in: base, context: context).map(\.id) == [tasks])
        }
    }

    @Test("AUTHZ-04: the schema of what is hidden is neither shown nor to be guessed", arguments: DatabaseKind.allCases)
    func schema(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks, projects) = (store.context, world.tasks.id, world.projects.id)
            let primary = world.projects.primaryField
            let inverse = try #require(world.projects.field("Tasks")).id
            let service = store.masked(Reach(hiding: [primary, inverse], of: projects))
            let shown = try await service.table(id: projects, context: context)
            #expect(shown.fields.map(\.name) == ["Level"] && shown.primaryField == shown.fields[0].id)
            let link = try #require(try await service.table(id: tasks, context: context).field("Project"))
            #expect(link.options.inverseLinkField == nil && link.options.linkedTable == projects)
            for name in ["Name", "Naem"] {
                var draft = FieldDraft(name: "Guess", type: .formula)
                draft.options.formula = "{\(name)}"
                await expectForbidden { try await service.createField(draft, in: projects, context: context) }
            }
            await expectForbidden { try await service.deleteField(link.id, in: tasks, context: context) }
            await expectFailure(.modelNotFound) {
                try await service.deleteField(primary, in: projects, context: context)
            }
        }
    }
}
