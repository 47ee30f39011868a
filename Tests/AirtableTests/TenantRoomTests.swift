import Access
import Airtable
import Database
import Domain
import TestSupport
import Testing

@Suite("Room of a tenant")
struct TenantRoomTests {
    @Test("ends where an operator says: bases, records, bytes of attachments", arguments: DatabaseKind.allCases)
    func limits(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (store, context) = (fixture.store, fixture.store.context)
            let (service, full) = (store.service, AccessError(.limitReached, ""))
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)], base: "Second")
            let records = try await service.create(Self.drafts(3), in: table.id, context: context)
            let operating = try await store.access.ownerContext(
                origin: .commandLine,
                timeout: .seconds(60),
                logger: context.logger
            )
            func limit(_ limits: TenantLimits) async throws {
                try await store.access.changeTenant(context.tenant, limits: limits, context: operating)
            }
            let bases = try await service.bases(context: context).count
            try await limit(TenantLimits(bases: bases, records: 4, attachmentBytes: 10))

            let makers: [@Sendable () async throws -> Void] = [
                { _ = try await service.createBase(name: "More", tables: [], context: context) },
                {
                    _ = try await StagingTests.begin(
                        store,
                        .newBase(name: "More", workspace: nil),
                        [StagingTests.drafts[1]]
                    )
                },
                { _ = try await service.create(Self.drafts(2), in: table.id, context: context) },
            ]
            for make in makers { await #expect(throws: full) { try await make() } }
            #expect(try await service.bases(context: context).count == bases)
            #expect(try await service.recordCount(in: table.id, context: context) == 3)

            // One more fits, by whatever way, and then room is made by removing.
            let session = try await StagingTests.begin(store, .appending(table.base, tables: [table.id]), [])
            let rows = StagingTests.rows(2, table)
            await #expect(throws: full) {
                try await service.imports.insertRows(rows, into: table.id, of: session, context: context)
            }
            try await service.imports.insertRows(Array(rows.prefix(1)), into: table.id, of: session, context: context)
            // The waiting row is not counted twice, as it would be by a write.
            #expect(try await service.imports.write(session, context: context) != nil)
            #expect(try await service.recordCount(in: table.id, context: context) == 4)
            await #expect(throws: full) { try await service.create(Self.drafts(1), in: table.id, context: context) }
            _ = try await service.delete([records[0].id], in: table.id, context: context)
            _ = try await service.create(Self.drafts(1), in: table.id, context: context)

            _ = try await fixture.add([1, 2, 3, 4, 5, 6, 7, 8], "a.bin")
            await #expect(throws: full) { try await fixture.add([1, 2, 3], "b.bin") }
            _ = try await fixture.add([1, 2], "c.bin")

            // Other tenants have their own, and without a limit there is none.
            let other = try await store.otherTenant()
            _ = try await service.createBase(name: "More", tables: [], context: other)
            try await limit(TenantLimits())
            for make in [makers[0], makers[2]] { try await make() }
            _ = try await fixture.add([1, 2, 3], "b.bin")
        }
    }

    private static func drafts(_ count: Int) -> [RecordDraft] {
        (0..<count).map { RecordDraft(fields: ["Name": .string("\($0)")]) }
    }
}
