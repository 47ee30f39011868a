import Access
import Airtable
import Domain
import Embeddings
import Foundation
import HummingbirdTesting
import Jobs
import MCP
import TestSupport
import Testing
import Tools

@testable import Gateway

/// One process that serves MCP over a database, with all it keeps in memory.
struct ServingProcess: Sendable {
    let fixture: GatewayFixture
    private let directory: String
    private let mode: WriteMode
    private let sealer: (any StateSealer)?

    init(_ fixture: GatewayFixture, _ directory: String, _ mode: WriteMode, sealer: (any StateSealer)? = nil) {
        (self.fixture, self.directory, self.mode, self.sealer) = (fixture, directory, mode, sealer)
    }

    /// Another one over the same database and the same master key.
    func restarted(sealer: (any StateSealer)? = nil) -> ServingProcess {
        let database = fixture.database
        let access = AccessService(database: database, vault: { try testVault(database) })
        let again = GatewayFixture(
            database: database,
            access: access,
            accounts: AccountService(access: access, hasher: testHasher),
            airtable: AirtableService(database: database, access: access, attachments: fixture.attachments),
            attachments: fixture.attachments,
            webhooks: fixture.webhooks,
            owner: fixture.owner,
            key: fixture.key,
            base: fixture.base,
            elements: fixture.elements,
            isotopes: fixture.isotopes,
            records: fixture.records
        )
        return ServingProcess(again, directory, mode, sealer: sealer)
    }

    func served(_ body: @escaping @Sendable (any TestClientProtocol) async throws -> Void) async throws {
        let engines = HiddenEngines(fixture, directory: directory)
        defer { engines.pool.close() }
        let server = GatewayServer.make(
            configuration: GatewayConfiguration(address: .init(host: "127.0.0.1", port: 0), adminAddress: nil),
            services: engines.services(fixture, mcp: endpoint(engines)),
            metrics: PrometheusRegistry(),
            logger: fixture.log.logger()
        )
        try await server.publicApplication.test(.router) { try await body($0) }
    }

    /// The endpoint alone, for who is asked while a call waits.
    func withEndpoint(_ body: (MCPEndpoint) async throws -> Void) async throws {
        let engines = HiddenEngines(fixture, directory: directory)
        defer { engines.pool.close() }
        try await body(endpoint(engines))
    }

    private func endpoint(_ engines: HiddenEngines) -> MCPEndpoint {
        let tools = ToolRegistry.standard(
            airtable: fixture.airtable,
            search: engines.search,
            writes: mode,
            writing: WritingServices(
                attachments: fixture.attachments,
                replies: KeptReplies(database: fixture.database),
                spool: fixture.spool
            )
        )
        return MCPEndpoint(
            info: ServerInfo(name: "fixture", title: "Fixture", version: "1"),
            offer: MCPOffer(tools: tools, sealer: sealer ?? fixture.access.stateSealer),
            logger: fixture.log.logger()
        )
    }

    /// Who is not the owner with their first key, though they may delete records too.
    func others() async throws -> [String: String] {
        let (access, owner) = (fixture.access, fixture.owner)
        let everything = Set(Permission.allCases)
        let colleague = try await access.createUser(name: "Bob", role: .owner, context: owner).id
        let draft = APIKeyDraft(name: "Bob's", scopes: everything, owner: colleague)
        return [
            "another key": try await fixture.key(everything),
            "a key for one base": try await fixture.key(everything, bases: [fixture.base.id]),
            "a colleague": try await access.createKey(draft, context: owner).text,
            "a token": try await fixture.resourceToken(scope: nil),
            "a stranger": try await access.createTenant(
                name: "Other \(RecordID.random())",
                ownerName: "Eve",
                context: owner
            ).key.text,
        ]
    }

    func sequence() async throws -> Int64 {
        try await fixture.airtable.changes.latestSequence(tenant: fixture.owner.tenant)
    }

    func rename(_ record: Int, to name: String) async throws {
        _ = try await fixture.airtable.update(
            [RecordUpdate(id: fixture.records[record].id, fields: ["Name": .string(name)])],
            in: fixture.elements.id,
            context: fixture.owner
        )
    }

    // MARK: Calls

    func deletion(_ records: Int..., with more: JSONObject = [:]) -> JSONObject {
        let ids = records.map { JSONValue.string(fixture.records[$0].id.description) }
        let arguments: JSONObject = ["base": "Periodic table", "table": "Elements", "recordIds": .array(ids)]
        return ["name": "delete_records", "arguments": .object(arguments.merging(more))]
    }

    func emptying(_ record: Int) -> JSONObject {
        let update: JSONValue = [
            "recordId": .string(fixture.records[record].id.description), "fields": ["Name": .null],
        ]
        return [
            "name": "update_records",
            "arguments": ["base": "Periodic table", "table": "Elements", "records": [update]],
        ]
    }
}

func withProcess(
    _ kind: DatabaseKind = .sqlite,
    mode: WriteMode = .asking,
    _ body: @escaping @Sendable (ServingProcess) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        try await withGateway(kind, migrations: HiddenEngines.migrations) { fixture in
            try await body(ServingProcess(fixture, directory.path + "/index", mode))
        }
    }
}
