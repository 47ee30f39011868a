import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Jobs
import TestSupport
import Testing

@testable import Gateway

@Suite("Requests that depend on a state")
struct ConditionTests {
    @Test("INP-11: one thing has a tag that changes when it does, and is not sent again while it has not")
    func reading() async throws {
        try await withGateway { fixture in
            let record = "\(fixture.tablePath)/records/\(fixture.records[1].id)"
            let same = "/v0/\(fixture.base.id)/\(fixture.elements.id)/\(fixture.records[1].id)"
            try await fixture.server().publicApplication.test(.router) { client in
                for path in [record, same, fixture.tablePath, "/api/v1/airtable/bases/\(fixture.base.id)"] {
                    let first = try await client.send(.get, path, key: fixture.key)
                    guard first.status == 200 else { continue }
                    let tag = try #require(first.headers[.eTag], "\(path)")
                    #expect(tag.wholeMatch(of: /"[0-9a-f]{32}"/) != nil)
                    for values in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                        let again = try await client.send(.get, path, key: fixture.key, headers: [.ifNoneMatch: values])
                        #expect(again.status == 304, "\(path) \(values)")
                        #expect(again.text.isEmpty)
                        #expect(again.headers[.eTag] == tag)
                        #expect(again.headers[.cacheControl] == "no-store")
                    }
                    let other = try await client.send(.get, path, key: fixture.key, headers: [.ifNoneMatch: "\"x\""])
                    #expect(other.status == 200)
                }
                let before = try await client.send(.get, record, key: fixture.key)
                let twin = try await client.send(.get, same, key: fixture.key)
                #expect(before.headers[.eTag] == twin.headers[.eTag], "the same record by two ways")
                let changed = try await client.send(
                    .patch,
                    record,
                    key: fixture.key,
                    body: #"{"fields":{"Name":"Ferrum"}}"#
                )
                let after = try await client.send(.get, record, key: fixture.key)
                #expect(after.headers[.eTag] != before.headers[.eTag])
                #expect(
                    changed.headers[.eTag] == after.headers[.eTag],
                    "the answer to a write has the tag of its state"
                )
                // Nobody without a key learns whether something changed.
                let anonymous = try await client.send(.get, record, headers: [.ifNoneMatch: "*"])
                #expect(anonymous.status == 401)
            }
        }
    }

    @Test("INP-11: a write that means another state is refused and changes nothing", arguments: DatabaseKind.allCases)
    func writing(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let record = "\(fixture.tablePath)/records/\(fixture.records[1].id)"
            let body = #"{"fields":{"Name":"Ferrum"}}"#
            try await fixture.server().publicApplication.test(.router) { client in
                let tag = try #require(try await client.send(.get, record, key: fixture.key).headers[.eTag])
                for wrong in ["\"x\"", "W/\(tag)", "\"x\", \"y\"", ""] {
                    for method in [HTTPRequest.Method.patch, .delete] {
                        let refused = try await client.send(
                            method,
                            record,
                            key: fixture.key,
                            headers: [.ifMatch: wrong],
                            body: method == .patch ? body : nil
                        )
                        #expect(refused.status == 412, "\(method) \(wrong)")
                        #expect(refused.code == "preconditionFailed")
                    }
                }
                #expect(try await client.send(.get, record, key: fixture.key).headers[.eTag] == tag)
                let airtable = "/v0/\(fixture.base.id)/Elements/\(fixture.records[1].id)"
                let refused = try await client.send(
                    .put,
                    airtable,
                    key: fixture.key,
                    headers: [.ifMatch: "\"x\""],
                    body: body
                )
                #expect(refused.status == 412)
                #expect(refused.text.contains("PRECONDITION_FAILED"))
                let taken = try await client.send(
                    .patch,
                    record,
                    key: fixture.key,
                    headers: [.ifMatch: "\"x\", \(tag)"],
                    body: body
                )
                #expect(taken.status == 200)
                let stale = try await client.send(
                    .patch,
                    record,
                    key: fixture.key,
                    headers: [.ifMatch: tag],
                    body: body
                )
                #expect(stale.status == 412)
                let missing = try await client.send(
                    .patch,
                    "\(fixture.tablePath)/records/recAAAAAAAAAAAAAA",
                    key: fixture.key,
                    headers: [.ifMatch: "*"],
                    body: body
                )
                #expect(missing.status == 404)
                #expect(
                    try await client.send(.delete, record, key: fixture.key, headers: [.ifMatch: "*"]).status == 200
                )
            }
        }
    }

    @Test(
        "INP-11: of many writers that read the same state one wins, so no update is lost",
        arguments: DatabaseKind.allCases
    )
    func race(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let record = "\(fixture.tablePath)/records/\(fixture.records[1].id)"
            try await fixture.server().publicApplication.test(.router) { client in
                let tag = try #require(try await client.send(.get, record, key: fixture.key).headers[.eTag])
                let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<16 {
                        group.addTask {
                            try await client.send(
                                .patch,
                                record,
                                key: fixture.key,
                                headers: [.ifMatch: tag],
                                body: "{\"fields\":{\"Name\":\"Iron \(number)\"}}"
                            ).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.count { $0 == 200 } == 1)
                #expect(statuses.count { $0 == 412 } == 15)
            }
        }
    }
}

@Suite("Requests that are sent again")
struct IdempotencyTests {
    private static func body(_ name: String) -> String {
        "{\"name\":\"\(name)\",\"tables\":[{\"name\":\"T\",\"fields\":[{\"name\":\"Name\",\"type\":\"singleLineText\"}]}]}"
    }

    private static let path = "/api/v1/airtable/bases"

    private static func send(
        _ client: any TestClientProtocol,
        _ fixture: GatewayFixture,
        _ key: String,
        _ name: String = "Once",
        as caller: String? = nil
    ) async throws -> Answer {
        try await client.send(
            .post,
            path,
            key: caller ?? fixture.key,
            headers: [IdempotentRequest.header: key],
            body: body(name)
        )
    }

    private static func count(_ name: String, _ client: any TestClientProtocol, _ fixture: GatewayFixture) async throws
        -> Int
    {
        try await client.send(.get, path, key: fixture.key).text.components(separatedBy: "\"\(name)\"").count - 1
    }

    @Test("INP-10: the same request is done once and answered alike", arguments: DatabaseKind.allCases)
    func once(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let first = try await Self.send(client, fixture, "k-1")
                #expect((200...201).contains(first.status), "\(first.text)")
                #expect(first.headers[IdempotentRequest.replayed] == nil)
                for _ in 0..<3 {
                    let again = try await Self.send(client, fixture, "k-1")
                    #expect(again.status == first.status)
                    #expect(again.text == first.text)
                    #expect(again.headers[.contentType] == first.headers[.contentType])
                    #expect(again.headers[IdempotentRequest.replayed] == "true")
                }
                #expect(try await Self.count("Once", client, fixture) == 1)
                let other = try await Self.send(client, fixture, "k-1", "Other")
                #expect(other.status == 422)
                #expect(other.code == "idempotencyKeyReused")
                #expect(try await Self.count("Other", client, fixture) == 0)
                // Another caller's key of the same name is another key.
                let caller = try await fixture.key([.schemaWrite, .schemaRead, .basesRead])
                let theirs = try await Self.send(client, fixture, "k-1", as: caller)
                #expect(theirs.headers[IdempotentRequest.replayed] == nil)
                #expect(theirs.text != first.text)
            }
        }
    }

    @Test("INP-10: of many at once one is done", arguments: DatabaseKind.allCases)
    func atOnce(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
                    for _ in 0..<12 { group.addTask { try await Self.send(client, fixture, "k-2", "Race") } }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                for answer in answers {
                    #expect([200, 201, 409].contains(answer.status), "\(answer.text)")
                    if answer.status == 409 { #expect(answer.code == "idempotencyKeyInUse") }
                }
                #expect(answers.contains { $0.status < 300 })
                #expect(try await Self.count("Race", client, fixture) == 1)
            }
        }
    }

    @Test("INP-10: what was refused may be sent again, mended or not")
    func refused() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let headers: HTTPFields = [IdempotentRequest.header: "k-3"]
                for _ in 0..<2 {
                    let refused = try await client.send(
                        .post,
                        Self.path,
                        key: fixture.key,
                        headers: headers,
                        body: "{}"
                    )
                    #expect(refused.status >= 400 && refused.status != 409, "\(refused.text)")
                }
                #expect((200...201).contains(try await Self.send(client, fixture, "k-3", "Mended").status))
                for wrong in ["", String(repeating: "k", count: 256), "é"] {
                    let answer = try await Self.send(client, fixture, wrong)
                    #expect(answer.status == 400, "\(wrong.prefix(10))")
                }
            }
        }
    }

    @Test("INP-10: a work of which nobody knows whether it was done is not done again")
    func unknown() async throws {
        try await withGateway { fixture async throws in
            let replies = KeptReplies(database: fixture.database)
            let tenant = fixture.owner.tenant
            let key = ReplyKey(caller: "key", route: "r", key: "k")
            let claim = { () async throws -> KeptReplies.Claim in
                try await replies.claim(key, fingerprint: [1], now: .now(), deadline: nil, tenant: tenant)
            }
            // As after a crash: claimed, and never answered.
            #expect(try await claim() == .mine)
            #expect(try await claim() == .inUse)
        }
    }

    @Test("only routes that do something that must not be done twice take a key, and none keeps a secret")
    func routes() {
        for route in RouteTable.standard.routes where route.takesIdempotencyKey {
            #expect(route.method == .post)
            #expect(route.pattern.description.hasPrefix("/api/v1/"))
            #expect(!route.isOpen)
        }
        let names = RouteTable.standard.routes.filter(\.takesIdempotencyKey).map(\.name)
        #expect(names.contains("createBase") && names.contains("createRecords"))
        let ticket = RouteTable.standard.routes.first { $0.pattern.description == "/api/v1/chat/tickets" }
        #expect(ticket?.keepsReplies == false)
    }
}
