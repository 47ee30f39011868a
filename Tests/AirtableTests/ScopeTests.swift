import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Who may see what")
struct ScopeTests {
    static let name = FieldDraft(name: "Name", type: .singleLineText)

    @Test("AUTHZ-10: two tenants with the same names never meet", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let (service, mine) = (store.service, store.context)
            let theirs = try await store.otherTenant()
            let drafts = [TableDraft(name: "Things", fields: [Self.name])]
            let (ours, others) = (
                try await service.createBase(name: "Base", tables: drafts, context: mine),
                try await service.createBase(name: "Base", tables: drafts, context: theirs)
            )
            let table = ours.tables[0]
            let record = try await store.create(table, ["Name": "secret"])[0]
            let other = try await service.create(
                [RecordDraft(fields: ["Name": "other"])],
                in: others.tables[0].id,
                context: theirs
            )[0]
            #expect(try await service.bases(context: theirs) == [others.base])
            #expect(try await service.base("Base", context: theirs).id == others.base.id)
            #expect(try await service.base("Base", context: mine).id == ours.base.id)
            await expectFailure(.modelNotFound) { try await service.base(ours.base.id.description, context: theirs) }
            await expectFailure(.modelNotFound) { try await service.tables(in: ours.base.id, context: theirs) }
            await expectFailure(.modelNotFound) { try await service.table(id: table.id, context: theirs) }
            await expectFailure(.modelNotFound) { try await service.recordCount(in: table.id, context: theirs) }
            await expectFailure(.modelNotFound) {
                try await service.records(in: table.id, page: RecordPageRequest(), context: theirs)
            }
            await expectFailure(.modelNotFound) { try await service.record(record.id, in: table.id, context: theirs) }
            await expectFailure(.notFound) {
                try await service.record(record.id, in: others.tables[0].id, context: theirs)
            }
            await expectFailure(.modelNotFound) {
                try await service.primaryValues(of: [record.id], in: table.id, context: theirs)
            }
            await expectFailure(.modelNotFound) {
                try await service.create([RecordDraft(fields: [:])], in: table.id, context: theirs)
            }
            await expectFailure(.modelNotFound) {
                try await service.update([RecordUpdate(id: record.id, fields: [:])], in: table.id, context: theirs)
            }
            await expectFailure(.modelNotFound) {
                try await service.upsert([], mergeOn: ["Name"], in: table.id, context: theirs)
            }
            await expectFailure(.modelNotFound) { try await service.delete([record.id], in: table.id, context: theirs) }
            await expectFailure(.rowDoesNotExist) {
                try await service.delete([record.id], in: others.tables[0].id, context: theirs)
            }
            await expectFailure(.modelNotFound) {
                try await service.createField(Self.name, in: table.id, context: theirs)
            }
            await expectFailure(.modelNotFound) {
                try await service.createTable(drafts[0], in: ours.base.id, context: theirs)
            }
            await expectFailure(.modelNotFound) { try await service.deleteTable(table.id, context: theirs) }
            await expectFailure(.modelNotFound) { try await service.deleteBase(ours.base.id, context: theirs) }
            let changes = try await store.allChanges(theirs.tenant)
            #expect(changes.map(\.event) == [.schemaChanged, .created(other)])
            #expect(changes.map(\.sequence) == [1, 2])
            #expect(try await store.allChanges().map(\.event) == [.schemaChanged, .created(record)])
            try await store.expectSound()
            #expect(try await service.verify(context: theirs).isSound)
            // Deleting all of one tenant leaves the other alone.
            try await service.deleteBase(others.base.id, context: theirs)
            #expect(try await service.record(record.id, in: table.id, context: mine) == record)
            _ = try await service.changes.trim(
                to: ChangeRetention(bytes: 0),
                now: store.clock.instant,
                tenant: theirs.tenant
            )
            #expect(try await store.allChanges().count == 2)
        }
    }

    @Test("reads for a service ask for the permission it names, and for no other", arguments: Permission.allCases)
    func gated(_ permission: Permission) async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([Self.name])
            let record = try await store.create(table, ["Name": "x"])[0]
            let reads = store.service.reads(by: permission)
            let calls: [@Sendable (RequestContext) async throws -> Void] = [
                { _ = try await reads.bases(context: $0) }, { _ = try await reads.base("Base", context: $0) },
                { _ = try await reads.tables(in: table.base, context: $0) },
                { _ = try await reads.table("Things", in: table.base, context: $0) },
                { _ = try await reads.table(id: table.id, context: $0) },
                { _ = try await reads.recordCount(in: table.id, context: $0) },
                { _ = try await reads.records(in: table.id, page: RecordPageRequest(), context: $0) },
                { _ = try await reads.records([record.id], in: table.id, context: $0) },
                { _ = try await reads.record(record.id, in: table.id, context: $0) },
                { _ = try await reads.primaryValues(of: [record.id], in: table.id, context: $0) },
            ]
            let without = store.context(with: Set(Permission.allCases).subtracting([permission]))
            let other = try await store.otherTenant()
            for call in calls {
                try await call(store.context(with: [permission]))
                await #expect(throws: AccessError.self) { try await call(without) }
            }
            for call in calls.dropFirst() {
                await expectFailure(.modelNotFound) { try await call(other) }
            }
        }
    }

    @Test("AUTHZ-01: every call needs its permission", arguments: Permission.allCases)
    func permissions(_ missing: Permission) async throws {
        try await withStore(.sqlite) { store in
            let service = store.service
            let table = try await store.table([Self.name])
            let record = try await store.create(table, ["Name": "x"])[0]
            let context = store.context(with: Set(Permission.allCases).subtracting([missing]))
            func expect(_ needed: Permission, _ call: () async throws -> Void) async {
                do {
                    try await call()
                    #expect(needed != missing, "a call went through without \(needed.rawValue)")
                } catch let error as AccessError {
                    #expect(error.code == .forbidden)
                    #expect(needed == missing, "a call without need of \(missing.rawValue) was refused")
                } catch {
                    Issue.record("\(error)")
                }
            }
            await expect(.basesRead) { _ = try await service.bases(context: context) }
            await expect(.basesRead) { _ = try await service.base("Base", context: context) }
            await expect(.schemaRead) { _ = try await service.tables(in: table.base, context: context) }
            await expect(.schemaRead) { _ = try await service.table("Things", in: table.base, context: context) }
            await expect(.schemaRead) { _ = try await service.table(id: table.id, context: context) }
            await expect(.recordsRead) { _ = try await service.recordCount(in: table.id, context: context) }
            await expect(.recordsRead) {
                _ = try await service.records(in: table.id, page: RecordPageRequest(), context: context)
            }
            await expect(.recordsRead) { _ = try await service.record(record.id, in: table.id, context: context) }
            await expect(.recordsRead) {
                _ = try await service.primaryValues(of: [record.id], in: table.id, context: context)
            }
            await expect(.recordsWrite) {
                _ = try await service.create([RecordDraft(fields: [:])], in: table.id, context: context)
            }
            await expect(.recordsWrite) {
                _ = try await service.update([RecordUpdate(id: record.id, fields: [:])], in: table.id, context: context)
            }
            await expect(.recordsWrite) {
                _ = try await service.upsert([], mergeOn: ["Name"], in: table.id, context: context)
            }
            await expect(.recordsDelete) { try await service.delete([record.id], in: table.id, context: context) }
            await expect(.schemaWrite) {
                _ = try await service.createField(FieldDraft(name: "F", type: .url), in: table.id, context: context)
            }
            await expect(.schemaWrite) {
                let draft = TableDraft(name: "T", fields: [Self.name])
                _ = try await service.createTable(draft, in: table.base, context: context)
            }
            await expect(.admin) { _ = try await service.verify(context: context) }
            await expect(.schemaWrite) { try await service.clearDeleted(context: context) }
            await expect(.schemaWrite) { try await service.deleteTable(table.id, context: context) }
            await expect(.schemaWrite) { try await service.deleteBase(table.base, context: context) }
        }
    }

    @Test("KEY-02: a key for some bases sees those only, and makes none", arguments: DatabaseKind.allCases)
    func baseKeys(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let service = store.service
            let (open, closed) = (
                try await store.table([Self.name], base: "Open"), try await store.table([Self.name], base: "Closed")
            )
            let key = try await store.access.createKey(
                APIKeyDraft(name: "limited", scopes: Set(Permission.allCases), bases: [open.base]),
                context: store.context
            )
            let context = try await store.access.authenticate(
                bearer: key.secret.revealed,
                timeout: .seconds(60),
                requestID: "r",
                logger: store.context.logger
            )
            #expect(try await service.bases(context: context).map(\.name) == ["Open"])
            #expect(try await service.tables(in: open.base, context: context) == [open])
            let error = await expectFailure(.modelNotFound) { try await service.base("Closed", context: context) }
            #expect(error?.hint?.contains("Closed") == false)
            await expectFailure(.modelNotFound) { try await service.table(id: closed.id, context: context) }
            await expectFailure(.modelNotFound) {
                try await service.create([RecordDraft(fields: [:])], in: closed.id, context: context)
            }
            await #expect(throws: AccessError.self) {
                try await service.createBase(name: "Mine", tables: [], context: context)
            }
            await #expect(throws: AccessError.self) {
                try await service.imports.begin(
                    .newBase(name: "Mine", workspace: nil),
                    tables: [],
                    owner: "x",
                    context: context
                )
            }
        }
    }

    @Test("hidden fields cannot be read, named or cleared", arguments: DatabaseKind.allCases)
    func hiddenFields(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let table = try await store.table([Self.name, FieldDraft(name: "Secret", type: .singleLineText)])
            let record = try await store.create(table, ["Name": "x", "Secret": "y"])[0]
            let secret = table.fields[1].id
            let scope = VisibleScope(tenant: store.context.tenant, hidden: [table.id: [secret]])
            #expect(scope.visible(table).fields.map(\.name) == ["Name"])
            let schema = try await store.service.read(store.context) { _, schema in schema }
            let model = try #require(schema.table(table.id))
            let writable = WritableFields(model: model, hidden: [secret])
            // What is hidden and what is not there are refused in the same words.
            for name in ["Secre", "Secret", secret.description] {
                let error = await expectFailure(.invalidPermissions) {
                    try writable.inputs([name: "z"], typecast: false)
                }
                let missing = AirtableError.notWritable(name)
                #expect(error?.message == missing.message && error?.hint == missing.hint)
                await expectFailure(.invalidPermissions) { try writable.mergeFields([name]) }
            }
            #expect(try writable.inputs([:], replacing: true, typecast: false).map(\.field.name) == ["Name"])
            let row = StoredRow(position: 1, id: record.id, created: record.createdTime, cells: #"{"1":"x","2":"y"}"#)
            #expect(try row.record(model, hiding: [secret]).cells == [table.primaryField: .text("x")])
        }
    }
}
