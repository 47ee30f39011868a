import Access
import Airtable
import Database
import Domain
import Embeddings
import Foundation
import Jobs
import Logging
import TestSupport
import Testing

@testable import Search

/// A data directory with everything that searching stands on, and somebody who may do everything.
struct SearchFixture: Sendable {
    let database: any SQLDatabase
    let access: AccessService
    let airtable: AirtableService
    let services: IndexingServices
    let indexer: Indexer
    let search: SearchService
    let embedder: any Embedder
    let context: RequestContext
    /// The `index` directory.
    let directory: String

    var tenant: TenantID { context.tenant }

    /// Brings the index up to date, in this process.
    func index() async throws { try await indexer.indexAll() }

    /// Another process with the same data directory: it shares neither caches nor open files.
    func otherProcess(_ change: (inout IndexingServices) -> Void = { _ in }) -> SearchFixture {
        SearchFixture(
            database: database,
            access: access,
            embedder: embedder,
            context: context,
            directory: directory,
            change
        )
    }

    init(
        database: any SQLDatabase,
        access: AccessService,
        embedder: any Embedder,
        context: RequestContext,
        directory: String,
        _ change: (inout IndexingServices) -> Void = { _ in }
    ) {
        self.embedder = embedder
        self.database = database
        self.access = access
        self.context = context
        self.directory = directory
        let airtable = AirtableService(database: database, access: access, pollInterval: .milliseconds(10))
        self.airtable = airtable
        let pool = ComputePool(threads: 2)
        let collections = VectorCollections(directory: directory, identity: embedder.identity)
        var services = IndexingServices(
            database: database,
            access: access,
            airtable: airtable,
            pipeline: EmbeddingPipeline(embedder: embedder),
            collections: collections,
            pool: pool,
            logger: context.logger
        )
        change(&services)
        self.services = services
        let tenant = context.tenant
        indexer = Indexer(services: services, lockInterval: .milliseconds(10)) { [tenant] }
        search = SearchService(
            database: database,
            access: access,
            airtable: airtable,
            embedder: embedder,
            collections: collections,
            pool: pool
        )
    }

    // MARK: Data

    func base(_ name: String, _ tables: [TableDraft]) async throws -> BaseSchema {
        try await airtable.createBase(name: name, tables: tables, context: context)
    }

    /// A table `Notes` of `Name`, `Text` and `Tag`, in a base of its own.
    func notes(base name: String = "Base") async throws -> Table {
        let schema = try await base(
            name,
            [
                TableDraft(
                    name: "Notes",
                    fields: [
                        FieldDraft(name: "Name", type: .singleLineText),
                        FieldDraft(name: "Text", type: .multilineText),
                        FieldDraft(name: "Tag", type: .singleLineText),
                    ]
                )
            ]
        )
        return try #require(schema.tables.first)
    }

    @discardableResult
    func create(_ table: Table, _ fields: JSONObject...) async throws -> [RecordID] {
        try await airtable.create(fields.map { RecordDraft(fields: $0) }, in: table.id, context: context).map(\.id)
    }

    func update(_ table: Table, _ id: RecordID, _ fields: JSONObject) async throws {
        _ = try await airtable.update([RecordUpdate(id: id, fields: fields)], in: table.id, context: context)
    }

    // MARK: Looking

    func hits(_ query: String, limit: Int = 10) async throws -> [SearchHit] {
        try await search.search(SearchRequest(query: query, limit: limit), context: context).hits
    }

    /// The records found by the words of `query`, best first.
    func byWords(_ query: String, limit: Int = 10) async throws -> [RecordID] {
        try await hits(query, limit: limit).filter(\.matched.lexical).map(\.recordID)
    }

    /// Everything in SQL and in the vector index fits together, and is what rendering the records gives.
    func expectSound(
        comparesVectors: Bool = true,
        _ comment: Comment = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let verifier = SearchVerifier(services: services)
        let report = try await verifier.verify(tenant: tenant, comparesVectors: comparesVectors)
        #expect(report.problems.isEmpty, "\(comment) \(report.problems)", sourceLocation: sourceLocation)
        #expect(report.lag == 0, comment, sourceLocation: sourceLocation)
    }
}

func withSearch(
    _ kind: DatabaseKind = .sqlite,
    embedder: any Embedder = HashEmbedder(),
    _ body: @escaping @Sendable (SearchFixture) async throws -> Void
) async throws {
    let migrations =
        AccessStore.migrations + AirtableService.migrations + EmbeddingCache.migrations + SearchStore.migrations
        + JobQueue.migrations
    try await withTemporaryDirectory { directory in
        try await withDatabase(kind, migrations: migrations) { database in
            let access = AccessService(database: database)
            _ = try await access.bootstrap()
            let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
            let context = try await access.ownerContext(
                origin: .commandLine,
                timeout: .seconds(300),
                logger: logger
            )
            try await body(
                SearchFixture(
                    database: database,
                    access: access,
                    embedder: embedder,
                    context: context,
                    directory: directory.appendingPathComponent("index").path
                )
            )
        }
    }
}
