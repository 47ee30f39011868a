import Airtable
import Domain
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Airtable's API, by pyairtable")
struct AirtableClientTests {
    @Test("bases, tables, records, models and refusals, over a real socket", arguments: DatabaseKind.allCases)
    func officialClient(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            var fixture = fixture
            fixture.emulation = AirtableEmulation(acceptsAnyWorkspace: true)
            let reader = try await fixture.key([.basesRead, .schemaRead, .recordsRead])
            let (key, base, user) = (fixture.key, fixture.base.id, fixture.owner.principal.user)
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                let result = try await ClientServer.run(
                    "airtable_client.py",
                    ["http://127.0.0.1:\(port)", key, reader, base.description, user.description]
                )
                #expect(result.status == 0, "\(result.errors)")
            }
        }
    }

    @Test("models with every class of field", arguments: DatabaseKind.allCases)
    func models(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            var fixture = fixture
            fixture.emulation = AirtableEmulation(acceptsAnyWorkspace: true)
            let (key, user) = (fixture.key, fixture.owner.principal.user)
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                let result = try await ClientServer.run(
                    "airtable_models.py",
                    ["http://127.0.0.1:\(port)", key, user.description]
                )
                #expect(result.status == 0, "\(result.errors)")
            }
        }
    }
}
