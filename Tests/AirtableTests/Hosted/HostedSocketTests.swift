import Domain
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("The hosted service over a socket")
struct HostedSocketTests {
    @Test("reads, writes and a connection that is cut in between; the token goes in its header only")
    func socket() async throws {
        let upstream = HostedStandIn { [2, 6].contains($0) ? .cutAfter : nil }
        upstream.add(
            base: HostedBench.base.description,
            name: "Base",
            [
                HostedStandIn.Table(
                    id: "tblAAAAAAAAAAAAAA",
                    name: "Things",
                    fields: [["id": "fldAAAAAAAAAAAAAA", "name": "Name", "type": "singleLineText"]]
                )
            ]
        )
        let server = try RawServer { peer in
            while let request = try peer.request() {
                let reply = upstream.handle(
                    String(request.line.prefix { $0 != " " }),
                    String(request.path.dropFirst("/prefix/v0/".count)),
                    body: request.body,
                    token: request.header("authorization") ?? "",
                    at: .now
                )
                switch reply {
                case .cut: return peer.reset()
                case .answer(let status, let body): try peer.reply(status, String(decoding: body, as: UTF8.self))
                }
            }
        }
        let calls = OutgoingCalls(allowing: [AllowedHost(host: "127.0.0.1", port: server.port)])
        let client = HostedClient(
            transport: calls.transport,
            configuration: try HostedConfiguration(endpoint: "\(server.url)/prefix/"),
            random: { 0 }
        )
        let call = HostedCall(token: OutboundSecret("patSecret"), caller: "ann", deadline: .now + .seconds(60))
        let target = HostedTarget(base: HostedBench.base, table: "Things")
        let made = try await client.create([["Name": "one"]], in: target, call)
        let id = try made[0].get().id
        let updated = try await client.update([RecordUpdate(id: id, fields: ["Name": "two"])], in: target, call)
        #expect(try updated[0].get().fields["Name"] == "two")
        #expect(try await client.record(id, of: "Things", in: target.base, call).fields["Name"] == "two")
        await #expect(throws: AirtableError(.notFound, "")) {
            _ = try await client.record(.random(), of: "Things", in: target.base, call)
        }
        // A create on a pooled connection that dies is not sent again behind our backs, as the update was.
        let lost = try await client.create([["Name": "lost"]], in: target, call)
        #expect(throws: AirtableError(.writeUncertain, "")) { try lost[0].get() }
        #expect(upstream.arrivals.map(\.method) == ["POST", "PATCH", "PATCH", "GET", "GET", "POST"])
        #expect(upstream.arrivals.allSatisfy { $0.token == "Bearer patSecret" && !$0.target.contains("patSecret") })
        client.shutdown()
        await calls.shutdown()
    }
}
