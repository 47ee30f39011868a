import Access
import Domain
import Foundation
import Outbound
import TestSupport
import Testing

@testable import Airtable

/// Carries requests to a stand-in at once; a test may do something before an answer arrives.
struct DirectTransport: HTTPTransport {
    let upstream: HostedStandIn
    /// Called with the target after the service has answered, before the caller hears of it.
    let hook = Guarded<(@Sendable (String) async throws -> Void)?>(nil)

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let target = String(request.url.dropFirst("http://hosted.test/v0/".count))
        let reply = upstream.handle(
            request.method.rawValue,
            target,
            body: request.body,
            token: request.secretHeaders.first?.value.revealed ?? "",
            at: .now
        )
        if let hook = hook.value { try await hook(target) }
        switch reply {
        case .cut: throw OutboundError(.connectionLost, "cut")
        case .answer(let status, let body):
            return OutboundReply(status: status, headers: [], body: OutboundBody(body))
        }
    }
}

/// A store with a hosted base that a stand-in serves.
struct MirrorFixture: Sendable {
    static let base = BaseID("appAAAAAAAAAAAAAA")!
    static let things = TableID("tblAAAAAAAAAAAAAA")!
    static let parts = TableID("tblBBBBBBBBBBBBBB")!

    let store: StoreFixture
    let upstream: HostedStandIn
    let transport: DirectTransport
    let service: AirtableService
    let owner = MirrorKeeper.randomOwner

    var context: RequestContext { store.context }

    init(
        _ store: StoreFixture,
        token: String? = "patToken",
        fault: @escaping @Sendable (Int) -> HostedStandIn.Fault? = { _ in nil }
    ) throws {
        self.store = store
        upstream = HostedStandIn(callsPerSecond: 1_000_000, fault: fault)
        transport = DirectTransport(upstream: upstream)
        upstream.add(base: Self.base.description, name: "Hosted", [Self.thingsTable, Self.partsTable])
        let master = try MasterKey(text: Secret(Data(UInt8(7)..<39).base64EncodedString()), source: "the test")
        var rules = HostedRules()
        rules.callsPerBase = 1_000_000
        rules.callsPerToken = 1_000_000
        rules.backoffBase = .milliseconds(1)
        rules.lockout = .milliseconds(1)
        rules.lockoutJitter = .zero
        service = AirtableService(
            database: store.database,
            access: store.access,
            upstream: HostedUpstream(
                client: HostedClient(
                    transport: transport,
                    configuration: try HostedConfiguration(endpoint: "http://hosted.test", rules: rules)
                ),
                tokens: HostedTokens(
                    vault: CredentialVault(database: store.database, master: master),
                    common: token.map { OutboundSecret($0) }
                )
            ),
            now: store.clock.now
        )
    }

    static func field(_ letter: Character, _ name: String, _ type: String, _ options: JSONObject? = nil) -> JSONObject {
        var field: JSONObject = [
            "id": .string("fld" + String(repeating: letter, count: 14)), "name": .string(name), "type": .string(type),
        ]
        field["options"] = options.map { .object($0) }
        return field
    }

    static let thingsTable = HostedStandIn.Table(
        id: things.description,
        name: "Things",
        fields: [
            field("A", "Name", "singleLineText"), field("B", "Number", "number", ["precision": 0]),
            field("C", "Kind", "singleSelect", ["choices": [choice("1", "red"), choice("2", "blue")]]),
            field(
                "D",
                "Parts",
                "multipleRecordLinks",
                ["linkedTableId": .string(parts.description), "inverseLinkFieldId": "fldQQQQQQQQQQQQQQ"]
            ),
            field("E", "Twice", "formula", ["isValid": true, "formula": "{B}*2", "result": ["type": "number"]]),
        ]
    )

    static let partsTable = HostedStandIn.Table(
        id: parts.description,
        name: "Parts",
        fields: [
            field("P", "Part", "singleLineText"),
            field(
                "Q",
                "Things",
                "multipleRecordLinks",
                ["linkedTableId": .string(things.description), "inverseLinkFieldId": "fldDDDDDDDDDDDDDD"]
            ),
        ]
    )

    static func choice(_ digit: Character, _ name: String) -> JSONValue {
        ["id": .string("sel" + String(repeating: digit, count: 14)), "name": .string(name), "color": "blueLight2"]
    }

    /// Records of people at the service.
    @discardableResult
    func seed(_ count: Int, from first: Int = 1) -> [RecordID] {
        upstream.change(Self.base.description) { tables in
            for number in first..<(first + count) {
                let id = "recS" + String(repeating: "0", count: 13 - "\(number)".count) + "\(number)"
                let time = "2024-05-01T12:00:00.\(100 + number % 900)Z"
                let fields: JSONObject = [
                    "Name": .string("n\(number)"), "Number": .number(JSONNumber(number)), "Twice": 2,
                ]
                tables[0].rows.append(.init(id: id, createdTime: time, fields: fields))
            }
        }
        return upstream.rows(Self.base.description).suffix(count).compactMap { RecordID($0.id) }
    }

    func attach(_ home: BaseHome = .mirrored) async throws {
        _ = try await service.attach(Self.base, home: home, context: context)
    }

    @discardableResult
    func round(sweeps: Bool = false) async throws -> MirrorState {
        try await service.synchronise(Self.base, owner: owner, sweeps: sweeps, context: context)
    }

    /// What is here of a table, in the shape of the service: by identifier, names of cells.
    func stored(_ table: TableID = things) async throws -> [String: JSONObject] {
        let schema = try await service.table(id: table, context: context)
        var found: [String: JSONObject] = [:]
        var page = RecordPageRequest(limit: 1_000)
        while true {
            let records = try await service.records(in: table, page: page, context: context)
            for record in records.records {
                var fields = CellCodec.fields(of: record, table: schema)
                fields["created"] = .string(record.createdTime.iso8601)
                found[record.id.description] = fields
            }
            guard let next = records.next else { return found }
            page.after = next
        }
    }

    /// What the service has of it.
    func hosted(_ position: Int = 0) -> [String: JSONObject] {
        Dictionary(
            upstream.rows(Self.base.description, position).map { row in
                var fields = row.fields
                fields["created"] = .string(row.createdTime)
                return (row.id, fields)
            },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func expectInStep(_ comment: String = "", sourceLocation: SourceLocation = #_sourceLocation) async throws {
        for (position, table) in [Self.things, Self.parts].enumerated() {
            let (here, there) = (try await stored(table), hosted(position))
            let differing = Set(here.keys).union(there.keys).filter { here[$0] != there[$0] }.sorted()
            let shown = differing.prefix(3).map { id in
                "\(id): here \(here[id].map { JSONValue.object($0).text } ?? "-"), "
                    + "there \(there[id].map { JSONValue.object($0).text } ?? "-")"
            }
            #expect(differing.isEmpty, "\(comment): \(shown)", sourceLocation: sourceLocation)
        }
        try await store.expectSound()
    }
}

func withMirror(
    _ kind: DatabaseKind,
    fault: @escaping @Sendable (Int) -> HostedStandIn.Fault? = { _ in nil },
    _ body: @escaping @Sendable (MirrorFixture) async throws -> Void
) async throws {
    try await withStore(kind) { store in try await body(try MirrorFixture(try await store.patient(), fault: fault)) }
}
