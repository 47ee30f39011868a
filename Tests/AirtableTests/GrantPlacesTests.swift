import Access
import Airtable
import Database
import Domain
import TestSupport
import Testing

@Suite("What grants are about")
struct GrantPlacesTests {
    @Test("a base's workspace is known to Access from its making to its end", arguments: DatabaseKind.allCases)
    func placements(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { fixture in
            let (store, tenant) = (AccessStore(database: fixture.database), fixture.context.tenant)
            let made = try await fixture.service.createBase(name: "Placed", tables: [], context: fixture.context)
            var policy = try await store.policy(tenant: tenant)
            #expect(policy.placements.workspaces[made.base.id] == made.base.workspace)
            let version = policy.version
            try await fixture.service.deleteBase(made.base.id, context: fixture.context)
            policy = try await store.policy(tenant: tenant)
            #expect(policy.placements.workspaces[made.base.id] == nil)
            #expect(policy.version > version)
        }
    }

    @Test(
        "bases of before are placed by the migration, and those that are gone are not",
        arguments: DatabaseKind.allCases
    )
    func migration(_ kind: DatabaseKind) async throws {
        let placing = "airtable/0030-placements"
        let earlier = storeMigrations.filter { $0.id != placing }
        #expect(earlier.count == storeMigrations.count - 1)
        try await withDatabase(kind, migrations: earlier) { database in
            let tenant = TenantID.random()
            let (base, gone, workspace) = (BaseID.random(), BaseID.random(), WorkspaceID.random())
            try await database.write(of: .everyTenant) { transaction in
                for (id, state) in [(base, "ready"), (gone, "deleted")] {
                    try transaction.execute(
                        """
                        INSERT INTO bases (tenant, id, workspace, name, name_key, created, state, digest)
                        VALUES ($1, $2, $3, 'x', $2, 0, $4, 0)
                        """,
                        [
                            .text(tenant.description), .text(id.description), .text(workspace.description),
                            .text(state),
                        ]
                    )
                }
            }
            try await Migrator.migrate(database, storeMigrations)
            let policy = try await AccessStore(database: database).policy(tenant: tenant)
            #expect(policy.placements.workspaces == [base: workspace])
        }
    }

    @Test(
        "a grant's place must be there as its parts say, and its condition a formula of its table",
        arguments: DatabaseKind.allCases
    )
    func check(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { fixture in
            let (service, context) = (fixture.service, fixture.context)
            let schema = try await service.createBase(
                name: "Checked",
                tables: [TableDraft(name: "Deals", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                context: context
            )
            let (base, table) = (schema.base.id, schema.tables[0].id)
            let field = schema.tables[0].fields[0].id
            let other = try await service.createBase(name: "Other", tables: [], context: context).base.id
            let record = try await service.create([RecordDraft(fields: ["Name": "One"])], in: table, context: context)[
                0
            ].id
            let view = try await service.createView(ViewDraft(name: "Mine"), in: table, context: context).id
            let there: [Resource] = [
                .tenant, .base(base), .table(table, base), .field(field, table, base), .record(record, table, base),
                .view(view, table, base),
            ]
            for place in there { try await service.check(place, condition: nil, context: context) }
            let absent: [Resource] = [
                .base(.random()), .table(.random(), base), .table(table, other), .field(.random(), table, base),
                .field(field, table, other), .record(.random(), table, base), .view(.random(), table, base),
            ]
            for place in absent {
                do {
                    try await service.check(place, condition: nil, context: context)
                    Issue.record("\(place) is there")
                } catch let error as AirtableError {
                    #expect(error.kind == .notFound, "\(place): \(error)")
                }
            }
            let place = Resource.table(table, base)
            for formula in ["{Name}='One'", "{Name}=CURRENT_USER_EMAIL()", "FIND('a', CURRENT_GROUPS())"] {
                try await service.check(place, condition: formula, context: context)
            }
            for formula in ["{Nme}='One'", "AND(", "FIND('a', CURRENT_THINGS())"] {
                do {
                    try await service.check(place, condition: formula, context: context)
                    Issue.record("\(formula) compiles")
                } catch let error as AirtableError {
                    #expect(error == AirtableError.invalidFilter(""), "\(formula)")
                }
            }
        }
    }

    @Test("grants go with their table and base", arguments: DatabaseKind.allCases)
    func deletion(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { fixture in
            let (service, context) = (fixture.service, fixture.context)
            let schema = try await service.createBase(
                name: "Doomed",
                tables: ["One", "Two"].map {
                    TableDraft(name: $0, fields: [FieldDraft(name: "Name", type: .singleLineText)])
                },
                context: context
            )
            for place: Resource in [.base(schema.base.id)] + schema.tables.map({ .table($0.id, schema.base.id) }) {
                let draft = GrantDraft(subject: .everybody, bundle: .role(.viewer), resource: place)
                _ = try await fixture.access.createGrant(draft, checking: service, context: context)
            }
            try await service.deleteTable(schema.tables[0].id, context: context)
            let left = try await fixture.access.grants(limit: 9, context: context).map(\.resource)
            #expect(Set(left) == [.base(schema.base.id), .table(schema.tables[1].id, schema.base.id)])
            try await service.deleteBase(schema.base.id, context: context)
            #expect(try await fixture.access.grants(limit: 9, context: context).isEmpty)
        }
    }
}
