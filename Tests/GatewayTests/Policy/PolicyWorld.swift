import Access
import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Jobs
import MCP
import TestSupport
import Testing
import Tools

@testable import Gateway

/// A whole MCP server over a base of which everybody sees another part.
struct PolicyWorld: Sendable {
    enum Person: String, CaseIterable, Sendable {
        case owner
        /// From whom a field and a base are kept.
        case editor
        /// From whom a record and a base are kept.
        case viewer
        /// Who was given one table, and no right to change it.
        case guest
        /// Owns another tenant.
        case stranger
        /// The owner's key, for reading and for one base.
        case key
        /// The owner's token for MCP, for schemas and searches.
        case token

        /// What each sees of the secrets; whatever is told, it is never more.
        var sight: String {
            switch self {
            case .owner, .token: "frtb"
            case .editor: "rt"
            case .viewer: "ft"
            case .guest: "fr"
            case .stranger: ""
            case .key: "frt"
            }
        }
    }

    let fixture: GatewayFixture
    let engines: HiddenEngines
    let offers: Offers
    let endpoint: MCPEndpoint
    let bearers: [Person: String]
    let users: [Person: UserID]
    let stranger: Domain.RequestContext

    let field: Field
    let record: RecordID
    let table: Table
    let row: RecordID
    let vault: Base
    let bells: Table
    /// Of the stranger's own.
    let strangersBells: Table
    /// Filters by the field.
    let view: ViewID
    /// One to change for each person and era.
    let blanks: [String: RecordID]
    /// Touched the field alone, the record alone, and what everybody sees.
    let transactions: (field: Int64, record: Int64, shown: Int64)

    static let address = "http://localhost/mcp"

    /// What of the secrets a text tells that it was not asked with, as letters: the field, the record, the table, the base.
    func told(by text: String, asked: String) -> String {
        let (text, asked) = (text.lowercased(), asked.lowercased())
        let words: [(letter: String, words: [String])] = [
            ("f", ["zzfield", "zzfcell", "zzfview", field.id.description]),
            ("r", ["zzrecord", "zzrnote", "zzrcomment", record.description]),
            ("t", ["zztable", "zztrow", table.id.description, row.description]),
            ("b", ["zzbase", "zzgold", "zzbrow", vault.id.description]),
        ]
        return words.filter { entry in
            entry.words.contains { text.contains($0.lowercased()) && !asked.contains($0.lowercased()) }
        }.map(\.letter).joined()
    }

    func context(_ person: Person) async throws -> Domain.RequestContext {
        try await fixture.access.authenticate(
            bearer: try #require(bearers[person]),
            at: .resource(Self.address),
            timeout: .seconds(120),
            requestID: "policy-\(person.rawValue)",
            logger: fixture.log.logger()
        )
    }

    func server() -> GatewayServer {
        GatewayServer.make(
            configuration: GatewayConfiguration(address: .init(host: "127.0.0.1", port: 0), adminAddress: nil),
            services: engines.services(fixture, mcp: endpoint),
            metrics: fixture.metrics,
            logger: fixture.log.logger()
        )
    }

    init(_ fixture: GatewayFixture, _ engines: HiddenEngines) async throws {
        self.fixture = fixture
        self.engines = engines
        let secrets = try await PolicySecrets(fixture)
        (field, record, table, row) = (secrets.field, secrets.record, secrets.table, secrets.row)
        (vault, bells, view) = (secrets.vault, secrets.bells, secrets.view)
        (blanks, transactions) = (secrets.blanks, secrets.transactions)
        try await engines.index()
        let people = try await PolicyPeople(fixture, secrets)
        (bearers, users, stranger) = (people.bearers, people.users, people.stranger)
        strangersBells = try await fixture.airtable.createBase(
            name: "Own",
            tables: [TableDraft(name: "Bells", fields: [FieldDraft(name: "Name", type: .singleLineText)])],
            context: stranger
        ).tables[0]
        let tools = ToolRegistry.standard(
            airtable: fixture.airtable,
            search: engines.search,
            writing: WritingServices(
                attachments: fixture.attachments,
                replies: KeptReplies(database: fixture.database),
                spool: fixture.spool
            )
        )
        offers = .standard(
            airtable: fixture.airtable,
            access: fixture.access,
            tools: tools,
            logger: fixture.log.logger(),
            pollInterval: .milliseconds(20)
        )
        endpoint = MCPEndpoint(
            info: ServerInfo(name: "fixture", title: "Fixture", version: "1"),
            offer: MCPOffer(
                tools: tools,
                resources: offers.resources,
                prompts: offers.prompts,
                watcher: offers.watcher,
                sealer: fixture.access.stateSealer
            ),
            logger: fixture.log.logger()
        )
    }
}

/// What is in the base, made by its owner.
private struct PolicySecrets {
    let field: Field
    let record: RecordID
    let table: Table
    let row: RecordID
    let vault: Base
    let bells: Table
    let view: ViewID
    let blanks: [String: RecordID]
    let transactions: (field: Int64, record: Int64, shown: Int64)

    init(_ fixture: GatewayFixture) async throws {
        let (airtable, owner, elements) = (fixture.airtable, fixture.owner, fixture.elements.id)
        let named = [FieldDraft(name: "Name", type: .singleLineText)]
        _ = try await fixture.filesField()
        _ = try await airtable.createField(
            FieldDraft(name: "Notes", type: .multilineText),
            in: elements,
            context: owner
        )
        field = try await airtable.createField(
            FieldDraft(name: "Zzfield", type: .singleLineText),
            in: elements,
            context: owner
        )
        table = try await airtable.createTable(
            TableDraft(name: "Zztable", fields: named),
            in: fixture.base.id,
            context: owner
        )
        bells = try await airtable.createTable(
            TableDraft(name: "Bells", fields: named),
            in: fixture.base.id,
            context: owner
        )
        var formula = FieldDraft(name: "Zzfield twice", type: .formula)
        formula.options.formula = "{Zzfield}&{Zzfield}"
        for draft in [formula, .link("Zztable link", to: "Zztable")] as [FieldDraft] {
            _ = try await airtable.createField(draft, in: elements, context: owner)
        }
        let safe = try await airtable.createBase(
            name: "Zzbase",
            tables: [TableDraft(name: "Zzgold", fields: named)],
            context: owner
        )
        vault = safe.base
        func create(_ fields: JSONObject, _ table: TableID) async throws -> RecordID {
            try await airtable.create([RecordDraft(fields: fields)], in: table, context: owner)[0].id
        }
        row = try await create(["Name": "zztrow"], table.id)
        _ = try await create(["Name": "zzbrow"], safe.tables[0].id)
        record = try await create(["Name": "Zzrecord", "Notes": "A zzrnote gas in lamps."], elements)
        var blanks: [String: RecordID] = [:]
        for person in PolicyWorld.Person.allCases {
            for era in PolicyEra.allCases {
                blanks["\(person) \(era)"] = try await create(["Name": .string("Blank \(person) \(era)")], elements)
            }
        }
        self.blanks = blanks
        func write(_ id: RecordID, _ fields: JSONObject) async throws -> Int64 {
            _ = try await airtable.update([RecordUpdate(id: id, fields: fields)], in: elements, context: owner)
            return try await airtable.changes.latestSequence(tenant: owner.tenant)
        }
        let helium = fixture.records[0].id
        _ = try await write(helium, ["Zztable link": [.string(row.description)]])
        transactions = (
            field: try await write(helium, ["Zzfield": "zzfcell"]),
            record: try await write(record, ["Notes": "A zzrnote gas in lamps, they say."]),
            shown: try await write(helium, ["Notes": "A light gas in balloons."])
        )
        for (text, id) in [("Noble?", helium), ("zzrcomment", record)] {
            _ = try await airtable.createComment(text, on: id, in: elements, context: owner)
        }
        view = try await airtable.createView(
            ViewDraft(name: "Zzfview", filter: "FIND('zzf', {Zzfield})"),
            in: elements,
            context: owner
        ).id
    }
}

/// Who is there, with what they may.
private struct PolicyPeople {
    typealias Person = PolicyWorld.Person

    private(set) var bearers: [Person: String] = [:]
    private(set) var users: [Person: UserID] = [:]
    let stranger: Domain.RequestContext

    init(_ fixture: GatewayFixture, _ secrets: PolicySecrets) async throws {
        let (access, owner) = (fixture.access, fixture.owner)
        bearers[.owner] = fixture.key
        users[.owner] = owner.principal.user
        let cast = try await Cast(access, owner: owner)
        for (person, member) in [(Person.editor, Cast.Member.editor), (.viewer, .viewer), (.guest, .guest)] {
            (users[person], bearers[person]) = (cast.users[member], cast.keys[member]?.text)
        }
        let other = try await access.createTenant(name: "Other", ownerName: "Eve", context: owner)
        bearers[.stranger] = other.key.text
        stranger = try await access.authenticate(
            bearer: other.key.text,
            timeout: .seconds(120),
            requestID: "stranger",
            logger: fixture.log.logger()
        )
        users[.stranger] = stranger.principal.user
        bearers[.key] = try await fixture.key([.basesRead, .schemaRead, .recordsRead], bases: [fixture.base.id])
        bearers[.token] = try await fixture.resourceToken(scope: "bases:read schema:read search")
        let (base, elements) = (fixture.base.id, fixture.elements.id)
        let kept = Cast.Secrets(
            base: .base(secrets.vault.id),
            field: .field(secrets.field.id, elements, base),
            records: (.table(elements, base), "{Name}='Zzrecord'"),
            given: [
                (.table(elements, base), Cast.reading.union([.commentsRead, .search])),
                (.table(secrets.bells.id, base), Cast.reading),
            ]
        )
        try await cast.keepBack(kept, access, checking: fixture.airtable, owner: owner)
    }
}

extension GatewayFixture {
    func grant(
        _ subject: Grant.Subject,
        _ effect: Grant.Effect,
        _ permissions: Set<Permission>,
        _ place: Resource,
        condition: String? = nil
    ) async throws {
        _ = try await access.createGrant(
            GrantDraft(
                subject: subject,
                effect: effect,
                bundle: .permissions(permissions),
                resource: place,
                condition: condition
            ),
            checking: airtable,
            context: owner
        )
    }

    /// A token for MCP alone, of a session of the owner.
    func resourceToken(scope: String?) async throws -> String {
        let session = try await access.beginSession(
            user: owner.principal.user,
            tenant: owner.tenant,
            client: SessionClient()
        )
        let signedIn = try await access.authenticate(
            bearer: session.accessToken,
            timeout: .seconds(120),
            requestID: "signed-in",
            logger: log.logger()
        )
        return try await access.resourceToken(for: PolicyWorld.address, scope: scope, context: signedIn).text
    }
}
