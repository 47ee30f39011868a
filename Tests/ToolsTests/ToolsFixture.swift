import Access
import Airtable
import Database
import Domain
import Embeddings
import Foundation
import Logging
import TestSupport
import Testing

@testable import Search
@testable import Tools

/// The product's tools over a small indexed base, and somebody who may do everything.
struct ToolsFixture: Sendable {
    let tools: ToolRegistry
    /// The same for who sees less.
    let masked: @Sendable (Reach) -> ToolRegistry
    /// Brings the index up to date.
    let index: @Sendable () async throws -> Void
    let database: any SQLDatabase
    let access: AccessService
    let airtable: AirtableService
    let context: RequestContext
    let base: Base
    let books: Table
    let authors: Table
    let moby: RecordID
    let melville: RecordID

    func call(_ name: String, _ arguments: JSONObject = [:]) async throws -> ToolResult {
        try await tools.call(ToolCall(name: name, arguments: arguments), context: context)
    }

    /// The tools that change something.
    static let writing = [
        "create_records", "update_records", "upsert_records", "delete_records", "import_data", "upload_attachment",
        "create_comment", "create_base", "create_table", "update_table", "create_field", "update_field", "revert",
    ]

    var reading: [ToolDefinition] { tools.definitions.filter { !Self.writing.contains($0.name) } }

    /// Somebody of the same tenant who may do only this.
    func context(with permissions: Set<Permission>) -> RequestContext {
        RequestContext(
            id: "limited",
            principal: Principal(user: context.principal.user, key: nil, permissions: permissions),
            tenant: context.tenant,
            deadline: context.deadline,
            origin: .http,
            logger: context.logger
        )
    }
}

extension ToolResult {
    /// What stands between the marks of data.
    var data: String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        guard let first = lines.first, first.hasPrefix("[data "),
            let end = lines.lastIndex(of: "[end of data \(first.dropFirst(6).prefix(6))]")
        else { return "" }
        return lines[1..<end].joined(separator: "\n")
    }

    /// What stands after them.
    var advice: String {
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let end = lines.lastIndex { $0.hasPrefix("[end of data ") }
        return lines.suffix(from: end.map { $0 + 1 } ?? 0).joined(separator: "\n")
    }
}

func withTools(_ body: @escaping @Sendable (ToolsFixture) async throws -> Void) async throws {
    let migrations = AccessStore.migrations + AirtableService.migrations + SearchStore.migrations
    try await withTemporaryDirectory { directory in
        try await withDatabase(.sqlite, migrations: migrations) { database in
            let access = AccessService(database: database)
            _ = try await access.bootstrap()
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let context = try await access.ownerContext(
                origin: .commandLine,
                timeout: .seconds(300),
                logger: logger
            )
            let airtable = AirtableService(database: database, access: access)
            let pool = ComputePool(threads: 1)
            let embedder = HashEmbedder()
            let collections = VectorCollections(
                directory: directory.appendingPathComponent("index").path,
                identity: embedder.identity
            )
            let services = IndexingServices(
                database: database,
                access: access,
                airtable: airtable,
                pipeline: EmbeddingPipeline(embedder: embedder),
                collections: collections,
                pool: pool,
                logger: logger
            )
            let search = SearchService(
                database: database,
                access: access,
                airtable: airtable,
                embedder: embedder,
                collections: collections,
                pool: pool
            )
            let schema = try await airtable.createBase(name: "Library", tables: drafts, context: context)
            let (authors, books) = (schema.tables[0], schema.tables[1])
            let melville = try await airtable.create(
                [RecordDraft(fields: ["Name": "Herman Melville"])],
                in: authors.id,
                context: context
            )[0].id
            let made = try await airtable.create(
                [
                    RecordDraft(fields: [
                        "Title": "Moby Dick", "Summary": "A captain hunts a white whale.\nIt ends badly.",
                        "Author": [.string(melville.description)], "Shelf": "Novels", "Pages": 635,
                    ]),
                    RecordDraft(fields: ["Title": "Walden", "Summary": "Two years by a pond."]),
                    RecordDraft(fields: ["Title": "Emma"]),
                ],
                in: books.id,
                context: context
            )
            let tenant = context.tenant
            try await Indexer(services: services) { [tenant] }.indexAll()
            try await body(
                ToolsFixture(
                    tools: .standard(airtable: airtable, search: search),
                    masked: { sight in
                        var narrow = access
                        narrow.narrowing = { scope, _ in VisibleScope(tenant: scope.tenant, sight: sight) }
                        let airtable = AirtableService(database: database, access: narrow)
                        let search = SearchService(
                            database: database,
                            access: narrow,
                            airtable: airtable,
                            embedder: embedder,
                            collections: collections,
                            pool: pool
                        )
                        return .standard(airtable: airtable, search: search)
                    },
                    index: { [tenant] in try await Indexer(services: services) { [tenant] }.indexAll() },
                    database: database,
                    access: access,
                    airtable: airtable,
                    context: context,
                    base: schema.base,
                    books: try await airtable.table(id: books.id, context: context),
                    authors: authors,
                    moby: made[0].id,
                    melville: melville
                )
            )
        }
    }
}

private let drafts = [
    TableDraft(name: "Authors", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
    TableDraft(
        name: "Books",
        description: "What is on the shelves.",
        fields: [
            FieldDraft(name: "Title", type: .singleLineText), FieldDraft(name: "Summary", type: .multilineText),
            .link("Author", to: "Authors"),
            FieldDraft(name: "Shelf", type: .singleSelect, choices: ["Novels", "Essays"]),
            FieldDraft(name: "Pages", type: .number), FieldDraft(name: "Number", type: .autoNumber),
        ]
    ),
]
