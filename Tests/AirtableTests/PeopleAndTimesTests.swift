import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Who made and changed a record, when, and whom it names")
struct PeopleAndTimesTests {
    private static var fields: [FieldDraft] {
        var watched = FieldDraft(name: "Note changed", type: .lastModifiedTime)
        watched.watchedFields = ["Note"]
        var editor = FieldDraft(name: "Note by", type: .lastModifiedBy)
        editor.watchedFields = ["Note"]
        return [
            FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Note", type: .multilineText),
            FieldDraft(name: "Owner", type: .singleCollaborator),
            FieldDraft(name: "Team", type: .multipleCollaborators),
            FieldDraft(name: "Maker", type: .createdBy), FieldDraft(name: "Changed", type: .lastModifiedTime),
            FieldDraft(name: "Changed by", type: .lastModifiedBy), watched, editor,
        ]
    }

    private func withTable(
        _ kind: DatabaseKind,
        _ body: @escaping @Sendable (StoreFixture, Table, User) async throws -> Void
    ) async throws {
        try await withStore(kind) { store in
            let ada = try await store.access.createUser(name: "Ada", email: "Ada@Example.com", context: store.context)
            try await body(store, try await store.table(Self.fields), ada)
        }
    }

    /// The same rights, another person.
    private func context(_ user: User, _ store: StoreFixture) -> RequestContext {
        RequestContext(
            id: "other",
            principal: Principal(user: user.id, key: nil, permissions: store.context.principal.permissions),
            tenant: store.context.tenant,
            deadline: store.context.deadline,
            origin: .http,
            logger: store.context.logger
        )
    }

    @Test("times and people of the last change are kept for each field that watches", arguments: DatabaseKind.allCases)
    func watched(_ kind: DatabaseKind) async throws {
        try await withTable(kind) { store, table, ada in
            let start = CellCodec.timestamp(Instant(milliseconds: store.clock.instant.milliseconds))
            let record = try await store.create(table, ["Name": "x", "Note": "n"])[0]
            let owner: JSONValue = ["id": .string(store.context.principal.user.description), "name": "owner"]
            let made = try await store.fields(record.id, table)
            #expect(made["Maker"] == owner && made["Changed by"] == owner && made["Note by"] == owner)
            #expect(made["Changed"] == .string(start) && made["Note changed"] == .string(start))

            store.clock.advance(seconds: 60)
            let later = CellCodec.timestamp(Instant(milliseconds: store.clock.instant.milliseconds))
            let returned = try await store.service.update(
                [RecordUpdate(id: record.id, fields: ["Name": "y"])],
                in: table.id,
                context: context(ada, store)
            )
            let person: JSONValue = [
                "id": .string(ada.id.description), "email": "ada@example.com", "name": "Ada",
            ]
            let changed = try await store.fields(record.id, table)
            #expect(.object(CellCodec.fields(of: returned[0], table: table)) == changed)
            #expect(changed["Changed"] == .string(later) && changed["Changed by"] == person)
            #expect(changed["Note changed"] == .string(start) && changed["Note by"] == owner)
            #expect(changed["Maker"] == owner)

            store.clock.advance(seconds: 60)
            _ = try await store.service.update(
                [RecordUpdate(id: record.id, fields: ["Note": nil, "Name": "y"])],
                in: table.id,
                context: context(ada, store)
            )
            let last = CellCodec.timestamp(Instant(milliseconds: store.clock.instant.milliseconds))
            let noted = try await store.fields(record.id, table)
            #expect(noted["Note changed"] == .string(last) && noted["Note by"] == person)
            #expect(noted["Changed"] == .string(last))

            // Writing what is there already changes nothing, neither the time nor the log.
            store.clock.advance(seconds: 60)
            let sequence = try await store.allChanges().count
            _ = try await store.service.update(
                [RecordUpdate(id: record.id, fields: ["Name": "y"])],
                in: table.id,
                context: store.context
            )
            #expect(try await store.fields(record.id, table) == noted)
            #expect(try await store.allChanges().count == sequence)
            try await store.expectSound()
        }
    }

    @Test("a field made later knows the time of creation, and who changes the record from then on")
    func later() async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let record = try await store.create(table, ["Name": "x"])[0]
            for type in [FieldType.lastModifiedTime, .createdBy] {
                let draft = FieldDraft(name: type.rawValue, type: type)
                _ = try await store.service.createField(draft, in: table.id, context: store.context)
            }
            let read = try await store.fields(record.id, table)
            #expect(read["lastModifiedTime"]?.stringValue == CellCodec.timestamp(record.createdTime))
            #expect(read["createdBy"] == nil)
            try await store.expectSound()
        }
    }

    @Test(
        "cells name people of the tenant by identifier, e-mail, or when typecasting by name",
        arguments: DatabaseKind.allCases
    )
    func collaborators(_ kind: DatabaseKind) async throws {
        try await withTable(kind) { store, table, ada in
            let id: JSONValue = ["id": .string(ada.id.description)]
            let record = try await store.create(table, ["Owner": id, "Team": [["email": "ADA@example.com"]]])[0]
            let person: JSONValue = ["id": .string(ada.id.description), "email": "ada@example.com", "name": "Ada"]
            let read = try await store.fields(record.id, table)
            #expect(read["Owner"] == person && read["Team"] == [person])
            let cast = try await store.service.create(
                [RecordDraft(fields: ["Owner": "ada", "Team": "Ada, owner"])],
                in: table.id,
                typecast: true,
                context: store.context
            )
            let team = try await store.fields(cast[0].id, table)["Team"]?.arrayValue
            #expect(team?.compactMap { $0["name"]?.stringValue } == ["Ada", "owner"])
            await expectFailure(.invalidValueForColumn) { try await store.create(table, ["Owner": "Ada"]) }
            // A user of another tenant is nobody here.
            let other = try await store.otherTenant()
            let stranger: JSONValue = ["id": .string(other.principal.user.description)]
            await expectFailure(.invalidValueForColumn) { try await store.create(table, ["Owner": stranger]) }
            for name in ["Maker", "Changed", "Changed by"] {
                await expectFailure(.invalidValueForColumn) { try await store.create(table, [name: id]) }
            }
            try await store.expectSound()
        }
    }

    /// Fetches nothing: knows some addresses.
    private struct KnownFiles: AttachmentSource {
        let files: [AttachmentInput: Domain.Attachment]

        func attachments(
            _ inputs: Set<AttachmentInput>,
            base: BaseID,
            context: RequestContext
        ) async throws -> [AttachmentInput: Domain.Attachment] { files.filter { inputs.contains($0.key) } }
    }

    @Test(
        "attachments come from their source, and those a cell has stay by identifier",
        arguments: DatabaseKind.allCases
    )
    func attachments(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let address = "https://a.b/a.png"
            let source = KnownFiles(files: [.url(address, filename: nil): FieldTypeTests.file])
            let service = AirtableService(
                database: store.database,
                access: store.access,
                attachments: source,
                now: store.clock.now
            )
            let table = try await store.table([
                FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Files", type: .multipleAttachments),
            ])
            let context = store.context
            let made = try await service.create(
                [RecordDraft(fields: ["Files": [["url": .string(address)]]])],
                in: table.id,
                context: context
            )
            let files = try #require(table.field("Files")).id
            #expect(made[0].cells[files] == .attachments([FieldTypeTests.file]))
            #expect(try await store.service.record(made[0].id, in: table.id, context: context) == made[0])
            let own: JSONValue = [["id": .string(FieldTypeTests.file.id.description)]]
            let kept = try await service.update(
                [RecordUpdate(id: made[0].id, fields: ["Files": own, "Name": "x"])],
                in: table.id,
                context: context
            )
            #expect(kept[0].cells[files] == .attachments([FieldTypeTests.file]))
            // Another record's attachment, and one that cannot be fetched.
            await expectFailure(.invalidAttachment) {
                try await service.create([RecordDraft(fields: ["Files": own])], in: table.id, context: context)
            }
            await expectFailure(.invalidAttachment) {
                let gone: JSONValue = [["url": "https://a.b/gone"]]
                _ = try await service.create([RecordDraft(fields: ["Files": gone])], in: table.id, context: context)
            }
            let cleared = try await service.update(
                [RecordUpdate(id: made[0].id, fields: ["Files": []])],
                in: table.id,
                context: context
            )
            #expect(cleared[0].cells[files] == nil)
            try await store.expectSound()
        }
    }
}
