import Access
import Airtable
import Database
import Domain
import TestSupport
import Testing

@Suite("Cells of attachments")
struct AttachmentCellTests {
    private static let fields = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Files", type: .multipleAttachments),
    ]

    /// The same store, with the attachments as the source of its cells.
    private func service(_ fixture: AttachmentFixture) -> AirtableService {
        AirtableService(
            database: fixture.store.database,
            access: fixture.store.access,
            attachments: fixture.service,
            now: fixture.store.clock.now
        )
    }

    private func files(_ record: Record, _ table: Table) -> [Attachment] {
        if case .attachments(let files)? = record.cells[table.fields[1].id] { files } else { [] }
    }

    @Test("are written by address and by identifier, and read with a link", arguments: DatabaseKind.allCases)
    func written(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let server = try RawServer { peer in
                while try peer.request() != nil { try peer.reply(200, "a,b\n", type: "text/csv") }
            }
            let (service, context) = (service(fixture), fixture.store.context)
            let table = try await fixture.store.table(Self.fields)
            let created = try await service.create(
                [RecordDraft(fields: ["Files": [["url": .string(server.url + "/t.csv")]]])],
                in: table.id,
                context: context
            )[0]
            let first = try #require(files(created, table).first)
            #expect(first.filename == "t.csv" && first.size == 4)
            let links = try await fixture.service.links(tenant: context.tenant, origin: "")
            #expect(try await fixture.bytes(links.address(of: first)) == Array("a,b\n".utf8))

            let updated = try await service.update(
                [
                    RecordUpdate(
                        id: created.id,
                        fields: [
                            "Files": [
                                ["url": .string(server.url + "/u"), "filename": "u.csv"],
                                ["id": .string(first.id.description)],
                            ]
                        ]
                    )
                ],
                in: table.id,
                context: context
            )[0]
            #expect(files(updated, table).map(\.filename) == ["u.csv", "t.csv"])
            await expectFailure(.invalidAttachment) {
                try await service.update(
                    [
                        RecordUpdate(
                            id: created.id,
                            fields: ["Files": [["id": .string(AttachmentID.random().description)]]]
                        )
                    ],
                    in: table.id,
                    context: context
                )
            }
            await expectFailure(.attachmentsFailed) {
                try await service.create(
                    [RecordDraft(fields: ["Files": [["url": "http://127.0.0.2:1/x"]]])],
                    in: table.id,
                    context: context
                )
            }
            let count = try await service.recordCount(in: table.id, context: context)
            #expect(count == 1)
        }
    }

    @Test("get uploaded files appended, whichever table has the record", arguments: DatabaseKind.allCases)
    func uploaded(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, context) = (service(fixture), fixture.store.context)
            let table = try await fixture.store.table(Self.fields)
            let record = try await fixture.store.create(table, ["Name": "a"])[0]
            func upload(_ name: String, _ bytes: [UInt8], field: String = "Files") async throws -> Record {
                try await service.uploadAttachment(
                    AttachmentUpload(filename: name, contentType: "text/plain", bytes: bytes),
                    to: record.id,
                    field: field,
                    in: table.base,
                    attachments: fixture.service,
                    context: context
                ).record
            }
            _ = try await upload("1.txt", [0x61])
            let twice = try await upload("2.txt", [0x62], field: table.fields[1].id.description)
            #expect(files(twice, table).map(\.filename) == ["1.txt", "2.txt"])
            await expectFailure(.unknownFieldName) { try await upload("3.txt", [0x63], field: "Fils") }
            await expectFailure(.invalidValueForColumn) { try await upload("3.txt", [0x63], field: "Name") }
            let reader = fixture.store.context(with: [.recordsRead])
            await #expect(throws: AccessError.self) {
                try await service.uploadAttachment(
                    AttachmentUpload(filename: "x", contentType: nil, bytes: []),
                    to: record.id,
                    field: "Files",
                    in: table.base,
                    attachments: fixture.service,
                    context: reader
                )
            }
            let changes = try await fixture.store.allChanges()
            #expect(changes.count { if case .updated = $0.event { true } else { false } } == 2)
            try await fixture.store.expectSound()
        }
    }

    @Test("uploaded by many at once are all there", arguments: DatabaseKind.allCases)
    func concurrent(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, context) = (service(fixture), fixture.store.context)
            let table = try await fixture.store.table(Self.fields)
            let record = try await fixture.store.create(table, ["Name": "a"])[0]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        _ = try await service.uploadAttachment(
                            AttachmentUpload(filename: "\(number)", contentType: nil, bytes: [UInt8(number)]),
                            to: record.id,
                            field: "Files",
                            in: table.base,
                            attachments: fixture.service,
                            context: context
                        )
                    }
                }
                try await group.waitForAll()
            }
            let read = try await service.record(record.id, in: table.id, context: context)
            #expect(Set(files(read, table).map(\.filename)) == Set((0..<10).map { "\($0)" }))
        }
    }

    @Test("keep their files from the sweep, until they are emptied", arguments: DatabaseKind.allCases)
    func swept(_ kind: DatabaseKind) async throws {
        try await withAttachments(kind) { fixture in
            let (service, context) = (service(fixture), fixture.store.context)
            let table = try await fixture.store.table(Self.fields)
            let record = try await fixture.store.create(table, ["Name": "a"])[0]
            _ = try await service.uploadAttachment(
                AttachmentUpload(filename: "x", contentType: nil, bytes: [1]),
                to: record.id,
                field: "Files",
                in: table.base,
                attachments: fixture.service,
                context: context
            )
            func sweep() async throws -> AttachmentSweep {
                try await service.sweepAttachments(of: fixture.service, grace: .seconds(60), tenant: context.tenant)
            }
            #expect(try await sweep().unnamed == 0)
            _ = try await service.update(
                [RecordUpdate(id: record.id, fields: ["Files": nil])],
                in: table.id,
                context: context
            )
            #expect(try await sweep().unnamed == 1)
            fixture.store.clock.advance(seconds: 61)
            let last = try await sweep()
            #expect(last.deleted == 1 && last.filesRemoved == 1)
            #expect(try fixture.files().isEmpty)
        }
    }
}
