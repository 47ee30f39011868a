import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Emulation of the hosted service's rules")
struct AirtableEmulationTests {
    @Test("five requests a second for each base, then 429 until there is room again")
    func rates() async throws {
        try await withGateway { fixture in
            let time = Guarded(ContinuousClock.now)
            var fixture = fixture
            fixture.emulation = AirtableEmulation(limitsRate: true, now: { time.value })
            let other = try await fixture.airtable.createBase(name: "Other", tables: [], context: fixture.owner)
            let path = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            let meta = "/v0/meta/bases/\(other.base.id)/tables"
            let key = fixture.key
            try await fixture.server().publicApplication.test(.router) { client in
                for _ in 0..<5 { #expect(try await client.send(.get, path, key: key).status == 200) }
                let refused = try await client.send(.get, path, key: key)
                #expect(refused.status == 429)
                #expect(refused.headers[.retryAfter] == "1")
                #expect(refused.json?["error"]?["type"] == "RATE_LIMIT_REACHED")
                // Another base has a bucket of its own, and what is of no base has none.
                #expect(try await client.send(.get, meta, key: key).status == 200)
                #expect(try await client.send(.get, "/v0/meta/bases", key: key).status == 200)
                time.update { $0 += .milliseconds(200) }
                #expect(try await client.send(.get, path, key: key).status == 200)
                #expect(try await client.send(.get, path, key: key).status == 429)
                // A refusal costs nothing, and a pause fills the bucket up, no further.
                time.update { $0 += .seconds(3_600) }
                for _ in 0..<5 { #expect(try await client.send(.get, path, key: key).status == 200) }
                #expect(try await client.send(.get, path, key: key).status == 429)
            }
        }
    }

    @Test("is off unless asked for")
    func off() async throws {
        try await withGateway { fixture in
            let path = "/v0/\(fixture.base.id)/\(fixture.elements.id)"
            let body = #"{"name":"X","workspaceId":"wspAAAAAAAAAAAAAA","tables":[]}"#
            try await fixture.server().publicApplication.test(.router) { client in
                for _ in 0..<20 { #expect(try await client.send(.get, path, key: fixture.key).status == 200) }
                let refused = try await client.send(.post, "/v0/meta/bases", key: fixture.key, body: body)
                #expect(refused.status == 403)
            }
        }
    }
}
