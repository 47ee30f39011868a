import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Bases, tables and fields")
struct SchemaTests {
    static let people = TableDraft(
        name: "People",
        description: "Who they are",
        fields: [
            FieldDraft(name: "Name", type: .singleLineText), .link("Team", to: "Teams"),
            FieldDraft(name: "Level", type: .singleSelect, choices: ["Low", "High"]),
        ]
    )
    static let teams = TableDraft(
        name: "Teams",
        fields: [FieldDraft(name: "Budget", type: .currency), FieldDraft(name: "Title", type: .singleLineText)],
        primaryField: "Title"
    )

    @Test("a workspace is there for its tenant only, and nothing is none", arguments: DatabaseKind.allCases)
    func workspaces(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let base = try await store.service.createBase(name: "B", tables: [], context: store.context).base
            #expect(try await store.service.hasWorkspace(base.workspace, context: store.context))
            #expect(try await !store.service.hasWorkspace(.random(), context: store.context))
            #expect(try await !store.service.hasWorkspace(nil, context: store.context))
        }
    }

    @Test("a base is made with its tables, and links get another side", arguments: DatabaseKind.allCases)
    func create(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let made = try await store.service.createBase(
                name: " Company ",
                tables: [Self.people, Self.teams],
                context: store.context
            )
            #expect(made.base.name == "Company")
            #expect(made.tables.map(\.name) == ["People", "Teams"])
            let read = try await store.service.tables(in: made.base.id, context: store.context)
            #expect(read == made.tables)
            #expect(try await store.service.bases(context: store.context) == [made.base])
            let (people, teams) = (made.tables[0], made.tables[1])
            let team = try #require(people.field("Team"))
            let inverse = try #require(teams.field("People"))
            #expect(team.options.linkedTable == teams.id)
            #expect(team.options.inverseLinkField == inverse.id)
            #expect(inverse.options.linkedTable == people.id)
            #expect(inverse.options.inverseLinkField == team.id)
            #expect(people.primaryField == people.fields[0].id)
            #expect(teams.primaryField == teams.field("Title")?.id)
            #expect(people.description == "Who they are")
            #expect(people.field("Level")?.options.choices?.map(\.name) == ["Low", "High"])
            #expect(people.field("Level")?.options.choices?.map(\.color) == ["blueLight2", "cyanLight2"])
            #expect(teams.field("Budget")?.options.symbol == "$")
            #expect(Set(people.fields.map(\.ordinal)).count == people.fields.count)
            try await store.expectSound()
        }
    }

    @Test("bases and tables are found by identifier, and by name whatever its case", arguments: DatabaseKind.allCases)
    func lookUp(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let made = try await service.createBase(name: "Größe", tables: [Self.teams], context: context)
            for name in [made.base.id.description, "Größe", " größe "] {
                #expect(try await service.base(name, context: context).id == made.base.id)
            }
            for name in [made.tables[0].id.description, "teams", "TEAMS"] {
                #expect(try await service.table(name, in: made.base.id, context: context) == made.tables[0])
            }
            #expect(try await service.table(id: made.tables[0].id, context: context) == made.tables[0])
            let base = await expectFailure(.modelNotFound) { try await service.base("Grösse", context: context) }
            #expect(base?.hint == "did you mean \"Größe\"?")
            let table = await expectFailure(.modelNotFound) {
                try await service.table("Team", in: made.base.id, context: context)
            }
            #expect(table?.hint == "did you mean \"Teams\"?")
            await expectFailure(.modelNotFound) { try await service.table(id: .random(), context: context) }
            await expectFailure(.modelNotFound) { try await service.tables(in: .random(), context: context) }
        }
    }

    @Test("two links between the same tables, a link to itself, and a pair drafted on both sides")
    func linkShapes() async throws {
        try await withStore(.sqlite) { store in
            let made = try await store.service.createBase(
                name: "Links",
                tables: [
                    TableDraft(
                        name: "A",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), .link("One", to: "B"),
                            .link("Two", to: "b"),
                            .link("Self", to: "A"), .link("Both", to: "B", inverse: "Back"),
                        ]
                    ),
                    TableDraft(
                        name: "B",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText), .link("Back", to: "A", inverse: "Both"),
                        ]
                    ),
                ],
                context: store.context
            )
            let (a, b) = (made.tables[0], made.tables[1])
            #expect(a.fields.map(\.name) == ["Name", "One", "Two", "Self", "Both", "From Self"])
            #expect(b.fields.map(\.name) == ["Name", "Back", "A", "A 2"])
            #expect(a.field("Both")?.options.inverseLinkField == b.field("Back")?.id)
            #expect(b.field("Back")?.options.inverseLinkField == a.field("Both")?.id)
            #expect(a.field("Self")?.options.inverseLinkField == a.field("From Self")?.id)
            try await store.expectSound()
        }
    }

    @Test("tables and fields are added later", arguments: DatabaseKind.allCases)
    func extend(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let first = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let record = try await store.create(first, ["Name": "x"])[0]
            let second = try await service.createTable(
                TableDraft(
                    name: "More",
                    fields: [FieldDraft(name: "N", type: .number), .link("Thing", to: first.name)]
                ),
                in: first.base,
                context: context
            )
            let rating = try await service.createField(
                FieldDraft(name: "Stars", type: .rating),
                in: first.id,
                context: context
            )
            #expect(rating.options.max == 5)
            let tables = try await service.tables(in: first.base, context: context)
            #expect(tables.map(\.name) == ["Things", "More"])
            #expect(tables[0].fields.map(\.name) == ["Name", "More", "Stars"])
            #expect(tables[1] == second)
            _ = try await service.update(
                [RecordUpdate(id: record.id, fields: ["Stars": 4])],
                in: first.id,
                context: context
            )
            #expect(try await store.fields(record.id, first) == ["Name": "x", "Stars": 4])
            let kinds = try await store.allChanges().map(\.event)
            #expect(kinds.filter { $0 == .schemaChanged }.count == 4)
            try await store.expectSound()
        }
    }

    @Test("a deleted table takes its records and the links to it with it", arguments: DatabaseKind.allCases)
    func deleteTable(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let made = try await service.createBase(
                name: "Company",
                tables: [Self.people, Self.teams],
                context: context
            )
            let (people, teams) = (made.tables[0], made.tables[1])
            let team = try await store.create(teams, ["Title": "T"])[0]
            let anna = try await store.create(people, ["Name": "Anna", "Team": [.string(team.id.description)]])[0]
            try await service.deleteTable(teams.id, context: context)
            await expectFailure(.modelNotFound) { try await service.table(id: teams.id, context: context) }
            await expectFailure(.modelNotFound) { try await service.record(team.id, in: teams.id, context: context) }
            #expect(try await service.table(id: people.id, context: context).fields.map(\.name) == ["Name", "Level"])
            #expect(try await store.fields(anna.id, people) == ["Name": "Anna"])
            let rows = try await store.database.read(of: .everyTenant) { try $0.rows("SELECT id FROM records") }
            #expect(rows.count == 1)
            // A field's ordinal is never used again: the old cell must not show up in a new field.
            let friend = try await service.createField(.link("Friend", to: "People"), in: people.id, context: context)
            #expect(try await store.fields(anna.id, people) == ["Name": "Anna"])
            let read = try await service.table(id: people.id, context: context)
            let inverse = try #require(read.fields.last)
            let last = try await store.allChanges().suffix(4)
            #expect(last.map(\.event) == [.tableDeleted, .schemaChanged, .schemaChanged, .schemaChanged])
            #expect(
                last.map(\.schemaChange) == [
                    nil, .fieldDeleted(people.fields[1]), .fieldCreated(friend), .fieldCreated(inverse),
                ]
            )
            try await store.expectSound()
        }
    }

    @Test("a deleted base leaves nothing, and its name is free again", arguments: DatabaseKind.allCases)
    func deleteBase(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, context) = (store.service, store.context)
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            for _ in 0..<3 {
                let drafts = (0..<1_000).map { RecordDraft(fields: ["Name": .string("\($0)")]) }
                _ = try await service.create(drafts, in: table.id, context: context)
            }
            try await service.deleteBase(table.base, context: context)
            #expect(try await service.bases(context: context).isEmpty)
            for name in ["bases", "tables", "fields", "records", "table_counters"] {
                let row = try await store.database.read(of: .everyTenant) {
                    try $0.firstRow("SELECT COUNT(*) FROM \(name)")
                }
                #expect(try row?.integer(0) == 0, "\(name)")
            }
            await expectFailure(.modelNotFound) { try await service.deleteBase(table.base, context: context) }
            _ = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            try await store.expectSound()
        }
    }

    @Test("what an interrupted clearing left is cleared by the next", arguments: DatabaseKind.allCases)
    func clearDeleted(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            _ = try await store.create(table, ["Name": "x"], ["Name": "y"])
            let tenant = store.context.tenant
            try await store.database.write(of: .everyTenant) { transaction in
                try SchemaStore().deleteBase(table.base, tenant: tenant, in: transaction)
                try SchemaStore().raiseVersion(tenant: tenant, in: transaction)
            }
            #expect(try await store.service.bases(context: store.context).isEmpty)
            try await store.expectSound()
            try await store.service.clearDeleted(tenant: tenant, until: .now)
            let waiting = try await store.database.read(of: .everyTenant) { try $0.rows("SELECT id FROM records") }
            #expect(waiting.count == 2)
            try await store.service.clearDeleted(context: store.context)
            let left = try await store.database.read(of: .everyTenant) { try $0.rows("SELECT id FROM records") }
            #expect(left.isEmpty)
        }
    }

    struct Refusal: Sendable, CustomStringConvertible {
        let description: String
        let code: AirtableError.Code
        let tables: [TableDraft]

        init(_ description: String, _ code: AirtableError.Code, _ tables: [TableDraft]) {
            self.description = description
            self.code = code
            self.tables = tables
        }

        init(_ description: String, _ code: AirtableError.Code, _ field: FieldDraft) {
            let name = FieldDraft(name: "Name", type: .singleLineText)
            self.init(description, code, [TableDraft(name: "T", fields: [name, field])])
        }
    }

    static let name = FieldDraft(name: "Name", type: .singleLineText)

    static func options(_ type: FieldType, _ change: (inout FieldOptions) -> Void) -> FieldDraft {
        var options = FieldOptions()
        change(&options)
        return FieldDraft(name: "F", type: type, options: options)
    }

    static let refusals: [Refusal] = [
        Refusal("no fields", .invalidRequest, [TableDraft(name: "T", fields: [])]),
        Refusal("no table name", .duplicateTableName, [TableDraft(name: " ", fields: [name])]),
        Refusal(
            "one table name twice",
            .duplicateTableName,
            [TableDraft(name: "T", fields: [name]), TableDraft(name: "t ", fields: [name])]
        ),
        Refusal("one field name twice", .duplicateOrEmptyFieldName, FieldDraft(name: "name", type: .number)),
        Refusal("no field name", .duplicateOrEmptyFieldName, FieldDraft(name: "", type: .number)),
        Refusal(
            "a long field name",
            .duplicateOrEmptyFieldName,
            FieldDraft(name: String(repeating: "x", count: 256), type: .number)
        ),
        Refusal("a link to nowhere", .invalidFieldOptions, .link("L", to: "Nowhere")),
        Refusal("a link without a table", .invalidFieldOptions, FieldDraft(name: "L", type: .multipleRecordLinks)),
        Refusal(
            "a link as primary field",
            .invalidFieldOptions,
            [TableDraft(name: "T", fields: [.link("L", to: "T")])]
        ),
        Refusal(
            "an unknown primary field",
            .invalidRequest,
            [TableDraft(name: "T", fields: [name], primaryField: "Nme")]
        ),
        Refusal("a precision of 9", .invalidFieldOptions, options(.number) { $0.precision = 9 }),
        Refusal("a currency's precision of 8", .invalidFieldOptions, options(.currency) { $0.precision = 8 }),
        Refusal("a rating to 11", .invalidFieldOptions, options(.rating) { $0.max = 11 }),
        Refusal("an unknown date format", .invalidFieldOptions, options(.date) { $0.dateFormat = "dutch" }),
        Refusal(
            "a choice twice",
            .invalidFieldOptions,
            FieldDraft(name: "F", type: .singleSelect, choices: ["a", "a"])
        ),
        Refusal("an empty choice", .invalidFieldOptions, FieldDraft(name: "F", type: .singleSelect, choices: [""])),
        Refusal(
            "too many fields",
            .tooLarge,
            [TableDraft(name: "T", fields: (0...500).map { FieldDraft(name: "\($0)", type: .number) })]
        ),
    ]

    @Test("schemas that make no sense are refused, and leave nothing", arguments: refusals)
    func refuses(_ refusal: Refusal) async throws {
        try await withStore(.sqlite) { store in
            await expectFailure(refusal.code) {
                try await store.service.createBase(name: "Base", tables: refusal.tables, context: store.context)
            }
            let bases = try await store.service.bases(context: store.context)
            #expect(bases.isEmpty)
        }
    }

    @Test("a base of the same name is refused, and so is an empty name", arguments: DatabaseKind.allCases)
    func duplicateBase(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            _ = try await store.service.createBase(name: "Base", tables: [], context: store.context)
            await expectFailure(.duplicateBaseName) {
                try await store.service.createBase(name: "bAsE ", tables: [], context: store.context)
            }
            await expectFailure(.invalidRequest) {
                try await store.service.createBase(name: "", tables: [], context: store.context)
            }
            await expectFailure(.modelNotFound) {
                try await store.service.createBase(
                    name: "Other",
                    tables: [],
                    workspace: .random(),
                    context: store.context
                )
            }
            let scope = VisibleScope(tenant: store.context.tenant)
            let known = try await store.service.workspaceID(nil, scope: scope, context: store.context)
            #expect(try await store.service.workspaceID(known, scope: scope, context: store.context) == known)
        }
    }

    @Test("another process sees a changed schema at once", arguments: DatabaseKind.allCases)
    func otherProcess(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let other = store.otherProcess()
            let table = try await store.table([Self.name])
            #expect(try await other.table(id: table.id, context: store.context) == table)
            let field = try await store.service.createField(
                FieldDraft(name: "New", type: .number),
                in: table.id,
                context: store.context
            )
            // The other one's schema is old now: writing must not notice it.
            let records = try await other.create(
                [RecordDraft(fields: ["New": 5])],
                in: table.id,
                context: store.context
            )
            #expect(records[0].cells == [field.id: .number(5)])
            #expect(try await store.service.record(records[0].id, in: table.id, context: store.context) == records[0])
        }
    }
}
