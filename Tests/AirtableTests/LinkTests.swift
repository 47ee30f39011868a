import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Links")
struct LinkTests {
    /// People and teams; a person may lead others.
    struct World {
        let store: StoreFixture
        let people: Table
        let teams: Table

        func person(_ name: String, _ fields: JSONObject = [:]) async throws -> RecordID {
            var fields = fields
            fields["Name"] = .string(name)
            return try await store.create(people, fields)[0].id
        }

        func team(_ name: String, _ fields: JSONObject = [:]) async throws -> RecordID {
            var fields = fields
            fields["Name"] = .string(name)
            return try await store.create(teams, fields)[0].id
        }

        func links(_ id: RecordID, _ field: String, in table: Table) async throws -> [RecordID] {
            let record = try await store.service.record(id, in: table.id, context: store.context)
            guard let field = table.field(field), case .links(let ids) = record.cells[field.id] else { return [] }
            return ids
        }

        func update(_ id: RecordID, in table: Table, _ fields: JSONObject, typecast: Bool = false) async throws {
            _ = try await store.service.update(
                [RecordUpdate(id: id, fields: fields)],
                in: table.id,
                typecast: typecast,
                context: store.context
            )
        }
    }

    static func withWorld(_ kind: DatabaseKind, _ body: @escaping @Sendable (World) async throws -> Void) async throws {
        try await withStore(kind) { store in
            let name = FieldDraft(name: "Name", type: .singleLineText)
            let schema = try await store.service.createBase(
                name: "World",
                tables: [
                    TableDraft(
                        name: "People",
                        fields: [name, .link("Teams", to: "Teams"), .link("Leads", to: "People", inverse: "Led by")]
                    ),
                    TableDraft(name: "Teams", fields: [name, FieldDraft(name: "No", type: .autoNumber)]),
                ],
                context: store.context
            )
            try await body(World(store: store, people: schema.tables[0], teams: schema.tables[1]))
            try await store.expectSound()
        }
    }

    @Test("each side shows what the other says", arguments: DatabaseKind.allCases)
    func bothSides(_ kind: DatabaseKind) async throws {
        try await Self.withWorld(kind) { world in
            let (red, blue) = (try await world.team("Red"), try await world.team("Blue"))
            let ann = try await world.person("Ann", ["Teams": .ids([red, blue, red])])
            let bob = try await world.person("Bob", ["Teams": .ids([blue])])
            #expect(try await world.links(ann, "Teams", in: world.people) == [red, blue])
            #expect(try await world.links(red, "People", in: world.teams) == [ann])
            #expect(try await world.links(blue, "People", in: world.teams) == [ann, bob])
            // From the other side, and in another order.
            try await world.update(blue, in: world.teams, ["People": .ids([bob])])
            #expect(try await world.links(ann, "Teams", in: world.people) == [red])
            try await world.update(red, in: world.teams, ["People": .ids([bob, ann])])
            #expect(try await world.links(bob, "Teams", in: world.people) == [blue, red])
            try await world.update(bob, in: world.people, ["Teams": nil])
            #expect(try await world.links(red, "People", in: world.teams) == [ann])
            #expect(try await world.links(blue, "People", in: world.teams).isEmpty)
        }
    }

    @Test("a record linked to itself, and links within one batch", arguments: DatabaseKind.allCases)
    func selfLinks(_ kind: DatabaseKind) async throws {
        try await Self.withWorld(kind) { world in
            let ann = try await world.person("Ann")
            let bob = try await world.person("Bob", ["Leads": .ids([ann])])
            try await world.update(ann, in: world.people, ["Leads": .ids([ann, bob])])
            #expect(try await world.links(ann, "Led by", in: world.people) == [bob, ann])
            #expect(try await world.links(bob, "Led by", in: world.people) == [ann])
            _ = try await world.store.service.update(
                [
                    RecordUpdate(id: ann, fields: ["Leads": .ids([bob])]),
                    RecordUpdate(id: bob, fields: ["Leads": [], "Led by": .ids([ann])]),
                    RecordUpdate(id: bob, fields: ["Name": "Bobby"]),
                ],
                in: world.people.id,
                context: world.store.context
            )
            #expect(try await world.links(ann, "Led by", in: world.people).isEmpty)
            #expect(try await world.links(bob, "Led by", in: world.people) == [ann])
        }
    }

    @Test("a deleted record is gone from every link", arguments: DatabaseKind.allCases)
    func deletion(_ kind: DatabaseKind) async throws {
        try await Self.withWorld(kind) { world in
            let red = try await world.team("Red")
            let ann = try await world.person("Ann", ["Teams": .ids([red])])
            let bob = try await world.person("Bob", ["Teams": .ids([red]), "Leads": .ids([ann])])
            let cid = try await world.person("Cid", ["Leads": .ids([ann, bob])])
            try await world.store.service.delete([ann, bob], in: world.people.id, context: world.store.context)
            #expect(try await world.links(red, "People", in: world.teams).isEmpty)
            #expect(try await world.links(cid, "Leads", in: world.people).isEmpty)
            let changes = try await world.store.allChanges().suffix(4)
            #expect(Set(changes.map(\.transaction)).count == 1)
            // Both whole before, so that a consumer (or undo) sees what there was.
            let leads = try #require(world.people.field("Leads")).id
            guard case .deleted(let deleted) = try #require(changes.first { $0.event.record == bob }).event else {
                Issue.record("expected a deletion")
                return
            }
            #expect(deleted.cells[leads] == .links([ann]))
        }
    }

    @Test("links to what is not there are refused, and nothing is written", arguments: DatabaseKind.allCases)
    func unknown(_ kind: DatabaseKind) async throws {
        try await Self.withWorld(kind) { world in
            let red = try await world.team("Red")
            let before = try await world.store.service.changes.latestSequence(tenant: world.store.context.tenant)
            let missing = RecordID.random()
            let error = await expectFailure(.rowDoesNotExist) {
                try await world.person("Ann", ["Teams": .ids([red, missing])])
            }
            #expect(error?.message == "Record ID \(missing) does not exist in this table")
            // A record of another table is not one of this.
            await expectFailure(.rowDoesNotExist) { try await world.person("Ann", ["Leads": .ids([red])]) }
            #expect(try await world.links(red, "People", in: world.teams).isEmpty)
            let after = try await world.store.service.changes.latestSequence(tenant: world.store.context.tenant)
            #expect(before == after)
        }
    }

    @Test("typecast links by primary text, and makes the records it names", arguments: DatabaseKind.allCases)
    func typecast(_ kind: DatabaseKind) async throws {
        try await Self.withWorld(kind) { world in
            let red = try await world.team("Red")
            let ann = try await world.person("Ann")
            try await world.update(
                ann,
                in: world.people,
                ["Teams": ["Red", "Green, Inc.", .string(red.description)], "Leads": "Bob"],
                typecast: true
            )
            let teams = try await world.links(ann, "Teams", in: world.people)
            #expect(teams.count == 2)
            #expect(teams.first == red)
            let green = try await world.store.fields(teams[1], world.teams)
            #expect(green["Name"] == "Green, Inc.")
            #expect(green["No"] == 2)
            let bob = try #require(try await world.links(ann, "Leads", in: world.people).first)
            #expect(try await world.store.fields(bob, world.people)["Name"] == "Bob")
            // One name in two fields and two records is one new record.
            _ = try await world.store.service.create(
                [
                    RecordDraft(fields: ["Name": "X", "Leads": ["Eve"], "Led by": ["Eve"]]),
                    RecordDraft(fields: ["Name": "Y", "Leads": ["Eve"]]),
                ],
                in: world.people.id,
                typecast: true,
                context: world.store.context
            )
            #expect(try await world.store.service.recordCount(in: world.people.id, context: world.store.context) == 5)
        }
    }

    @Test("random edits of both sides keep them equal", arguments: DatabaseKind.allCases)
    func randomEdits(_ kind: DatabaseKind) async throws {
        try await Self.withWorld(kind) { world in
            var generator = SeededGenerator(seed: 4)
            var people: [RecordID] = []
            var teams: [RecordID] = []
            for number in 0..<8 {
                people.append(try await world.person("p\(number)"))
                teams.append(try await world.team("t\(number)"))
            }
            for step in 0..<60 {
                let person = try #require(people.randomElement(using: &generator))
                switch Int.random(in: 0..<5, using: &generator) {
                case 0: try await world.update(person, in: world.people, ["Teams": .some(of: teams, &generator)])
                case 1: try await world.update(person, in: world.people, ["Leads": .some(of: people, &generator)])
                case 2:
                    let team = try #require(teams.randomElement(using: &generator))
                    try await world.update(team, in: world.teams, ["People": .some(of: people, &generator)])
                case 3:
                    try await world.store.service.delete([person], in: world.people.id, context: world.store.context)
                    people.removeAll { $0 == person }
                    people.append(try await world.person("n\(step)", ["Teams": .some(of: teams, &generator)]))
                default:
                    let fields: JSONObject = [
                        "Leads": .some(of: people, &generator), "Led by": .some(of: people, &generator),
                    ]
                    try await world.update(person, in: world.people, fields)
                }
                if step % 20 == 0 { try await world.store.expectSound() }
            }
        }
    }
}

extension JSONValue {
    static func ids(_ ids: [RecordID]) -> JSONValue { .array(ids.map { .string($0.description) }) }

    static func some(of ids: [RecordID], _ generator: inout SeededGenerator) -> JSONValue {
        let shuffled = ids.shuffled(using: &generator)
        return .ids(Array(shuffled.prefix(Int.random(in: 0...ids.count, using: &generator))))
    }
}

extension RecordChange.Event {
    /// The record it is about.
    var record: RecordID? {
        switch self {
        case .created(let record), .deleted(let record), .updated(_, let record): record.id
        case .schemaChanged, .imported, .tableDeleted: nil
        }
    }
}
