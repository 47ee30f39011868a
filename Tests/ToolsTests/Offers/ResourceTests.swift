import Access
import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Resources")
struct ResourceTests {
    typealias Person = OffersFixture.Person

    // MARK: Listing

    @Test("each person is listed what they may see, and no records", arguments: DatabaseKind.allCases)
    func listing(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let library = ResourceAddress.base(world.library.id).uri
            let authors = [
                ResourceAddress.table(world.authors).uri,
                ResourceAddress.view(TableView(firstOf: world.authors.id).id, of: world.authors).uri,
            ]
            let books = [ResourceAddress.table(world.books).uri, ResourceAddress.view(world.grid, of: world.books).uri]
            let cheap = [ResourceAddress.view(world.cheap, of: world.books).uri]
            let bells = [
                ResourceAddress.table(world.bells).uri,
                ResourceAddress.view(TableView(firstOf: world.bells.id).id, of: world.bells).uri,
            ]
            let vault = [
                ResourceAddress.base(world.vault.id).uri, ResourceAddress.table(world.gold).uri,
                ResourceAddress.view(TableView(firstOf: world.gold.id).id, of: world.gold).uri,
            ]
            let expected: [Person: [String]] = [
                .owner: [library] + authors + books + cheap + bells + vault,
                .editor: [library] + authors + books + bells, .viewer: [library] + authors + books + cheap + bells,
                .guest: [library] + books + cheap + bells, .stranger: [],
            ]
            for person in world.everyone {
                let links = try await world.offers.resources.resources(context: try await world.context(person))
                #expect(links.map(\.uri) == expected[person], "\(person)")
                for link in links {
                    #expect(ResourceAddress(link.uri)?.uri == link.uri)
                    #expect(link.mediaType == "application/json" && link.title != nil && link.description != nil)
                }
            }
            let names = try await world.offers.resources.resources(context: world.owner).map(\.name)
            #expect(
                names.prefix(6) == [
                    "Library", "Library/Authors", "Library/Authors/Grid view", "Library/Books",
                    "Library/Books/Grid view",
                    "Library/Books/Cheap",
                ]
            )
        }
    }

    @Test("templates are offered to whom their reading is open")
    func templates() async throws {
        try await withOffers(.sqlite) { world in
            let all = [
                "airtable://{baseId}/schema", "airtable://{baseId}/{table}/schema",
                "airtable://{baseId}/{table}/{recordId}", "airtable://{baseId}/{table}/views/{view}",
            ]
            for person in world.everyone {
                let found = try await world.offers.resources.templates(context: try await world.context(person))
                #expect(found.map(\.uriTemplate) == (person == .stranger ? [] : all), "\(person)")
            }
            let key = try await key(world, scopes: [.schemaRead])
            #expect(try await world.offers.resources.templates(context: key).map(\.uriTemplate) == Array(all.prefix(2)))
            // Whose views can't be read aren't listed either.
            let links = try await world.offers.resources.resources(context: key)
            #expect(links.count == 6 && links.allSatisfy { $0.uri.hasSuffix("/schema") })
        }
    }

    private func key(_ world: OffersFixture, scopes: Set<Permission>) async throws -> RequestContext {
        let issued = try await world.access.createKey(APIKeyDraft(name: "key", scopes: scopes), context: world.owner)
        return try await world.access.authenticate(
            bearer: issued.text,
            timeout: .seconds(60),
            requestID: "key",
            logger: world.owner.logger
        )
    }

    // MARK: Reading

    private func read(_ uri: String, _ world: OffersFixture, _ context: RequestContext) async throws -> JSONValue {
        let contents = try await world.offers.resources.read(uri, caller: SilentCaller(), context: context)
        try #require(contents.count == 1)
        #expect(contents[0].uri == uri && contents[0].mediaType == "application/json")
        guard case .text(let text) = contents[0].content else { throw TestSupportError("no text") }
        return try JSONValue(parsing: text)
    }

    @Test(
        "a schema is what the tools tell of it, without what changes with each record",
        arguments: DatabaseKind.allCases
    )
    func schemas(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let base = try await read(ResourceAddress.base(world.library.id).uri, world, world.owner)
            #expect(base.text.contains(world.library.id.description) && base.text.contains("\"Library\""))
            #expect(base["tables"]?.arrayValue?.map { $0["name"] } == ["Authors", "Books", "Bells"])
            #expect(base["tables"]?[1]?["fields"] == ["Title", "Author", "Shelf", "Price"])
            for name in [world.books.id.description, "Books", " books"] {
                let table = try await read(ResourceAddress.table(name, world.library.id).uri, world, world.owner)
                #expect(table.text.contains("\"\(world.books.id)\""))
                #expect(table["fields"]?.arrayValue?.map { $0["name"] } == ["Title", "Author", "Shelf", "Price"])
                #expect(table["views"]?.arrayValue?.map { $0["name"] } == ["Grid view", "Cheap"])
            }
            let before = try await read(ResourceAddress.table(world.books).uri, world, world.owner)
            _ = try await world.airtable.create(
                [RecordDraft(fields: ["Title": "Emma"])],
                in: world.books.id,
                context: world.owner
            )
            #expect(try await read(ResourceAddress.table(world.books).uri, world, world.owner) == before)
            #expect(try await read(ResourceAddress.base(world.library.id).uri, world, world.owner) == base)
        }
    }

    @Test("a record is what get_record answers, whatever its table is called by", arguments: DatabaseKind.allCases)
    func records(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            for name in [world.books.id.description, "Books", "BOOKS"] {
                let uri = ResourceAddress.record(world.moby, table: name, world.library.id).uri
                let record = try await read(uri, world, world.owner)
                #expect(record["record"]?["fields"]?["Title"] == "Moby Dick")
                #expect(record["record"]?["fields"]?["Price"] == 77_123)
                #expect(record["linkedNames"]?[world.melville.description] == "Herman Melville")
            }
        }
    }

    @Test("a view gives its records in its order, page by page", arguments: DatabaseKind.allCases)
    func views(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let drafts = (0..<120).map {
                RecordDraft(fields: ["Title": .string("T\($0)"), "Price": .number(JSONNumber($0 % 10))])
            }
            for start in stride(from: 0, to: 120, by: 10) {
                _ = try await world.airtable.create(
                    Array(drafts[start..<(start + 10)]),
                    in: world.books.id,
                    context: world.owner
                )
            }
            let sorted = try await world.airtable.createView(
                ViewDraft(
                    name: "100% / sorted",
                    filter: "{Price}<5",
                    sort: [RecordQuery.SortKey(field: "Title", isDescending: true)],
                    visibleFields: ["Title"]
                ),
                in: world.books.id,
                context: world.owner
            )
            let addresses: [ResourceAddress] = [
                .view(sorted.id, of: world.books),
                .view("100% / SORTED", table: "books", world.library.id, offset: nil),
                .view(world.grid, of: world.books),
            ]
            for (number, address) in addresses.enumerated() {
                var titles: [String] = []
                var next: String? = address.uri
                var pages = 0
                while let uri = next {
                    let page = try await read(uri, world, world.owner)
                    let records = try #require(page["records"]?.arrayValue)
                    #expect(records.count <= Limits.resourceViewRecords)
                    titles += records.compactMap { $0["fields"]?["Title"]?.stringValue }
                    if number < 2 { #expect(records.allSatisfy { $0["fields"]?.objectValue?.count == 1 }) }
                    next = page["next"]?.stringValue
                    pages += 1
                }
                if number < 2 {
                    let wanted = (0..<120).filter { $0 % 10 < 5 }.map { "T\($0)" }.sorted(by: >)
                    #expect(titles == wanted && pages == 2)
                } else {
                    #expect(titles.count == 123 && pages == 3 && titles.first == "Moby Dick")
                }
            }
        }
    }

    @Test("a page of large records is cut where it is too long, and goes on there")
    func largeRecords() async throws {
        try await withOffers(.sqlite) { world in
            let long = String(repeating: "x", count: 60_000)
            _ = try await world.airtable.create(
                (0..<9).map { RecordDraft(fields: ["Title": .string("L\($0)"), "Shelf": .string(long)]) },
                in: world.books.id,
                context: world.owner
            )
            var next: String? = ResourceAddress.view(world.grid, of: world.books).uri
            var counts: [Int] = []
            while let uri = next {
                let page = try await read(uri, world, world.owner)
                let records = try #require(page["records"]?.arrayValue)
                #expect(JSONValue.array(records).encoded().count <= Limits.resourceViewBytes + 100)
                counts.append(records.count)
                next = page["next"]?.stringValue
            }
            #expect(counts.reduce(0, +) == 12 && counts.count == 3, "\(counts)")
        }
    }

    @Test("what hides in names and cells is shown, and the JSON stays JSON")
    func hiddenText() async throws {
        try await withOffers(.sqlite) { world in
            try await world.set(["Title": "Moby\u{202E} Dick\u{200B}"], of: world.moby)
            let record = try await read(ResourceAddress.record(world.moby, of: world.books).uri, world, world.owner)
            #expect(record["record"]?["fields"]?["Title"] == "Moby\\u{202E} Dick\\u{200B}")
            _ = try await world.airtable.updateTable(
                world.bells.id,
                TableUpdate(name: "Be\u{2066}lls"),
                context: world.owner
            )
            let links = try await world.offers.resources.resources(context: world.owner)
            #expect(links.contains { $0.name == "Library/Be\\u{2066}lls" })
        }
    }

    // MARK: Rights

    /// What each person finds at each address.
    private static func seen(_ world: OffersFixture) -> [(uri: String, people: Set<Person>)] {
        let (library, books) = (world.library.id, world.books)
        return [
            (ResourceAddress.base(library).uri, [.owner, .editor, .viewer, .guest]),
            (ResourceAddress.base(world.vault.id).uri, [.owner]),
            (ResourceAddress.table(world.authors).uri, [.owner, .editor, .viewer]),
            (ResourceAddress.table("Authors", library).uri, [.owner, .editor, .viewer]),
            (ResourceAddress.table(books).uri, [.owner, .editor, .viewer, .guest]),
            (ResourceAddress.table(world.gold).uri, [.owner]),
            (ResourceAddress.record(world.moby, of: books).uri, [.owner, .editor, .viewer, .guest]),
            (ResourceAddress.record(world.memoir, of: books).uri, [.owner, .editor, .guest]),
            (ResourceAddress.record(world.melville, of: world.authors).uri, [.owner, .editor, .viewer]),
            (ResourceAddress.record(world.melville, of: books).uri, []),
            (ResourceAddress.record(.random(), of: books).uri, []),
            (ResourceAddress.view(world.grid, of: books).uri, [.owner, .editor, .viewer, .guest]),
            (ResourceAddress.view(world.cheap, of: books).uri, [.owner, .viewer, .guest]),
            (ResourceAddress.view("cheap", table: "books", library, offset: nil).uri, [.owner, .viewer, .guest]),
            (ResourceAddress.view("Nothing", table: "Books", library, offset: nil).uri, []),
            (ResourceAddress.view(world.grid, of: books, offset: "nonsense").uri, []),
            (ResourceAddress.table("Nothing", library).uri, []), (ResourceAddress.base(.random()).uri, []),
            ("airtable://\(library)/Books", []), ("airtable://Library/schema", []), ("test://static-text", []),
            ("", []),
        ]
    }

    @Test(
        "missing, hidden and malformed addresses answer alike, to read and to watch",
        arguments: DatabaseKind.allCases
    )
    func rights(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let resources = world.offers.resources
            for person in world.everyone where person != .stranger {
                let context = try await world.context(person)
                for (uri, people) in Self.seen(world) {
                    if people.contains(person) {
                        _ = try await read(uri, world, context)
                        try await resources.checkWatchable(uri, context: context)
                        continue
                    }
                    let missing = ResourceError.notFound(uri)
                    let error = await #expect(throws: ResourceError.self, "\(person) \(uri)") {
                        try await resources.read(uri, caller: SilentCaller(), context: context)
                    }
                    #expect(error?.message == missing.message && error?.hint == missing.hint && error == missing)
                    // An offset is no part of what is watched.
                    if uri.contains("?offset") { continue }
                    await #expect(throws: missing, "\(person) \(uri)") {
                        try await resources.checkWatchable(uri, context: context)
                    }
                }
            }
            // To whom nothing is open, each address says what they lack when it is read, and can't be watched; what is no
            // address is none for them too.
            let stranger = try await world.context(.stranger)
            for (uri, _) in Self.seen(world) {
                await #expect(throws: ResourceError.notFound(uri)) {
                    try await resources.checkWatchable(uri, context: stranger)
                }
                let error = await #expect(throws: (any Error).self) {
                    try await resources.read(uri, caller: SilentCaller(), context: stranger)
                }
                let wanted: FailureKind = ResourceAddress(uri) == nil ? .notFound : .forbidden
                #expect((error as? any Failure)?.kind == wanted, "\(uri)")
            }
        }
    }

    @Test("what is hidden is in no content", arguments: DatabaseKind.allCases)
    func contents(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let editor = try await world.context(.editor)
            for uri in Self.seen(world).filter({ $0.people.contains(.editor) }).map(\.uri) {
                let text = try await read(uri, world, editor).text
                #expect(
                    !text.contains("Price") && !text.contains("Cheap") && !text.contains("77123"),
                    "\(uri): \(text)"
                )
            }
            let viewer = try await world.context(.viewer)
            for uri in Self.seen(world).filter({ $0.people.contains(.viewer) }).map(\.uri) {
                let text = try await read(uri, world, viewer).text
                #expect(!text.contains("Memoir") && !text.contains(world.memoir.description), "\(uri): \(text)")
            }
            let guest = try await world.context(.guest)
            for uri in Self.seen(world).filter({ $0.people.contains(.guest) }).map(\.uri) {
                let text = try await read(uri, world, guest).text
                #expect(
                    !text.contains("Author") && !text.contains("Melville") && !text.contains("Vault"),
                    "\(uri): \(text)"
                )
            }
        }
    }

    @Test("a base whose name is another's identifier is not found at that address")
    func namedLikeAnIdentifier() async throws {
        try await withOffers(.sqlite) { world in
            let id = BaseID.random()
            _ = try await world.airtable.createBase(
                name: id.description,
                tables: [TableDraft(name: "Books", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                context: world.owner
            )
            let addresses: [ResourceAddress] = [
                .base(id), .table("Books", id), .view("Grid view", table: "Books", id, offset: nil),
            ]
            for address in addresses {
                await #expect(throws: ResourceError.notFound(address.uri)) {
                    try await world.offers.resources.read(address.uri, caller: SilentCaller(), context: world.owner)
                }
            }
        }
    }
}
