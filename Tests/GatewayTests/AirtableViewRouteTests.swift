import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Views by HTTP")
struct AirtableViewRouteTests {
    @Test(
        "are made, read, changed and deleted, by Airtable's paths and by ours",
        arguments: ["/v0/meta/bases", "/api/v1/airtable/bases"]
    )
    func life(_ bases: String) async throws {
        try await withGateway { fixture in
            let (key, base, elements) = (fixture.key, "\(bases)/\(fixture.base.id)", fixture.elements)
            let (name, state) = (elements.fields[0].id, elements.fields[1].id)
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(
                    .post,
                    "\(base)/tables/\(elements.id)/views",
                    key: key,
                    body: #"{"name":"Gases","type":"grid","filterByFormula":"State='Gas'","#
                        + #""sort":[{"field":"Name","direction":"desc"}],"visibleFieldIds":["State"]}"#
                )
                #expect(made.status == 200, "\(made.text)")
                let id = try #require(made.json?["id"]?.stringValue)
                let view: JSONValue = [
                    "id": .string(id), "name": "Gases", "type": "grid",
                    "visibleFieldIds": [.string(name.description), .string(state.description)],
                    "filterByFormula": "{State}='Gas'",
                    "sort": [["field": .string(name.description), "direction": "desc"]],
                ]
                #expect(made.json == view)
                let views = try await client.send(.get, "\(base)/views", key: key)
                #expect(views.json?["views"]?.arrayValue?.map { $0["name"] } == ["Grid view", "Gases", "Grid view"])
                #expect(views.json?["views"]?[1] == view)
                #expect(try await client.send(.get, "\(base)/views/\(id)", key: key).json == view)
                let changed = try await client.send(
                    .patch,
                    "\(base)/views/\(id)",
                    key: key,
                    body: #"{"name":"All","filterByFormula":null,"sort":null,"visibleFieldIds":null}"#
                )
                #expect(
                    changed.json == [
                        "id": .string(id), "name": "All", "type": "grid",
                        "visibleFieldIds": .array(elements.fields.map { .string($0.id.description) }),
                    ]
                )
                let kept = try await client.send(.patch, "\(base)/views/\(id)", key: key, body: "{}")
                #expect(kept.json == changed.json)
                let deleted = try await client.send(.delete, "\(base)/views/\(id)", key: key)
                #expect(deleted.json == ["id": .string(id), "deleted": true])
                let gone = try await client.send(.get, "\(base)/views/\(id)", key: key)
                #expect(gone.status == 404)
                if bases.hasPrefix("/v0") { #expect(gone.json?["error"]?["type"] == "MODEL_ID_NOT_FOUND") }
            }
        }
    }

    @Test("stand in the meta schema, with their fields when these are asked for")
    func meta() async throws {
        try await withGateway { fixture in
            let (key, path) = (fixture.key, "/v0/meta/bases/\(fixture.base.id)/tables")
            let first = "viw" + fixture.elements.id.description.dropFirst(3)
            let head: JSONObject = ["id": .string(first), "name": "Grid view", "type": "grid"]
            var shown = head
            shown["visibleFieldIds"] = .array(fixture.elements.fields.map { .string($0.id.description) })
            let whole = shown
            try await fixture.server().publicApplication.test(.router) { client in
                for (query, expected) in [
                    ("", head), ("?include=visibleFieldIds", whole), ("?include[]=visibleFieldIds", whole),
                    ("?include%5B%5D=visibleFieldIds", whole), ("?include=other", head),
                ] {
                    let answer = try await client.send(.get, path + query, key: key)
                    #expect(answer.json?["tables"]?[0]?["views"] == [.object(expected)], "\(query)")
                }
            }
        }
    }

    @Test("a list by view has its records and order; all fields, unless told")
    func listing() async throws {
        try await withGateway { fixture in
            let (key, table) = (fixture.key, "/v0/\(fixture.base.id)/Elements")
            let draft = ViewDraft(
                name: "Gäse",
                filter: "State='Gas'",
                sort: [.init(field: "Name", isDescending: true)],
                visibleFields: ["Name"]
            )
            let view = try await fixture.airtable.createView(draft, in: fixture.elements.id, context: fixture.owner)
            try await fixture.server().publicApplication.test(.router) { client in
                func names(_ answer: Answer) -> [JSONValue?] {
                    answer.json?["records"]?.arrayValue?.map { $0["fields"]?["Name"] } ?? []
                }
                let listed = try await client.send(.get, "\(table)?view=G%C3%A4se", key: key)
                #expect(names(listed) == ["Neon", "Helium"])
                #expect(listed.json?["records"]?[1]?["fields"]?["State"] == "Gas")
                let byID = #"{"view":"\#(view.id)","sort":[{"field":"Name"}]}"#
                #expect(
                    names(try await client.send(.post, "\(table)/listRecords", key: key, body: byID)) == [
                        "Helium", "Neon",
                    ]
                )
                let filtered = "\(table)?view=\(view.id)&filterByFormula=Name%3D'Neon'&fields[]=State"
                #expect(
                    try await client.send(.get, filtered, key: key).json?["records"]?[0]?["fields"] == ["State": "Gas"]
                )
                #expect(names(try await client.send(.get, "\(table)?view=", key: key)).count == 3)
                let unknown = try await client.send(.get, "\(table)?view=Gases", key: key)
                #expect(unknown.status == 422)
                #expect(unknown.json?["error"]?["type"] == "VIEW_NAME_NOT_FOUND")
            }
        }
    }

    @Test("are refused in Airtable's shape")
    func refusals() async throws {
        try await withGateway { fixture in
            let base = "/v0/meta/bases/\(fixture.base.id)"
            let views = "\(base)/tables/Elements/views"
            let first = "viw" + fixture.elements.id.description.dropFirst(3)
            let requests: [(HTTPRequest.Method, String, String?, Int, JSONValue)] = [
                (.post, views, #"{"name":"grid view"}"#, 422, "DUPLICATE_VIEW_NAME"),
                (.post, views, #"{"name":"K","type":"kanban"}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (.post, views, #"{"type":"grid"}"#, 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (.post, views, #"{"name":"K","filterByFormula":"("}"#, 422, "INVALID_FILTER_BY_FORMULA"),
                (.post, views, #"{"name":"K","sort":[{"field":"No"}]}"#, 422, "UNKNOWN_FIELD_NAME"),
                (.post, views, #"{"name":"K","sort":[{}]}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (.delete, "\(base)/views/\(first)", nil, 422, "INVALID_REQUEST_UNKNOWN"),
                (.get, "\(base)/views/viwAAAAAAAAAAAAAA", nil, 404, "MODEL_ID_NOT_FOUND"),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (method, path, body, status, type) in requests {
                    let answer = try await client.send(method, path, key: fixture.key, body: body)
                    #expect(answer.status == status, "\(method) \(path) \(body ?? "")")
                    #expect(answer.json?["error"]?["type"] == type, "\(method) \(path) \(body ?? "")")
                }
                let nonsense = try await client.send(.get, "\(base)/views/nonsense", key: fixture.key)
                #expect(nonsense.status == 404 && nonsense.json == ["error": "NOT_FOUND"])
            }
        }
    }
}
