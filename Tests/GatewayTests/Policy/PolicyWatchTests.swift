import Access
import Airtable
import Domain
import MCP
import Synchronization
import TestSupport
import Testing

@testable import Gateway

private final class Heard: Sendable {
    let events = Mutex<[JSONValue]>([])
}

/// Somebody who listens through MCP, in one of the eras.
private final class PolicyEar: Sendable {
    let person: PolicyWorld.Person
    let era: PolicyEra
    /// Addresses that are told of, by their letters; those that are watched at all are the keys.
    let watched: [String: String]
    private let stream: EndpointStream
    private let heard = Heard()
    private let task = Mutex<Task<Void, Never>?>(nil)

    init(_ world: PolicyWorld, _ person: PolicyWorld.Person, _ era: PolicyEra, bell: String) async throws {
        (self.person, self.era) = (person, era)
        var letters: [String: String] = [bell: "."]
        for (letter, uri) in world.watchable { letters[uri] = letter }
        let client = PolicyEndpoint(world: world, person: person, era: era)
        switch era {
        case .alone:
            let reply = try await client.send(
                "subscriptions/listen",
                [
                    "notifications": [
                        "resourceSubscriptions": .array(letters.keys.sorted().map { .string($0) })
                    ]
                ]
            )
            stream = try #require(reply.stream)
            watched = letters
        case .session:
            let session = try await client.opened()
            stream = try #require(try await session.listen().stream)
            var taken: [String: String] = [:]
            for (uri, letter) in letters {
                let reply = try await session.send("resources/subscribe", ["uri": .string(uri)])
                if reply.json?["result"] != nil { taken[uri] = letter }
                #expect(reply.json?["result"] != nil || reply.json?["error"]?["code"]?.intValue == -32_002)
            }
            watched = taken
        }
        let (stream, heard) = (stream, heard)
        task.withLock { task in
            task = Task {
                // Ends when the server says so.
                try? await stream.run { event in
                    guard let json = event.message?.json else { return }
                    heard.events.withLock { $0.append(json) }
                }
            }
        }
    }

    /// What the server said that it watches, in the era that has it said.
    func acknowledged() async throws -> Set<String> {
        if era == .session { return Set(watched.values) }
        var found: [JSONValue]?
        try await eventually("the acknowledgement") {
            let first = heard.events.withLock { $0.first }
            found = first?["params"]?["notifications"]?["resourceSubscriptions"]?.arrayValue
            return first != nil
        }
        return Set((found ?? []).compactMap { $0.stringValue.flatMap { watched[$0] } })
    }

    /// Letters of what was told so far, the bell's with them.
    var told: [String] {
        heard.events.withLock { $0 }.filter { $0["method"] == "notifications/resources/updated" }
            .compactMap { $0["params"]?["uri"]?.stringValue.flatMap { watched[$0] } }
    }

    func forget() { heard.events.withLock { $0.removeAll { $0["method"] == "notifications/resources/updated" } } }

    func end() async {
        await stream.finish()
        task.withLock { $0 }?.cancel()
        await ended()
    }

    /// Returns when the stream is over.
    func ended() async { await task.withLock { $0 }?.value }
}

/// The endpoint with the services behind it, as somebody whom the edge let in.
private struct PolicyEndpoint {
    let world: PolicyWorld
    let person: PolicyWorld.Person
    let era: PolicyEra
    var session: String?

    func opened() async throws -> Self {
        let hello: JSONObject = [
            "protocolVersion": .string(era.rawValue), "capabilities": [:],
            "clientInfo": ["name": "c", "version": "1"],
        ]
        let reply = try await send("initialize", hello)
        guard case .message(_, _, _, let id?) = reply else { throw TestSupportError("no session: \(reply)") }
        var client = self
        client.session = id
        return client
    }

    func listen() async throws -> EndpointReply { try await send(EndpointRequest(.get, headers("")), id: "listen") }

    func send(_ method: String, _ params: JSONObject) async throws -> EndpointReply {
        var params = params
        if era == .alone {
            params["_meta"] = [
                "io.modelcontextprotocol/protocolVersion": .string(era.rawValue),
                "io.modelcontextprotocol/clientCapabilities": [:],
            ]
        }
        let body: JSONValue = ["jsonrpc": "2.0", "id": 1, "method": .string(method), "params": .object(params)]
        return try await send(EndpointRequest(.post(body: body.encoded()), headers(method)), id: method)
    }

    private func headers(_ method: String) -> EndpointRequest.Headers {
        var headers = EndpointRequest.Headers()
        headers.accept = ["application/json, text/event-stream"]
        if method != "initialize" || era == .alone { headers.protocolVersions = [era.rawValue] }
        if era == .alone { headers.methods = [method] }
        headers.sessionIDs = session.map { [$0] } ?? []
        return headers
    }

    private func send(_ request: EndpointRequest, id: String) async throws -> EndpointReply {
        let (world, person) = (world, person)
        return await world.endpoint.reply(
            to: request,
            context: try await world.context(person),
            deadline: .now + .seconds(60)
        ) { try await world.context(person) }
    }
}

extension EndpointReply {
    fileprivate var json: JSONValue? {
        switch self {
        case .message(let message, _, _, _): message.json
        case .refused(let refusal): refusal.message.json
        default: nil
        }
    }

    fileprivate var stream: EndpointStream? { if case .stream(let stream) = self { stream } else { nil } }
}

extension PolicyWorld {
    /// What is watched: a record that is shown, its table's schema, the record, the table's, the base's and the view.
    fileprivate var watchable: [(letter: String, uri: String)] {
        let base = fixture.base.id
        let elements = "airtable://\(base)/\(fixture.elements.id)"
        return [
            ("H", "\(elements)/\(fixture.records[0].id)"), ("S", "\(elements)/schema"), ("R", "\(elements)/\(record)"),
            ("T", "airtable://\(base)/\(table.id)/schema"), ("B", "airtable://\(vault.id)/schema"),
            ("V", "\(elements)/views/\(view)"),
        ]
    }
}

@Suite("Subscriptions and who is asking", .timeLimit(.minutes(5)))
struct PolicyWatchTests {
    private typealias Person = PolicyWorld.Person

    /// Letters as in `watchable`; `-` for nothing.
    private static let table = """
                                          owner   editor  viewer  guest  stranger  key    token
        may be watched                    BHRSTV  HRST    HSTV    HRSV   -         HRSTV  BST
        the field's cell changes          HV      -       HV      HV     -         HV     -
        another cell of the row changes   HV      H       HV      HV     -         HV     -
        the record changes                R       R       -       R      -         R      -
        the field is renamed              HSV     -       HSV     HSV    -         HSV    S
        a field is added                  S       S       S       S      -         S      S
        the table is renamed              ST      ST      ST      -      -         ST     ST
        the base's table is renamed       B       -       -       -      -         -      B
        the row is kept back              -       H       -       -      -         -      -
        what is kept back changes         HV      -       HV      HV     -         HV     -
        """

    @Test("AUTHZ-05: what watchers are told is what has changed for them, in both eras")
    func table() async throws {
        let table = try PolicyTable(Self.table)
        try await withPolicy { world in
            var ears: [PolicyEar] = []
            for person in Person.allCases {
                for era in PolicyEra.allCases {
                    ears.append(try await PolicyEar(world, person, era, bell: Self.bell(world, person)))
                }
            }
            for row in table.rows {
                for ear in ears where row.act == "may be watched" {
                    let letters = try await ear.acknowledged().subtracting(["."]).sorted().joined()
                    #expect((letters.isEmpty ? "-" : letters) == row.cells[ear.person], "\(ear.person), \(ear.era)")
                }
                if row.act == "may be watched" { continue }
                for ear in ears { ear.forget() }
                try await Self.change(row.act, world)
                // What was found together with the first ring may come behind it, but not behind the second.
                for count in 1...2 { try await Self.ring(world, ears, count) }
                for ear in ears {
                    let letters = Set(ear.told).subtracting(["."]).sorted().joined()
                    let wanted = try #require(row.cells[ear.person])
                    #expect((letters.isEmpty ? "-" : letters) == wanted, "\(row.act), \(ear.person), \(ear.era)")
                }
            }
            // Without its key nobody is told anything: what stands alone is over, by the server's word.
            let viewer = try #require(world.users[.viewer])
            let last = ears.filter { $0.person == .viewer }
            for ear in last { ear.forget() }
            for key in try await world.fixture.access.keys(context: world.fixture.owner) where key.owner == viewer {
                try await world.fixture.access.revokeKey(key.id, context: world.fixture.owner)
            }
            try await Self.change("nobody is told", world)
            for ear in last where ear.era == .alone { await ear.ended() }
            try await Self.ring(world, ears.filter { $0.person != .viewer }, 3)
            #expect(last.flatMap(\.told).isEmpty)
            for ear in ears { await ear.end() }
        }
    }

    private static func bell(_ world: PolicyWorld, _ person: Person) -> String {
        let table = person == .stranger ? world.strangersBells : world.bells
        return "airtable://\(table.base)/\(table.id)/schema"
    }

    private static func ring(_ world: PolicyWorld, _ ears: [PolicyEar], _ count: Int) async throws {
        let update = TableUpdate(description: RecordID.random().description)
        _ = try await world.fixture.airtable.updateTable(world.bells.id, update, context: world.fixture.owner)
        _ = try await world.fixture.airtable.updateTable(world.strangersBells.id, update, context: world.stranger)
        for ear in ears {
            try await eventually("\(ear.person) hears ring \(count)") {
                ear.told.filter { $0 == "." }.count >= count
            }
        }
    }

    private static func change(_ act: String, _ world: PolicyWorld) async throws {
        let (airtable, owner) = (world.fixture.airtable, world.fixture.owner)
        let (base, elements) = (world.fixture.base.id, world.fixture.elements.id)
        let helium = world.fixture.records[0].id
        func write(_ id: RecordID, _ fields: JSONObject) async throws {
            _ = try await airtable.update([RecordUpdate(id: id, fields: fields)], in: elements, context: owner)
        }
        switch act {
        case "the field's cell changes": try await write(helium, ["Zzfield": "zzfother"])
        case "what is kept back changes": try await write(helium, ["Notes": "Kept back."])
        case "nobody is told": try await write(helium, ["Notes": "Once more."])
        case "another cell of the row changes": try await write(helium, ["Notes": "Lighter than air."])
        case "the record changes": try await write(world.record, ["Notes": "zzrnote anew"])
        case "the field is renamed":
            _ = try await airtable.updateField(
                world.field.id,
                FieldUpdate(name: "Zzfielded"),
                in: elements,
                context: owner
            )
        case "a field is added":
            let draft = FieldDraft(name: "Shown", type: .number)
            _ = try await airtable.createField(draft, in: elements, context: owner)
        case "the table is renamed":
            _ = try await airtable.updateTable(world.table.id, TableUpdate(name: "Zztables"), context: owner)
        case "the base's table is renamed":
            let gold = try await airtable.reads(by: .schemaRead).tables(in: world.vault.id, context: owner)[0]
            _ = try await airtable.updateTable(gold.id, TableUpdate(name: "Zzgolden"), context: owner)
        case "the row is kept back":
            try await world.fixture.grant(
                .user(try #require(world.users[.editor])),
                .deny,
                [.recordsRead],
                .table(elements, base),
                condition: "{Name}='Helium'"
            )
        default: Issue.record("nobody knows how to: \(act)")
        }
    }
}
