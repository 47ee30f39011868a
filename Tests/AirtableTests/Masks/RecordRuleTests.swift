import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Record rules")
struct RecordRuleTests {
    /// Tasks of people, each of a project.
    struct World: Sendable {
        let store: StoreFixture
        let projects: Table
        let tasks: Table
        let mine: RecordID
        let theirs: RecordID
        let nobodys: RecordID
        let open: RecordID
        let secret: RecordID

        init(_ store: StoreFixture) async throws {
            let (service, context) = (store.service, store.context)
            let stranger = try await store.access.createUser(
                name: "Stranger",
                email: "stranger@example.test",
                role: .viewer,
                context: context
            )
            let schema = try await service.createBase(
                name: "Work",
                tables: [
                    TableDraft(
                        name: "Projects",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText),
                            FieldDraft(name: "Level", type: .number),
                        ]
                    ),
                    TableDraft(
                        name: "Tasks",
                        fields: [
                            FieldDraft(name: "Title", type: .singleLineText),
                            FieldDraft(name: "Owner", type: .singleCollaborator),
                            FieldDraft(name: "Mail", type: .email), FieldDraft(name: "Team", type: .singleLineText),
                            .link("Project", to: "Projects", inverse: "Tasks"),
                        ]
                    ),
                ],
                context: context
            )
            self.store = store
            (projects, tasks) = (schema.tables[0], schema.tables[1])
            let made = try await store.create(projects, ["Name": "Open", "Level": 1], ["Name": "Secret", "Level": 9])
            (open, secret) = (made[0].id, made[1].id)
            let owner = JSONValue.object(["id": .string(context.principal.user.description)])
            let other = JSONValue.object(["id": .string(stranger.id.description)])
            let rows = try await store.create(
                tasks,
                [
                    "Title": "Mine", "Owner": owner, "Mail": "Owner@Example.test", "Team": "Sales",
                    "Project": [open, secret].asLinks,
                ],
                [
                    "Title": "Theirs", "Owner": other, "Mail": "stranger@example.test", "Team": "Ops",
                    "Project": [secret].asLinks,
                ],
                ["Title": "Nobody's", "Team": "Staff"]
            )
            (mine, theirs, nobodys) = (rows[0].id, rows[1].id, rows[2].id)
        }

        func masked(_ table: Table, _ rule: RecordRule) -> AirtableService { store.masked(Reach(table.id, rule)) }

        func titles(_ rule: RecordRule) async throws -> [String] {
            let listed = try await masked(tasks, rule).list(RecordQuery(), in: tasks.id, context: store.context)
            return listed.records.map { record in
                if case .text(let text) = record.cells[tasks.primaryField] { text } else { "" }
            }
        }
    }

    @Test("AUTHZ-04: allow and refuse by formula, by record, and by who is asking", arguments: DatabaseKind.allCases)
    func formulas(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let cases: [(allowing: [String], refusing: [String], titles: [String])] = [
                (["{Owner}=CURRENT_USER()"], [], ["Mine"]), (["CURRENT_USER()={Owner}"], [], ["Mine"]),
                (["{Owner}!=CURRENT_USER()"], [], ["Theirs", "Nobody's"]),
                (["{Mail}=CURRENT_USER()"], [], ["Mine"]),
                (["LOWER({Mail})=LOWER(CURRENT_USER_EMAIL())"], [], ["Mine"]),
                (["FIND({Team}, ARRAYJOIN(CURRENT_GROUPS()))"], [], ["Mine", "Nobody's"]),
                (["{Owner}='Stranger'"], [], []), (["{Owner}='owner'"], [], []),
                (["{Project}='Secret'"], [], ["Theirs"]),
                (["{Team}='Ops'", "{Team}='Staff'"], [], ["Theirs", "Nobody's"]),
                ([], [], []), (["{Nothing}=1"], [], []), (["OPS("], [], []), (["1/{Team}"], [], []),
                (["{Nothing}=1", "{Team}='Ops'"], [], ["Theirs"]),
                (["TRUE()"], ["{Team}='Ops'"], ["Mine", "Nobody's"]),
                (["TRUE()"], ["{Nothing}=1"], []), (["TRUE()"], ["{Owner}=CURRENT_USER()"], ["Theirs", "Nobody's"]),
                (["TRUE()"], ["IF({Team}='Ops', ERROR(), FALSE())"], ["Mine", "Nobody's"]),
                (["RECORD_ID()='\(world.mine)'"], [], ["Mine"]), (["{Team}>'P'"], [], ["Mine", "Nobody's"]),
            ]
            for entry in cases {
                let rule = store.rule(allowing: entry.allowing, refusing: entry.refusing)
                #expect(try await world.titles(rule) == entry.titles, "\(entry.allowing) \(entry.refusing)")
            }
            var listed = store.rule(allowsAll: true)
            listed.refused = [world.theirs]
            #expect(try await world.titles(listed) == ["Mine", "Nobody's"])
            listed = store.rule(allowing: ["{Team}='Staff'"], records: [world.theirs])
            #expect(try await world.titles(listed) == ["Theirs", "Nobody's"])
            listed.refused = [world.theirs]
            #expect(try await world.titles(listed) == ["Nobody's"])
            listed = store.rule(records: [world.theirs])
            #expect(try await world.titles(listed) == ["Theirs"])
            // Each allowance has to let it through.
            listed.allowances.append(.init(formulas: ["{Team}='Sales'"]))
            #expect(try await world.titles(listed) == [])
        }
    }

    @Test("AUTHZ-04: only rules know who is asking: in a filter the functions are unknown")
    func onlyRules() async throws {
        try await withStore(.sqlite) { store in
            let world = try await World(store)
            for name in ["CURRENT_USER", "CURRENT_USER_EMAIL", "CURRENT_GROUPS"] {
                let query = RecordQuery(filter: "\(name)()=''")
                await expectFailure(.invalidFilter) {
                    try await store.service.list(query, in: world.tasks.id, context: store.context)
                }
            }
        }
    }

    @Test(
        "AUTHZ-03: a record that a rule keeps back is not there, wherever it is asked for",
        arguments: DatabaseKind.allCases
    )
    func reads(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks) = (store.context, world.tasks.id)
            let service = world.masked(world.tasks, store.rule(allowing: ["{Owner}=CURRENT_USER()"]))
            #expect(try await service.recordCount(in: tasks, context: context) == 1)
            for limit in [1, 10] {
                let page = try await service.records(in: tasks, page: RecordPageRequest(limit: limit), context: context)
                #expect(page.records.map(\.id) == [world.mine] && page.next == nil)
            }
            let found = try await service.records([world.theirs, world.mine, .random()], in: tasks, context: context)
            #expect(found.map(\.id) == [world.mine])
            let missing = await expectFailure(.notFound) {
                try await service.record(.random(), in: tasks, context: context)
            }
            let hidden = await expectFailure(.notFound) {
                try await service.record(world.theirs, in: tasks, context: context)
            }
            #expect(missing?.message == hidden?.message && missing?.hint == hidden?.hint)
            let names = try await service.primaryValues(of: [world.mine, world.theirs], in: tasks, context: context)
            #expect(names == [world.mine: "Mine"])
            var sorted = RecordQuery()
            sorted.sort = [.init(field: "Title", isDescending: true)]
            #expect(try await service.list(sorted, in: tasks, context: context).records.map(\.id) == [world.mine])
            let filter = RecordQuery(filter: "{Title}='Theirs'")
            #expect(try await service.list(filter, in: tasks, context: context).records.isEmpty)
            let matches = try await service.reads(by: .search).matches(
                "TRUE()",
                in: tasks,
                limit: 10,
                scope: service.access.visibleScope(for: context, doing: .search),
                context: context
            )
            #expect(matches == [world.mine])
        }
    }

    @Test(
        "AUTHZ-04: links do not name records that are kept back, nor is anything computed from them shown",
        arguments: DatabaseKind.allCases
    )
    func links(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, projects, tasks) = (store.context, world.projects.id, world.tasks.id)
            var lookup = FieldDraft(name: "Levels", type: .multipleLookupValues)
            (lookup.recordLink, lookup.fieldInLinkedTable) = ("Project", "Level")
            var count = FieldDraft(name: "Projects", type: .count)
            count.recordLink = "Project"
            var named = FieldDraft(name: "Named", type: .formula)
            named.options.formula = "{Project}&''"
            var plain = FieldDraft(name: "Plain", type: .formula)
            plain.options.formula = "{Title}&'!'"
            for draft in [lookup, count, named, plain] {
                _ = try await store.service.createField(draft, in: tasks, context: context)
            }
            let service = world.masked(world.projects, store.rule(allowing: ["{Level}<5"]))
            let table = try await service.table(id: tasks, context: context)
            #expect(table.fields.map(\.name) == ["Title", "Owner", "Mail", "Team", "Project", "Plain"])
            let link = try #require(table.field("Project")).id
            let records = try await service.list(RecordQuery(), in: tasks, context: context).records
            #expect(records.map { $0.cells[link] } == [.links([world.open]), nil, nil])
            for (formula, ids) in [
                ("{Project}='Open'", [world.mine]), ("{Project}='Secret'", []), ("FIND('Secret', {Project}&'')", []),
                ("{Project}=''", [world.theirs, world.nobodys]),
            ] {
                let listed = try await service.list(RecordQuery(filter: formula), in: tasks, context: context)
                #expect(listed.records.map(\.id) == ids, "\(formula)")
            }
            for formula in ["{Levels}=9", "{Projects}>1", "{Named}='x'"] {
                await expectFailure(.invalidFilter) {
                    try await service.list(RecordQuery(filter: formula), in: tasks, context: context)
                }
            }
            #expect(try await service.recordCount(in: projects, context: context) == 1)
        }
    }

    @Test(
        "AUTHZ-04: history, undo and comments tell nothing of a record that is kept back",
        arguments: DatabaseKind.allCases
    )
    func history(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await World(store)
            let (context, tasks) = (store.context, world.tasks.id)
            let service = world.masked(world.tasks, store.rule(allowing: ["{Team}='Sales'"]))
            _ = try await store.service.createComment("hush", on: world.theirs, in: tasks, context: context)
            _ = try await store.service.createComment("aloud", on: world.mine, in: tasks, context: context)
            // It was somebody else's for a while.
            for team in ["Ops", "Sales"] {
                _ = try await store.service.update(
                    [RecordUpdate(id: world.mine, fields: ["Team": .string(team), "Title": .string("At \(team)")])],
                    in: tasks,
                    context: context
                )
            }
            let own = try await service.history(of: world.mine, in: tasks, context: context).entries
            #expect(own.map(\.kind) == [.created])
            let all = try await service.history(in: world.tasks.base, context: context).entries
            #expect(all.contains { $0.record == world.mine } && !all.contains { $0.record == world.theirs })
            await expectFailure(.notFound) {
                try await service.history(of: world.theirs, in: tasks, context: context)
            }
            await expectFailure(.notFound) {
                try await service.comments(on: world.theirs, in: tasks, context: context)
            }
            await expectFailure(.notFound) {
                try await service.createComment("x", on: world.theirs, in: tasks, context: context)
            }
            let counts = try await service.commentCounts(of: [world.mine, world.theirs], in: tasks, context: context)
            #expect(counts == [world.mine: 1])
            let last = try #require(try await store.allChanges().last { $0.event.after?.id == world.mine })
            await expectFailure(.notFound) { try await service.undo(transaction: last.transaction, context: context) }
            try await store.service.delete([world.theirs], in: tasks, context: context)
            await expectFailure(.notFound) {
                try await service.history(of: world.theirs, in: tasks, context: context)
            }
        }
    }
}
