import Airtable
import Domain
import TestSupport
import Testing

@testable import Search

@Suite("Searching for files")
struct AttachmentSearchTests {
    @Test("a record is found by the names of its files, until they are taken out", arguments: DatabaseKind.allCases)
    func names(_ kind: DatabaseKind) async throws {
        try await withSearch(kind) { world in
            let schema = try await world.base(
                "Office",
                [
                    TableDraft(
                        name: "Letters",
                        fields: [
                            FieldDraft(name: "Name", type: .singleLineText),
                            FieldDraft(name: "Files", type: .multipleAttachments),
                        ]
                    )
                ]
            )
            let table = try #require(schema.tables.first)
            let airtable = AirtableService(
                database: world.database,
                access: world.access,
                attachments: NamedFiles()
            )
            let files: JSONValue = [["url": "https://example.org/turbine-manual.pdf"]]
            let drafts = [RecordDraft(fields: ["Name": "A", "Files": files]), RecordDraft(fields: ["Name": "B"])]
            let made = try await airtable.create(drafts, in: table.id, context: world.context)
            try await world.index()
            #expect(try await world.byWords("turbine") == [made[0].id])
            let hit = try #require(try await world.hits("turbine manual").first)
            #expect(hit.fields["Files"]?[0]?["filename"] == "turbine-manual.pdf")
            #expect(hit.fields["Files"]?[0]?["url"] == nil, "links are given by who serves the files")
            try await world.update(table, made[0].id, ["Files": nil])
            try await world.index()
            #expect(try await world.byWords("turbine").isEmpty)
            try await world.expectSound()
        }
    }

    /// Stores nothing: each file is called as its address ends.
    private struct NamedFiles: AttachmentSource {
        func attachments(
            _ inputs: Set<AttachmentInput>,
            base: BaseID,
            context: RequestContext
        ) async throws -> [AttachmentInput: Domain.Attachment] {
            var files: [AttachmentInput: Domain.Attachment] = [:]
            for input in inputs {
                guard case .url(let url, _) = input else { continue }
                files[input] = Domain.Attachment(
                    id: .random(),
                    filename: String(url.split(separator: "/").last ?? ""),
                    type: "application/pdf",
                    size: 1,
                    contentHash: String(repeating: "0", count: 64)
                )
            }
            return files
        }
    }
}
