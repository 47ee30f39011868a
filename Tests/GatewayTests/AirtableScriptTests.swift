import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

/// airtable.js needs packages of its own, so its requests are made by hand, as its source makes them: every address with
/// a question mark, writes to several records with a slash before it, `+` for spaces, numbered members, its headers.
@Suite("Requests as airtable.js makes them")
struct AirtableScriptTests {
    private static let headers: HTTPFields = [
        .userAgent: "Airtable.js/0.12.2", .init("x-api-version")!: "0.1.0",
        .init("x-airtable-application-id")!: "appPeriodicTable1",
    ]

    @Test("read, write and delete")
    func requests() async throws {
        try await withGateway { fixture in
            let (key, table) = (fixture.key, "/v0/\(fixture.base.id)/Elements")
            let ids = fixture.records.map(\.id.description)
            try await fixture.server().publicApplication.test(.router) { client in
                func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> JSONValue
                {
                    let answer = try await client.send(method, path, key: key, headers: Self.headers, body: body)
                    #expect(answer.status == 200, "\(method) \(path) \(answer.text)")
                    // It takes nothing but an object.
                    return .object(try #require(answer.json?.objectValue))
                }
                let one = try await send(.post, table + "/?", #"{"fields":{"Name":"Argon","State":"Gas"}}"#)
                let argon = try #require(one["id"]?.stringValue)
                let two = try await send(
                    .post,
                    table + "/?",
                    #"{"records":[{"fields":{"Name":"Krypton"}},{"fields":{"Name":"Xenon gas"}}],"typecast":true}"#
                )
                let made = [argon] + (two["records"]?.arrayValue?.compactMap { $0["id"]?.stringValue } ?? [])
                #expect(made.count == 3)
                let patched = try await send(
                    .patch,
                    table + "/?",
                    #"{"records":[{"id":"\#(made[1])","fields":{"State":"Gas"}}]}"#
                )
                #expect(patched["records"]?[0]?["fields"] == ["Name": "Krypton", "State": "Gas"])
                let put = try await send(
                    .put,
                    table + "/?",
                    #"{"records":[{"id":"\#(made[1])","fields":{"Name":"Kr"}}]}"#
                )
                #expect(put["records"]?[0]?["fields"] == ["Name": "Kr"])
                #expect(try await send(.patch, "\(table)/\(argon)?", #"{"fields":{}}"#)["id"] == .string(argon))
                #expect(try await send(.get, "\(table)/\(argon)?")["fields"]?["Name"] == "Argon")
                let listed = try await send(
                    .get,
                    table + "?fields%5B%5D=Name&fields%5B%5D=State&sort%5B0%5D%5Bfield%5D=State"
                        + "&sort%5B0%5D%5Bdirection%5D=desc&sort%5B1%5D%5Bfield%5D=Name&pageSize=2&maxRecords=3"
                        + "&view=Grid+view&filterByFormula=%7BName%7D!%3D'Xenon+gas'&recordMetadata%5B%5D=commentCount"
                )
                #expect(listed["records"]?.arrayValue?.map { $0["fields"]?["Name"] } == ["Iron", "Argon"])
                #expect(listed["records"]?[0]?["commentCount"] == 0)
                let offset = try #require(listed["offset"]?.stringValue)
                let rest = try await send(
                    .get,
                    table + "?fields%5B%5D=Name&fields%5B%5D=State&sort%5B0%5D%5Bfield%5D=State"
                        + "&sort%5B0%5D%5Bdirection%5D=desc&sort%5B1%5D%5Bfield%5D=Name&pageSize=2&maxRecords=3"
                        + "&view=Grid+view&filterByFormula=%7BName%7D!%3D'Xenon+gas'&recordMetadata%5B%5D=commentCount"
                        + "&offset=\(offset)"
                )
                #expect(rest["records"]?.arrayValue?.map { $0["fields"]?["Name"] } == ["Helium"])
                #expect(rest["offset"] == nil)
                // Time zone and locale stand in both, and the method in the body.
                let posted = try await send(
                    .post,
                    table + "/listRecords?timeZone=Europe%2FParis&userLocale=fr",
                    #"{"method":"post","cellFormat":"string","timeZone":"Europe/Paris","userLocale":"fr","fields":["Isotopes"],"maxRecords":1}"#
                )
                #expect(posted["records"]?[0]?["fields"] == ["Isotopes": "Helium-3"])
                let query = "records%5B%5D=\(made[1])&records%5B%5D=\(made[2])"
                let deleted = try await send(.delete, table + "?" + query)
                #expect(deleted["records"]?.arrayValue?.map { $0["id"]?.stringValue } == [made[1], made[2]])
                #expect(try await send(.delete, "\(table)/\(argon)?")["deleted"] == true)
                #expect(try await send(.get, table + "/?")["records"]?.arrayValue?.map { $0["id"]?.stringValue } == ids)
            }
        }
    }

    @Test("a slash at the end is passed over under /v0 only, and one of them only")
    func slashes() throws {
        let table = RouteTable.standard
        let plain = try table.match(.get, "/v0/meta/whoami").position
        #expect(try table.match(.get, "/v0/meta/whoami/").position == plain)
        for path in ["/v0/meta/whoami//", "/v0//", "/v0/", "/api/v1/airtable/bases/", "/health/"] {
            #expect(throws: GatewayError.self) { try table.match(.get, path[...]) }
        }
    }
}
