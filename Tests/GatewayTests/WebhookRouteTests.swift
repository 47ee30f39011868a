import Access
import Airtable
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Webhooks over HTTP")
struct WebhookRouteTests {
    private static let body = """
        {"notificationUrl":"https://hooks.example/x",\
        "specification":{"options":{"filters":{"dataTypes":["tableData"],"changeTypes":["add"]}}}}
        """

    private func path(_ fixture: GatewayFixture) -> String { "/v0/bases/\(fixture.base.id)/webhooks" }

    @Test("are made, listed, read, turned off, refreshed and deleted", arguments: DatabaseKind.allCases)
    func lifeCycle(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let key = try await fixture.key([.webhooksManage])
            let path = path(fixture)
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(.post, path, key: key, body: Self.body)
                #expect(made.status == 200, "\(made.text)")
                let id = try #require(made.json?["id"]?.stringValue)
                #expect(id.hasPrefix("ach") && made.json?["macSecretBase64"]?.stringValue?.count == 44)
                let expires = try #require(made.json?["expirationTime"]?.stringValue)

                let listed = try await client.send(.get, path, key: key)
                let webhook = try #require(listed.json?["webhooks"]?[0])
                #expect(webhook["id"]?.stringValue == id && webhook["macSecretBase64"] == nil)
                #expect(webhook["areNotificationsEnabled"] == true && webhook["isHookEnabled"] == true)
                #expect(webhook["cursorForNextPayload"] == 1 && webhook["lastNotificationResult"] == .null)
                #expect(webhook["notificationUrl"] == "https://hooks.example/x")
                #expect(webhook["expirationTime"]?.stringValue == expires)
                #expect(webhook["specification"]?["options"]?["filters"]?["changeTypes"] == ["add"])

                for name in ["Argon", "Xenon"] {
                    _ = try await fixture.airtable.create(
                        [RecordDraft(fields: ["Name": .string(name)])],
                        in: fixture.elements.id,
                        context: fixture.owner
                    )
                }
                let page = try await client.send(.get, path + "/\(id)/payloads?cursor=1&limit=1", key: key)
                #expect(page.json?["cursor"] == 2 && page.json?["mightHaveMore"] == true)
                let table = page.json?["payloads"]?[0]?["changedTablesById"]?[fixture.elements.id.description]
                let created = table?["createdRecordsById"]?.objectValue?.first?.value
                #expect(created?["cellValuesByFieldId"]?.objectValue?.first?.value == "Argon")
                let rest = try await client.send(.get, path + "/\(id)/payloads?cursor=2", key: key)
                #expect(rest.json?["payloads"]?.arrayValue?.count == 1 && rest.json?["cursor"] == 3)
                #expect(rest.json?["mightHaveMore"] == false)

                let off = try await client.send(
                    .post,
                    path + "/\(id)/enableNotifications",
                    key: key,
                    body: #"{"enable":false}"#
                )
                #expect(off.status == 200 && off.text == "{}")
                // Some clients send an empty object, some nothing at all.
                for body in [nil, "{}"] {
                    let fresh = try await client.send(.post, path + "/\(id)/refresh", key: key, body: body)
                    #expect(fresh.json?["expirationTime"]?.stringValue ?? "" >= expires)
                }
                let again = try await client.send(.get, path, key: key)
                #expect(again.json?["webhooks"]?[0]?["areNotificationsEnabled"] == false)
                #expect(again.json?["webhooks"]?[0]?["cursorForNextPayload"] == 3)

                #expect(try await client.send(.delete, path + "/\(id)", key: key).text == "{}")
                #expect(try await client.send(.get, path, key: key).json?["webhooks"] == [])
                for (method, rest) in [(HTTPRequest.Method.delete, ""), (.get, "/payloads"), (.post, "/refresh")] {
                    let gone = try await client.send(method, path + "/\(id)" + rest, key: key)
                    #expect(gone.status == 404 && gone.json == ["error": "NOT_FOUND"])
                }
            }
        }
    }

    @Test("are refused in Airtable's words", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let others = try await fixture.key(Set(Permission.allCases).subtracting([.webhooksManage]))
            let elsewhere = try await fixture.key([.webhooksManage], bases: [])
            let path = path(fixture)
            let id = try await fixture.webhook()
            let unknown = "/v0/bases/\(BaseID.random())/webhooks"
            let noModel = "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"
            func specification(_ filters: String) -> String {
                #"{"specification":{"options":{"filters":"# + filters + "}}}"
            }
            let cases: [(HTTPRequest.Method, String, String, String?, Int, String)] = [
                (.get, path, others, nil, 403, "INVALID_PERMISSIONS"),
                (.post, path, others, Self.body, 403, "INVALID_PERMISSIONS"),
                (.get, path + "/\(id)/payloads", others, nil, 403, "INVALID_PERMISSIONS"),
                (.get, path, elsewhere, nil, 403, noModel), (.post, path, elsewhere, Self.body, 403, noModel),
                (.get, path + "/\(id)/payloads", elsewhere, nil, 403, noModel),
                (.delete, path + "/\(id)", elsewhere, nil, 403, noModel),
                (.get, unknown, fixture.key, nil, 403, noModel),
                (.get, "/v0/bases/nobase/webhooks", fixture.key, nil, 404, "NOT_FOUND"),
                (.get, path + "/\(WebhookID.random())/payloads", fixture.key, nil, 404, "NOT_FOUND"),
                (.get, path + "/nohook/payloads", fixture.key, nil, 404, "NOT_FOUND"),
                (.get, path + "/\(id)/payloads?cursor=0", fixture.key, nil, 422, "INVALID_REQUEST_UNKNOWN"),
                (.get, path + "/\(id)/payloads?cursor=x", fixture.key, nil, 422, "INVALID_REQUEST_UNKNOWN"),
                (.get, path + "/\(id)/payloads?limit=51", fixture.key, nil, 422, "INVALID_REQUEST_UNKNOWN"),
                (.post, path, fixture.key, "{}", 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (.post, path, fixture.key, "[", 400, "INVALID_REQUEST_BODY"),
                (.post, path, fixture.key, specification("{}"), 422, "INVALID_REQUEST_UNKNOWN"),
                (.post, path, fixture.key, specification(#"{"dataTypes":["x"]}"#), 422, "INVALID_REQUEST_UNKNOWN"),
                (
                    .post, path, fixture.key, #"{"notificationUrl":"file:///etc/passwd","specification":{}}"#, 422,
                    "INVALID_REQUEST_UNKNOWN"
                ),
                (.post, path + "/\(id)/enableNotifications", fixture.key, "{}", 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (
                    .post, path + "/\(id)/enableNotifications", fixture.key, #"{"enable":1}"#, 422,
                    "INVALID_REQUEST_UNKNOWN"
                ),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (method, path, key, body, status, type) in cases {
                    let answer = try await client.send(method, path, key: key, body: body)
                    let error = answer.json?["error"]
                    #expect(answer.status == status, "\(method) \(path) \(body ?? "") \(answer.text)")
                    #expect((error?.stringValue ?? error?["type"]?.stringValue) == type)
                }
                for _ in 0..<(Limits.webhooksPerBase - 1) { _ = try await fixture.webhook() }
                let tooMany = try await client.send(.post, path, key: fixture.key, body: Self.body)
                #expect(tooMany.status == 422)
            }
        }
    }
}
