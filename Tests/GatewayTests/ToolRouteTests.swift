import Access
import Domain
import HTTPTypes
import HummingbirdTesting
import TestSupport
import Testing
import Tools

@testable import Gateway

@Suite("Tools by HTTP")
struct ToolRouteTests {
    private static let place = #"{"base": "Periodic table", "table": "Elements"}"#

    @Test("the tools that the caller may use, with their schemas; each answers as by MCP")
    func calls() async throws {
        try await withHidden(from: .key) { world in
            let (key, tools) = (world.fixture.key, world.engines.tools)
            try await world.server().publicApplication.test(.router) { client in
                let listed = try await client.send(.get, "/api/v1/tools", key: key)
                let names = listed.json?["tools"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
                #expect(names == tools.definitions.map(\.name))
                let first = listed.json?["tools"]?[0]
                #expect(first?["inputSchema"] == tools.definitions[0].inputSchema.json)
                #expect(first?["permission"] == "bases:read" && first?["isReadOnly"] == true)
                let reply = try await client.send(.post, "/api/v1/tools/list_records", key: key, body: Self.place)
                #expect(reply.status == 200)
                let call = ToolCall(name: "list_records", arguments: ["base": "Periodic table", "table": "Elements"])
                let answer = try await tools.call(call, context: world.fixture.owner)
                #expect(reply.json?["structured"] == answer.structured)
                #expect(reply.json?["text"]?.stringValue == answer.text)
                let found = try await client.send(
                    .post,
                    "/api/v1/tools/search_records",
                    key: key,
                    body: #"{"query": "helium"}"#
                )
                #expect(
                    found.json?["links"]?[0]?.stringValue?.hasPrefix("airtable://\(world.fixture.base.id)/") == true
                )
            }
        }
    }

    @Test("what fails is a problem document: no such tool, no permission, wrong arguments, a name that nothing has")
    func problems() async throws {
        try await withHidden(from: .key) { world in
            let draft = APIKeyDraft(name: "few", scopes: [.basesRead])
            let few = try await world.fixture.access.createKey(draft, context: world.fixture.owner).text
            let key = world.fixture.key
            try await world.server().publicApplication.test(.router) { client in
                let some = try await client.send(.get, "/api/v1/tools", key: few)
                #expect(some.json?["tools"]?.arrayValue?.map { $0["name"] } == ["list_bases"])
                for (tool, body, caller, status, code, detail) in [
                    ("no_such_tool", "{}", key, 404, "unknownTool", "no_such_tool"),
                    ("list_records", Self.place, few, 403, "forbidden", "records:read"),
                    ("list_records", #"{"base": "Periodic table"}"#, key, 400, "invalidArguments", "table"),
                    ("list_records", #"{"base": "Periodic table", "table": "Element"}"#, key, 404, nil, "'Elements'?"),
                    (
                        "list_records", #"{"base": "Periodic table", "table": "Elements", "fields": ["Nam"]}"#, key,
                        400,
                        "UNKNOWN_FIELD_NAME", "no field 'Nam' in table Elements; did you mean 'Name'?"
                    ),
                    ("list_bases", "[]", key, 422, nil, ""), ("list_bases", "{", key, 400, nil, ""),
                ] as [(String, String, String, Int, String?, String)] {
                    let reply = try await client.send(.post, "/api/v1/tools/\(tool)", key: caller, body: body)
                    #expect(reply.status == status, "\(tool) \(body): \(reply.text)")
                    #expect(reply.headers[.contentType]?.hasPrefix("application/problem+json") == true)
                    if let code { #expect(reply.json?["code"]?.stringValue == code, "\(reply.text)") }
                    #expect(reply.json?["detail"]?.stringValue?.contains(detail) == true, "\(reply.text)")
                }
                #expect(try await client.send(.get, "/api/v1/tools", key: "pat_live_wrong").status == 401)
            }
        }
    }
}
