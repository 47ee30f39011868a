import Access
import Airtable
import Database
import Domain
import Logging
import TestSupport
import Testing

@testable import Tools

/// A library and a vault, and people who see less and less of them.
struct OffersFixture: Sendable {
    enum Person: String, CaseIterable, Sendable {
        case owner
        /// From whom a field and a base are kept.
        case editor
        /// From whom a record and a base are kept.
        case viewer
        /// Who was given one table.
        case guest
        /// Who was given nothing.
        case stranger
    }

    let database: any SQLDatabase
    let access: AccessService
    let airtable: AirtableService
    let tools: ToolRegistry
    let offers: Offers
    let owner: RequestContext
    let users: [Person: UserID]
    private let keys: [Person: String]
    let keyIDs: [Person: KeyID]

    let library: Base
    let vault: Base
    let authors: Table
    let books: Table
    let gold: Table
    let grid: ViewID
    /// Filters by the price, which is hidden from the editor.
    let cheap: ViewID
    let moby: RecordID
    let walden: RecordID
    /// Kept from the viewer by a rule.
    let memoir: RecordID
    let melville: RecordID
    /// Seen by all who were given something; see `Ear`.
    let bells: Table

    func context(_ person: Person) async throws -> RequestContext {
        try await access.authenticate(
            bearer: try #require(keys[person]),
            timeout: .seconds(120),
            requestID: person.rawValue,
            logger: logger
        )
    }

    var everyone: [Person] { Person.allCases }

    func uri(_ address: ResourceAddress) -> String { address.uri }

    func grant(
        _ subject: Grant.Subject,
        _ effect: Grant.Effect,
        _ permissions: Set<Permission>,
        _ place: Resource,
        condition: String? = nil
    ) async throws -> GrantID {
        try await access.createGrant(
            GrantDraft(
                subject: subject,
                effect: effect,
                bundle: .permissions(permissions),
                resource: place,
                condition: condition
            ),
            checking: airtable,
            context: owner
        ).value.id
    }

    /// Another one over the same.
    func watcher(_ times: WatchHub.Times, changesMax: Int = Limits.watchedChanges) -> AirtableOfferWatcher {
        AirtableOfferWatcher(
            offers: WatchedOffers(tools: tools, prompts: offers.prompts, resources: offers.resources),
            hub: WatchHub(airtable: airtable, access: access, logger: logger, times: times, changesMax: changesMax)
        )
    }

    func user(_ person: Person) throws -> Grant.Subject { .user(try #require(users[person])) }

    func set(_ fields: JSONObject, of record: RecordID, in table: Table? = nil) async throws {
        _ = try await airtable.update(
            [RecordUpdate(id: record, fields: fields)],
            in: (table ?? books).id,
            context: owner
        )
    }

    fileprivate init(_ database: any SQLDatabase, pollInterval: Duration) async throws {
        self.database = database
        access = AccessService(database: database)
        let bootstrap = try await access.bootstrap()
        owner = try await access.ownerContext(origin: .commandLine, timeout: .seconds(300), logger: logger)
        airtable = AirtableService(database: database, access: access)
        let made = try await Self.records(airtable, owner)
        (library, authors, books, bells) = (made.base, made.tables[0], made.tables[1], made.tables[2])
        (melville, moby, walden, memoir) = (made.records[0], made.records[1], made.records[2], made.records[3])
        let safe = try await airtable.createBase(
            name: "Vault",
            tables: [TableDraft(name: "Gold", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
            context: owner
        )
        (vault, gold) = (safe.base, safe.tables[0])
        grid = try await airtable.views(in: books.id, context: owner)[0].id
        cheap = try await airtable.createView(
            ViewDraft(name: "Cheap", filter: "{Price}<10"),
            in: books.id,
            context: owner
        )
        .id
        let cast = try await Cast(access, owner: owner)
        var (users, keys, keyIDs): ([Person: UserID], [Person: String], [Person: KeyID]) = ([:], [:], [:])
        for (person, member) in [(Person.editor, Cast.Member.editor), (.viewer, .viewer), (.guest, .guest)] {
            (users[person], keys[person], keyIDs[person]) = (
                cast.users[member], cast.keys[member]?.text, cast.keys[member]?.id
            )
        }
        let stranger = try await access.createUser(name: "stranger", role: .guest, context: owner).id
        for (person, user) in [(Person.owner, bootstrap.owner), (.stranger, stranger)] {
            let draft = APIKeyDraft(name: person.rawValue, scopes: Set(Permission.allCases), owner: user)
            let issued = try await access.createKey(draft, context: owner)
            (users[person], keys[person], keyIDs[person]) = (user, issued.text, issued.key.id)
        }
        (self.users, self.keys, self.keyIDs) = (users, keys, keyIDs)
        tools = ToolRegistry([ListBasesTool(airtable: airtable), GetRecordTool(airtable: airtable)])
        offers = .standard(
            airtable: airtable,
            access: access,
            tools: tools,
            logger: logger,
            pollInterval: pollInterval
        )
        let place = Resource.table(books.id, library.id)
        let kept = Cast.Secrets(
            base: .base(vault.id),
            field: .field(try #require(books.field("Price")).id, books.id, library.id),
            records: (place, "{Shelf}='Private'"),
            given: [(place, Cast.reading), (.table(bells.id, library.id), Cast.reading)]
        )
        try await cast.keepBack(kept, access, checking: airtable, owner: owner)
    }

    private static func records(
        _ airtable: AirtableService,
        _ owner: RequestContext
    ) async throws -> (base: Base, tables: [Table], records: [RecordID]) {
        let text = { FieldDraft(name: $0, type: .singleLineText) }
        let made = try await airtable.createBase(
            name: "Library",
            tables: [
                TableDraft(name: "Authors", fields: [text("Name")]),
                TableDraft(
                    name: "Books",
                    fields: [
                        text("Title"), .link("Author", to: "Authors"), text("Shelf"),
                        FieldDraft(name: "Price", type: .number),
                    ]
                ), TableDraft(name: "Bells", fields: [text("Name")]),
            ],
            context: owner
        )
        func create(_ fields: [JSONObject], _ table: Int) async throws -> [RecordID] {
            try await airtable.create(
                fields.map { RecordDraft(fields: $0) },
                in: made.tables[table].id,
                context: owner
            ).map(\.id)
        }
        let melville = try await create([["Name": "Herman Melville"]], 0)
        let books = try await create(
            [
                [
                    "Title": "Moby Dick", "Author": [.string(melville[0].description)], "Shelf": "Novels",
                    "Price": 77_123,
                ], ["Title": "Walden", "Shelf": "Essays", "Price": 8],
                ["Title": "Memoir", "Shelf": "Private", "Price": 99],
            ],
            1
        )
        return (
            made.base, try await airtable.reads(by: .schemaRead).tables(in: made.base.id, context: owner),
            melville + books + (try await create([["Name": "0"]], 2))
        )
    }
}

private let logger = Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })

func withOffers(
    _ kind: DatabaseKind,
    pollInterval: Duration = .milliseconds(20),
    _ body: @escaping @Sendable (OffersFixture) async throws -> Void
) async throws {
    try await withDatabase(kind, migrations: AccessStore.migrations + AirtableService.migrations) { database in
        try await body(try await OffersFixture(database, pollInterval: pollInterval))
    }
}
