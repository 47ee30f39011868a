import Airtable
import Domain
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

@Suite("Changing bases, tables and records by the platform's own paths")
struct PlatformWriteRouteTests {
    @Test("records are made, changed, upserted and deleted with the bodies of /v0")
    func records() async throws {
        try await withGateway { fixture in
            let (key, path) = (fixture.key, fixture.tablePath + "/records")
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(.post, path, key: key, body: #"{"fields":{"Name":"Argon"}}"#)
                #expect(made.status == 200)
                let id = try #require(made.json?["id"]?.stringValue)
                #expect(made.json?["fields"] == ["Name": "Argon"])
                let body =
                    #"{"records":[{"fields":{"Name":"Argon","State":"Gas"}}],"performUpsert":{"fieldsToMergeOn":["Name"]}}"#
                let merged = try await client.send(.patch, path, key: key, body: body)
                #expect(merged.json?["updatedRecords"] == [.string(id)])
                #expect(merged.json?["createdRecords"] == [])
                let changed = try await client.send(
                    .patch,
                    "\(path)/\(id)",
                    key: key,
                    body: #"{"fields":{"State":null}}"#
                )
                #expect(changed.json?["fields"] == ["Name": "Argon"])
                let got = try await client.send(.get, "\(path)/\(id)", key: key)
                #expect(got.json?["createdTime"] == made.json?["createdTime"])
                let deleted = try await client.send(.delete, "\(path)/\(id)", key: key)
                #expect(deleted.json == ["id": .string(id), "deleted": true])
                #expect(try await client.send(.get, "\(path)/\(id)", key: key).status == 404)
                let many = try await client.send(
                    .delete,
                    "\(path)?records[]=\(fixture.records[0].id)&records[]=\(fixture.records[1].id)",
                    key: key
                )
                #expect(many.json?["records"]?.arrayValue?.count == 2)
                let left = try await client.send(.get, path, key: key)
                #expect(left.json?["records"]?.arrayValue?.count == 1)
            }
        }
    }

    @Test("bases and tables are made and deleted")
    func schema() async throws {
        try await withGateway { fixture in
            let (key, path) = (fixture.key, "/api/v1/airtable/bases")
            try await fixture.server().publicApplication.test(.router) { client in
                let body =
                    #"{"name":"Lab","tables":[{"name":"Rooms","fields":[{"name":"Name","type":"singleLineText"}]}]}"#
                let made = try await client.send(.post, path, key: key, body: body)
                let id = try #require(made.json?["id"]?.stringValue)
                #expect(made.json?["tables"]?[0]?["name"] == "Rooms")
                let table = try await client.send(
                    .post,
                    "\(path)/\(id)/tables",
                    key: key,
                    body: #"{"name":"Tools","fields":[{"name":"Name","type":"singleLineText"}]}"#
                )
                let tableID = try #require(table.json?["id"]?.stringValue)
                #expect(try await client.send(.get, "\(path)/\(id)/tables/\(tableID)", key: key).status == 200)
                #expect(try await client.send(.delete, "\(path)/\(id)/tables/\(tableID)", key: key).status == 200)
                #expect(try await client.send(.get, "\(path)/\(id)/tables/\(tableID)", key: key).status == 404)
                #expect(try await client.send(.delete, "\(path)/\(id)", key: key).status == 200)
                #expect(try await client.send(.get, "\(path)/\(id)", key: key).status == 404)
            }
        }
    }

    @Test("failures are problem documents here")
    func problems() async throws {
        try await withGateway { fixture in
            let path = fixture.tablePath + "/records"
            let requests: [(HTTPRequest.Method, String, String?, Int, String)] = [
                (.post, path, "{", 400, "unexpectedEnd"),
                (.post, path, "{}", 400, "INVALID_REQUEST_MISSING_FIELDS"),
                (.post, path, #"{"fields":{"Nope":1}}"#, 400, "UNKNOWN_FIELD_NAME"),
                (.patch, path + "/recAAAAAAAAAAAAAA", #"{"fields":{}}"#, 404, "NOT_FOUND"),
                (.delete, path + "/recAAAAAAAAAAAAAA", nil, 404, "NOT_FOUND"),
                (.delete, path, nil, 400, "INVALID_REQUEST_MISSING_FIELDS"),
                (
                    .post, "/api/v1/airtable/bases", #"{"name":"Periodic table","tables":[]}"#, 409,
                    "DUPLICATE_BASE_NAME"
                ),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (method, path, body, status, code) in requests {
                    let answer = try await client.send(method, path, key: fixture.key, body: body)
                    #expect(answer.status == status, "\(method) \(path)")
                    #expect(answer.code == code, "\(method) \(path)")
                    #expect(answer.headers[.contentType] == "application/problem+json")
                }
            }
        }
    }
}
