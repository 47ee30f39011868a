import Access
import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Being told of changes", .timeLimit(.minutes(5)))
struct WatchingTests {
    // MARK: Kinds of changes

    @Test("a record's change is told by its address, as it was written", arguments: DatabaseKind.allCases)
    func records(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let (library, books) = (world.library.id, world.books)
            let moby = ResourceAddress.record(world.moby, of: books).uri
            let byName = ResourceAddress.record(world.moby, table: "BOOKS", library).uri
            let escaped = "airTABLE://\(library)/%42ooks/\(world.moby)"
            let walden = ResourceAddress.record(world.walden, of: books).uri
            var ear = try await Ear(world, .owner, uris: [moby, byName, escaped, walden])
            let all: Set<OfferChange> = [.resource(uri: moby), .resource(uri: byName), .resource(uri: escaped)]
            #expect(try await ear.heard() == [])

            try await world.set(["Shelf": "Whales"], of: world.moby)
            #expect(try await ear.heard() == all)
            // The same again is no change; nor is another record of the table.
            try await world.set(["Shelf": "Whales"], of: world.moby)
            try await world.set(["Shelf": "Lives"], of: world.memoir)
            #expect(try await ear.heard() == [])
            // What it links to is called otherwise now.
            try await world.set(["Name": "H. Melville"], of: world.melville, in: world.authors)
            #expect(try await ear.heard() == all)
            // Gone, and there again.
            try await world.airtable.delete([world.walden], in: books.id, context: world.owner)
            let deletion = try await world.airtable.changes.latestSequence(tenant: world.owner.tenant)
            #expect(try await ear.heard() == [.resource(uri: walden)])
            _ = try await world.airtable.undo(transaction: deletion, context: world.owner)
            #expect(try await ear.heard() == [.resource(uri: walden)])
            // Under another name the one address leads nowhere, and to a record again.
            _ = try await world.airtable.updateTable(books.id, TableUpdate(name: "Works"), context: world.owner)
            #expect(try await ear.heard() == all.union([.resource(uri: walden)]))
            _ = try await world.airtable.updateTable(books.id, TableUpdate(name: "Books"), context: world.owner)
            #expect(try await ear.heard() == all.union([.resource(uri: walden)]))
            try await world.airtable.deleteTable(books.id, context: world.owner)
            #expect(try await ear.heard() == all.union([.resource(uri: walden)]))
        }
    }

    @Test("a view is told of when its first page reads otherwise", arguments: DatabaseKind.allCases)
    func views(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let (grid, cheap) = (
                ResourceAddress.view(world.grid, of: world.books).uri,
                ResourceAddress.view("cheap", table: "books", world.library.id, offset: nil).uri
            )
            var ear = try await Ear(world, .owner, uris: [grid, cheap])
            try await world.set(["Price": 9], of: world.walden)
            #expect(try await ear.heard() == [.resource(uri: grid), .resource(uri: cheap)])
            try await world.set(["Shelf": "Whales"], of: world.moby)
            #expect(try await ear.heard() == [.resource(uri: grid)])
            try await world.set(["Price": 5], of: world.moby)
            #expect(try await ear.heard() == [.resource(uri: grid), .resource(uri: cheap)])
            try await world.airtable.delete([world.memoir], in: world.books.id, context: world.owner)
            #expect(try await ear.heard() == [.resource(uri: grid)])
            _ = try await world.airtable.create(
                [RecordDraft(fields: ["Title": "Emma", "Price": 1])],
                in: world.books.id,
                context: world.owner
            )
            #expect(try await ear.heard() == [.resource(uri: grid), .resource(uri: cheap)])
            let update = ViewUpdate(filter: "{Price}<2")
            _ = try await world.airtable.updateView(world.cheap, update, in: world.books.id, context: world.owner)
            #expect(try await ear.heard() == [.resource(uri: cheap)])
            try await world.set(["Name": "Somebody"], of: world.melville, in: world.authors)
            #expect(try await ear.heard() == [])
            try await world.airtable.deleteView(world.cheap, in: world.books.id, context: world.owner)
            #expect(try await ear.heard() == [.resource(uri: cheap)])
        }
    }

    @Test(
        "schemas are told of, and the list when something in it comes, goes or is renamed",
        arguments: DatabaseKind.allCases
    )
    func schemas(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let (airtable, owner, library) = (world.airtable, world.owner, world.library.id)
            let base = ResourceAddress.base(library).uri
            let books = ResourceAddress.table(world.books).uri
            let authors = ResourceAddress.table(world.authors).uri
            let vault = ResourceAddress.base(world.vault.id).uri
            var ear = try await Ear(world, .owner, uris: [base, books, authors, vault], lists: true)
            func told(_ uris: String...) -> Set<OfferChange> { Set(uris.map { .resource(uri: $0) }) }
            #expect(try await ear.heard() == [])

            let field = try await airtable.createField(
                FieldDraft(name: "Year", type: .number),
                in: world.books.id,
                context: owner
            )
            #expect(try await ear.heard() == told(base, books))
            _ = try await airtable.updateField(
                field.id,
                FieldUpdate(description: "Of print"),
                in: world.books.id,
                context: owner
            )
            #expect(try await ear.heard() == told(books))
            try await airtable.deleteField(field.id, in: world.books.id, context: owner)
            #expect(try await ear.heard() == told(base, books))
            let view = try await airtable.createView(ViewDraft(name: "Mine"), in: world.books.id, context: owner)
            #expect(try await ear.heard() == told(books).union([.resources]))
            try await airtable.deleteView(view.id, in: world.books.id, context: owner)
            #expect(try await ear.heard() == told(books).union([.resources]))
            _ = try await airtable.updateTable(world.authors.id, TableUpdate(name: "People"), context: owner)
            #expect(try await ear.heard() == told(base, authors, books).union([.resources]))
            _ = try await airtable.renameBase(library, to: "Shelves", context: owner)
            #expect(try await ear.heard() == told(base, authors, books).union([.resources]))
            let table = try await airtable.createTable(
                TableDraft(name: "New", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                in: world.vault.id,
                context: owner
            )
            #expect(try await ear.heard() == told(vault).union([.resources]))
            _ = try await airtable.create([RecordDraft(fields: ["Name": "x"])], in: table.id, context: owner)
            #expect(try await ear.heard() == [])
            try await airtable.deleteTable(table.id, context: owner)
            #expect(try await ear.heard() == told(vault).union([.resources]))
            try await airtable.deleteBase(world.vault.id, context: owner)
            #expect(try await ear.heard() == told(vault).union([.resources]))
            let made = try await airtable.createBase(
                name: "Another",
                tables: [TableDraft(name: "T", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
                context: owner
            )
            #expect(try await ear.heard() == [.resources])
            #expect(made.tables.count == 1)
        }
    }

    @Test("nothing is told that was not asked for", arguments: DatabaseKind.allCases)
    func interest(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            var ear = try await Ear(world, .owner, uris: [])
            try await world.set(["Shelf": "Whales"], of: world.moby)
            _ = try await world.airtable.createTable(
                TableDraft(name: "New", fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                in: world.library.id,
                context: world.owner
            )
            _ = try await world.grant(try world.user(.stranger), .allow, [.recordsRead], .base(world.library.id))
            #expect(try await ear.heard() == [])
        }
    }

    // MARK: Rights

    /// What each person hears of the same changes.
    @Test("nobody is told of what they may not see", arguments: DatabaseKind.allCases)
    func hidden(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let (library, books) = (world.library.id, world.books)
            let moby = ResourceAddress.record(world.moby, of: books).uri
            let memoir = ResourceAddress.record(world.memoir, of: books).uri
            let melville = ResourceAddress.record(world.melville, of: world.authors).uri
            let grid = ResourceAddress.view(world.grid, of: books).uri
            let cheap = ResourceAddress.view(world.cheap, of: books).uri
            let schema = ResourceAddress.table(books).uri
            let base = ResourceAddress.base(library).uri
            let vault = ResourceAddress.base(world.vault.id).uri
            let all: Set<String> = [moby, memoir, melville, grid, cheap, schema, base, vault]
            func told(_ uris: [String], _ list: Bool = false) -> Set<OfferChange> {
                Set(uris.map { .resource(uri: $0) } + (list ? [.resources] : []))
            }
            let newTable: @Sendable (String, BaseID) async throws -> Void = { name, base in
                _ = try await world.airtable.createTable(
                    TableDraft(name: name, fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                    in: base,
                    context: world.owner
                )
            }
            let price = try #require(books.field("Price")).id
            typealias Step = @Sendable () async throws -> Void
            let steps: [(what: String, step: Step, heard: [OffersFixture.Person: Set<OfferChange>])] = [
                (
                    "a hidden cell", { try await world.set(["Price": 77_124], of: world.moby) },
                    [.owner: told([moby, grid]), .viewer: told([moby, grid]), .guest: told([moby, grid])]
                ),
                (
                    "a hidden record", { try await world.set(["Title": "Memoirs"], of: world.memoir) },
                    [.owner: told([memoir, grid]), .editor: told([memoir, grid]), .guest: told([memoir, grid])]
                ),
                (
                    "a record of a hidden table",
                    { try await world.set(["Name": "M."], of: world.melville, in: world.authors) },
                    // Its name stands in the book that links to it.
                    [
                        .owner: told([melville, moby]), .editor: told([melville, moby]),
                        .viewer: told([melville, moby]),
                    ]
                ),
                (
                    "a hidden field",
                    {
                        _ = try await world.airtable.updateField(
                            price,
                            FieldUpdate(description: "In pence"),
                            in: books.id,
                            context: world.owner
                        )
                    }, [.owner: told([schema]), .viewer: told([schema]), .guest: told([schema])]
                ),
                (
                    "a table", { try await newTable("Zzz", library) },
                    [
                        .owner: told([base], true), .editor: told([base], true), .viewer: told([base], true),
                    ]
                ),
                (
                    "a table of a hidden base", { try await newTable("Silver", world.vault.id) },
                    [
                        .owner: told([vault], true)
                    ]
                ),
                (
                    "a view that filters by a hidden field",
                    {
                        _ = try await world.airtable.updateView(
                            world.cheap,
                            ViewUpdate(name: "Cheaper"),
                            in: books.id,
                            context: world.owner
                        )
                    },
                    [
                        .owner: told([cheap, schema], true), .viewer: told([cheap, schema], true),
                        .guest: told([cheap, schema], true),
                    ]
                ),
            ]
            var ears: [OffersFixture.Person: Ear] = [:]
            for person in world.everyone where person != .stranger {
                ears[person] = try await Ear(world, person, uris: all, lists: true)
            }
            for step in steps {
                try await step.step()
                for person in world.everyone where person != .stranger {
                    let heard = try await ears[person]?.heard()
                    #expect(heard == step.heard[person] ?? [], "\(person): \(step.what)")
                }
            }
        }
    }

    @Test("a record that moves out of sight is told of once, as one that is deleted", arguments: DatabaseKind.allCases)
    func outOfSight(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let walden = ResourceAddress.record(world.walden, of: world.books).uri
            var ear = try await Ear(world, .viewer, uris: [walden])
            try await world.set(["Shelf": "Private"], of: world.walden)
            #expect(try await ear.heard() == [.resource(uri: walden)])
            try await world.set(["Title": "Secret"], of: world.walden)
            try await world.set(["Price": 3], of: world.walden)
            #expect(try await ear.heard() == [])
            try await world.set(["Shelf": "Essays"], of: world.walden)
            #expect(try await ear.heard() == [.resource(uri: walden)])
            try await world.set(["Shelf": "Private"], of: world.walden)
            #expect(try await ear.heard() == [.resource(uri: walden)])
            // That it goes altogether is nothing that could be seen.
            try await world.airtable.delete([world.walden], in: world.books.id, context: world.owner)
            #expect(try await ear.heard() == [])
        }
    }

    @Test("who gets or loses a right is told what is other for them, and nobody else", arguments: DatabaseKind.allCases)
    func rightsChange(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let walden = ResourceAddress.record(world.walden, of: world.books).uri
            let schema = ResourceAddress.table(world.books).uri
            let title = try #require(world.books.field("Title")).id
            var viewer = try await Ear(world, .viewer, uris: [walden, schema], lists: true)
            var guest = try await Ear(world, .guest, uris: [walden, schema], lists: true)
            let denial = try await world.grant(
                try world.user(.viewer),
                .deny,
                [.recordsRead],
                .field(title, world.books.id, world.library.id)
            )
            #expect(try await viewer.heard() == [.resource(uri: walden), .resource(uri: schema)])
            #expect(try await guest.heard() == [])
            _ = try await world.access.deleteGrant(denial, context: world.owner)
            #expect(try await viewer.heard() == [.resource(uri: walden), .resource(uri: schema)])
            // Another table for the guest: their list is another, and so is what links lead to.
            let more = try await world.grant(
                try world.user(.guest),
                .allow,
                [.basesRead, .schemaRead, .recordsRead],
                .table(world.authors.id, world.library.id)
            )
            #expect(try await guest.heard() == [.resources, .resource(uri: schema)])
            #expect(try await viewer.heard() == [])
            _ = try await world.access.deleteGrant(more, context: world.owner)
            #expect(try await guest.heard() == [.resources, .resource(uri: schema)])
        }
    }

    @Test(
        "who may do more or less than before is told of tools, prompts and resources",
        arguments: DatabaseKind.allCases
    )
    func roles(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let editor = try #require(world.users[.editor])
            var ear = try await Ear(world, .editor, uris: [], lists: true)
            var other = try await Ear(world, .viewer, uris: [], lists: true)
            let reading: Set<Permission> = [.recordsRead]
            let denial = try await world.grant(.user(editor), .deny, reading, .tenant)
            // The bell is out of hearing now, and comes back with the right.
            for expected in [OfferChange.tools, .prompts, .resources] { #expect(await ear.next() == expected) }
            #expect(await ear.next() == .resource(uri: ear.bell))
            _ = try await world.access.deleteGrant(denial, context: world.owner)
            for expected in [OfferChange.tools, .prompts, .resources] { #expect(await ear.next() == expected) }
            #expect(await ear.next() == .resource(uri: ear.bell))
            // A role that may do the same with what is listed changes nothing that is told.
            _ = try await world.access.changeUser(editor, UserChange(role: .commenter), context: world.owner)
            #expect(try await ear.heard() == [])
            #expect(try await other.heard() == [])
        }
    }

    @Test("who has no access any more hears the end", arguments: DatabaseKind.allCases)
    func end(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let editor = try #require(world.users[.editor])
            var ear = try await Ear(world, .editor, uris: [], lists: true)
            _ = try await world.access.changeUser(editor, UserChange(isDisabled: true), context: world.owner)
            #expect(await ear.next() == nil)
            #expect(await ear.next() == nil)
            #expect(world.offers.watcher.hub.counts.mailboxes == 0)
        }
    }
}
