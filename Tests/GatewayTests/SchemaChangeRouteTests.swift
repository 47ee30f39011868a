import Access
import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Changing a schema by HTTP")
struct SchemaChangeRouteTests {
    @Test(
        "bases, tables, fields and choices are renamed, described, deleted, by Airtable's paths and by ours",
        arguments: ["/v0/meta/bases", "/api/v1/airtable/bases"]
    )
    func life(_ bases: String) async throws {
        try await withGateway { fixture in
            let (key, elements) = (fixture.key, fixture.elements)
            let base = "\(bases)/\(fixture.base.id)"
            let table = "\(base)/tables/\(elements.id)"
            let state = try #require(elements.field("State"))
            let solid = try #require(state.options.choices?.last)
            try await fixture.server().publicApplication.test(.router) { client in
                func send(_ method: HTTPRequest.Method, _ path: String, _ body: String? = nil) async throws -> Answer {
                    let answer = try await client.send(method, path, key: key, body: body)
                    #expect(answer.status == 200, "\(method) \(path) \(answer.text)")
                    return answer
                }
                let renamed = try await send(.patch, base, #"{"name":"Chemistry"}"#)
                #expect(renamed.json?["name"] == "Chemistry")
                let described = try await send(.patch, table, #"{"name":"Stuff","description":"All of it"}"#)
                #expect(described.json?["name"] == "Stuff" && described.json?["description"] == "All of it")
                #expect(described.json?["views"]?.arrayValue?.count == 1)
                #expect(described.json?["fields"]?.arrayValue?.count == elements.fields.count)
                #expect(try await send(.patch, table, #"{"description":null}"#).json?["description"] == nil)
                let field = try await send(
                    .patch,
                    "\(table)/fields/State",
                    #"{"name":"Phase","description":"At rest"}"#
                )
                #expect(field.json?["id"] == .string(state.id.description) && field.json?["name"] == "Phase")
                #expect(field.json?["description"] == "At rest")
                let choices =
                    #"{"options":{"choices":[{"id":"\#(solid.id)","name":"Firm"},{"name":"Plasma"}]},"#
                    + #""enableSelectFieldChoiceDeletion":true}"#
                let changed = try await send(.patch, "\(table)/fields/\(state.id)", choices)
                #expect(
                    changed.json?["options"]?["choices"]?.arrayValue?.map { $0["name"] } == ["Firm", "Plasma"]
                )
                let gone = try await send(.delete, "\(table)/fields/Phase/choices/\(solid.id)")
                #expect(gone.json == ["id": .string(solid.id.description), "deleted": true])
                let records = try await fixture.airtable.records(
                    fixture.records.map(\.id),
                    in: elements.id,
                    context: fixture.owner
                )
                #expect(records.allSatisfy { $0.cells[state.id] == nil })
                let deleted = try await send(.delete, "\(table)/fields/Phase")
                #expect(deleted.json == ["id": .string(state.id.description), "deleted": true])
                let made = try await send(
                    .post,
                    "\(table)/fields",
                    #"{"name":"Mass","type":"number","options":{"precision":1}}"#
                )
                #expect(made.json?["type"] == "number")
                let read = try await send(.get, "\(base)/tables")
                #expect(
                    read.json?["tables"]?[0]?["fields"]?.arrayValue?.map { $0["name"] } == ["Name", "Isotopes", "Mass"]
                )
            }
        }
    }

    @Test("is refused where there is nothing, and for what must stay")
    func refusals() async throws {
        try await withGateway { fixture in
            let base = "/v0/meta/bases/\(fixture.base.id)"
            let table = base + "/tables/Elements"
            let model: JSONValue = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"
            let requests: [(HTTPRequest.Method, String, String?, Int, JSONValue)] = [
                (.patch, base, "{}", 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (.patch, "/v0/meta/bases/appAAAAAAAAAAAAAA", #"{"name":"x"}"#, 403, model),
                (.patch, table, #"{"name":"isotopes"}"#, 422, "DUPLICATE_TABLE_NAME"),
                (.patch, table, #"{"name":7}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (.patch, base + "/tables/Nowhere", #"{"name":"x"}"#, 403, model),
                (.patch, table + "/fields/Nowhere", #"{"name":"x"}"#, 403, model),
                (.patch, table + "/fields/State", #"{"name":"Name"}"#, 422, "DUPLICATE_OR_EMPTY_FIELD_NAME"),
                (
                    .patch, table + "/fields/State", #"{"options":{"choices":[]}}"#, 422,
                    "INVALID_FIELD_TYPE_OPTIONS_FOR_CREATE"
                ),
                (.delete, table + "/fields/Name", nil, 422, "INVALID_REQUEST_UNKNOWN"),
                (.delete, table + "/fields/State/choices/selAAAAAAAAAAAAAA", nil, 403, model),
                (.get, "/v0/meta/workspaces/wspAAAAAAAAAAAAAA", nil, 403, model),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (method, path, body, status, type) in requests {
                    let answer = try await client.send(method, path, key: fixture.key, body: body)
                    #expect(answer.status == status, "\(method) \(path) \(answer.text)")
                    #expect(answer.json?["error"]?["type"] == type, "\(method) \(path)")
                }
            }
        }
    }

    @Test("a base and its workspace tell who works in them, to keys that may read records")
    func collaborators() async throws {
        try await withGateway { fixture in
            let (user, base) = (fixture.owner.principal.user, fixture.base)
            try await fixture.access.setEmail("owner@example.org", of: user, context: fixture.owner)
            let path = "/v0/meta/bases/\(base.id)"
            let all = "?include=collaborators&include=inviteLinks&include=interfaces"
            let onlyBases = try await fixture.key([.basesRead])
            let other = try await fixture.airtable.createBase(name: "Other", tables: [], context: fixture.owner)
            let oneBase = try await fixture.key([.basesRead], bases: [base.id])
            try await fixture.server().publicApplication.test(.router) { client in
                let bare = try await client.send(.get, path, key: fixture.key)
                #expect(
                    bare.json == [
                        "id": .string(base.id.description), "name": "Periodic table",
                        "createdTime": .string(base.createdTime.iso8601), "permissionLevel": "create",
                        "workspaceId": .string(base.workspace.description),
                    ]
                )
                let full = try await client.send(.get, path + all, key: fixture.key)
                let people = full.json?["individualCollaborators"]?["workspaceCollaborators"]
                #expect(people?[0]?["userId"] == .string(user.description))
                #expect(people?[0]?["email"] == "owner@example.org" && people?[0]?["permissionLevel"] == "owner")
                #expect(full.json?["interfaces"] == [:] && full.json?["inviteLinks"]?["baseInviteLinks"] == [])
                let narrow = try await client.send(.get, path + all, key: onlyBases)
                #expect(narrow.status == 200 && narrow.json?["individualCollaborators"] == nil)
                #expect(narrow.json?["permissionLevel"] == "none")
                let workspace = "/v0/meta/workspaces/\(base.workspace)"
                let whole = try await client.send(.get, workspace + "?include[]=collaborators", key: fixture.key)
                let ids: [JSONValue] = [.string(base.id.description), .string(other.base.id.description)]
                #expect(whole.json?["baseIds"] == .array(ids))
                #expect(whole.json?["individualCollaborators"]?["workspaceCollaborators"] == people)
                let scoped = try await client.send(.get, workspace, key: oneBase)
                #expect(scoped.json?["baseIds"] == [ids[0]])
                let whoami = try await client.send(.get, "/v0/meta/whoami", key: fixture.key)
                #expect(whoami.json?["email"] == "owner@example.org")
            }
        }
    }
}
