import Access
import Airtable
import Domain
import TestSupport
import Testing

@testable import Tools

@Suite("Completion")
struct OfferCompletionTests {
    typealias Person = OffersFixture.Person

    private static let record = "airtable://{baseId}/{table}/{recordId}"
    private static let view = "airtable://{baseId}/{table}/views/{view}"
    private static let schema = "airtable://{baseId}/{table}/schema"

    private func complete(
        _ world: OffersFixture,
        _ template: String,
        _ argument: String,
        _ value: String,
        _ others: [String: String] = [:],
        as person: Person = .owner
    ) async throws -> Completion {
        try await world.offers.resources.complete(
            CompletionQuestion(argument: argument, value: value, others: others),
            template: template,
            context: try await world.context(person)
        )
    }

    @Test("bases are found by name or identifier and given by identifier", arguments: DatabaseKind.allCases)
    func bases(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let (library, vault) = (world.library.id.description, world.vault.id.description)
            for (typed, wanted) in [
                ("", [library, vault]), ("lib", [library]), ("ULT", [vault]), ("a", [library, vault]), ("zz9", []),
                (library, [library]),
            ] {
                for template in [Self.schema, Self.record, Self.view, "airtable://{baseId}/schema"] {
                    let found = try await complete(world, template, "baseId", typed)
                    #expect(found == Completion(values: wanted, total: wanted.count), "\(typed) \(template)")
                }
            }
        }
    }

    @Test("tables and views are given by name, narrowed by what is filled in", arguments: DatabaseKind.allCases)
    func names(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let place = ["baseId": world.library.id.description]
            equal(try await complete(world, Self.schema, "table", "", place).values, ["Authors", "Books", "Bells"])
            equal(try await complete(world, Self.schema, "table", "B", place).values, ["Books", "Bells"])
            equal(try await complete(world, Self.schema, "table", "o", place).values, ["Authors", "Books"])
            equal(try await complete(world, Self.schema, "table", world.books.id.description, place).values, ["Books"])
            // Programs of older revisions don't say what else is filled in.
            equal(try await complete(world, Self.schema, "table", "").values, ["Authors", "Books", "Bells", "Gold"])
            let table = ["baseId": world.library.id.description, "table": "books"]
            equal(try await complete(world, Self.view, "view", "", table).values, ["Grid view", "Cheap"])
            equal(try await complete(world, Self.view, "view", "ch", table).values, ["Cheap"])
            equal(try await complete(world, Self.view, "view", "", place).values, [])
            // What is filled in leads to nothing, and other places than the template's.
            for others in [["baseId": "nothing"], ["baseId": BaseID.random().description]] {
                equal(try await complete(world, Self.schema, "table", "", others).values, [])
            }
            equal(try await complete(world, Self.schema, "view", "", table).values, [])
            equal(try await complete(world, Self.schema, "goal", "", table).values, [])
        }
    }

    @Test("records are found by what they are called and given by identifier", arguments: DatabaseKind.allCases)
    func records(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let table = ["baseId": world.library.id.description, "table": "Books"]
            let (moby, walden, memoir) = (
                world.moby.description, world.walden.description, world.memoir.description
            )
            equal(try await complete(world, Self.record, "recordId", "", table).values, [moby, walden, memoir])
            equal(
                try await complete(world, Self.record, "recordId", "m", table).values.prefix(2).map(\.self),
                [moby, memoir]
            )
            equal(try await complete(world, Self.record, "recordId", "dick", table).values, [moby])
            equal(try await complete(world, Self.record, "recordId", walden, table).values, [walden])
            equal(try await complete(world, Self.record, "recordId", world.melville.description, table).values, [])
        }
    }

    @Test("at most 100 values, and a word on whether there are more")
    func bounds() async throws {
        try await withOffers(.sqlite) { world in
            let table = ["baseId": world.library.id.description, "table": "Bells"]
            for start in stride(from: 0, to: 1_010, by: 10) {
                _ = try await world.airtable.create(
                    (start..<(start + 10)).map { RecordDraft(fields: ["Name": .string("Bell number \($0)")]) },
                    in: world.bells.id,
                    context: world.owner
                )
            }
            let all = try await complete(world, Self.record, "recordId", "", table)
            #expect(all.values.count == 100 && all.total == nil && all.hasMore)
            // Beyond the first thousand nobody looks, and it is said.
            let last = try await complete(world, Self.record, "recordId", "number 1009", table)
            #expect(last.values == [] && last.hasMore)
            let candidates = (0..<250).map { PlaceCompletion.Candidate(value: "\($0)", name: "\($0)", id: "tbl") }
            let many = PlaceCompletion.completion(of: "", among: candidates)
            #expect(many.values.count == 100 && many.total == 250 && many.hasMore)
            let few = PlaceCompletion.completion(of: "24", among: candidates)
            #expect(few.values.first == "24" && few.total == 13 && !few.hasMore && few.values[1] == "240")
        }
    }

    @Test("nobody is offered a name that they may not see", arguments: DatabaseKind.allCases)
    func rights(_ kind: DatabaseKind) async throws {
        try await withOffers(kind) { world in
            let library = world.library.id.description
            let tables: [Person: [String]] = [
                .editor: ["Authors", "Books", "Bells"], .viewer: ["Authors", "Books", "Bells"],
                .guest: ["Books", "Bells"],
            ]
            for (person, names) in tables {
                equal(try await complete(world, Self.schema, "baseId", "", as: person).values, [library])
                for others in [[:], ["baseId": library]] {
                    #expect(try await complete(world, Self.schema, "table", "", others, as: person).values == names)
                }
                let books = ["baseId": library, "table": "Books"]
                let views = try await complete(world, Self.view, "view", "", books, as: person).values
                #expect(views == (person == .editor ? ["Grid view"] : ["Grid view", "Cheap"]))
                let records = try await complete(world, Self.record, "recordId", "memoir", books, as: person).values
                #expect(records == (person == .viewer ? [] : [world.memoir.description]))
                let byID = world.memoir.description
                let known = try await complete(world, Self.record, "recordId", byID, books, as: person).values
                #expect(known == records)
                let hidden = ["baseId": world.vault.id.description, "table": "Gold"]
                for (template, argument) in [(Self.schema, "table"), (Self.view, "view"), (Self.record, "recordId")] {
                    #expect(
                        try await complete(world, template, argument, "", hidden, as: person) == PlaceCompletion.nothing
                    )
                }
            }
            await #expect(throws: ResourceError.unknownTemplate(Self.view)) {
                try await complete(world, Self.view, "view", "", as: .stranger)
            }
            await #expect(throws: ResourceError.unknownTemplate("airtable://{table}")) {
                try await complete(world, "airtable://{table}", "table", "")
            }
        }
    }

    @Test("a completed value, put in by RFC 6570, leads to what was meant")
    func usable() async throws {
        try await withOffers(.sqlite) { world in
            let name = "50% / été \"x\" #1?"
            let table = try await world.airtable.createTable(
                TableDraft(name: name, fields: [FieldDraft(name: "Name", type: .singleLineText)]),
                in: world.library.id,
                context: world.owner
            )
            let place = ["baseId": world.library.id.description]
            let values = try await complete(world, Self.schema, "table", "été", place).values
            #expect(values == [name])
            let uri = ResourceAddress.table(values[0], world.library.id).uri
            let contents = try await world.offers.resources.read(uri, caller: SilentCaller(), context: world.owner)
            guard case .text(let text) = contents[0].content else { throw TestSupportError("no text") }
            #expect(text.contains("\"\(table.id)\""))
        }
    }
}
