import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Testing

@testable import Gateway

@Suite("Pages of other origins")
struct CrossOriginTests {
    private static let page = "https://notes.example"
    private static let paths = ["/api/v1/airtable/bases", "/v0/meta/bases", "/v1/models"]

    private static func isNamed(_ answer: Answer) -> Bool {
        answer.headers.contains { $0.name.canonicalName.hasPrefix("access-control-") }
    }

    @Test("GW-05: a named page may call the API in all its dialects, without credentials of the browser")
    func named() async throws {
        try await withGateway { fixture in
            try await fixture.server(allowedOrigins: [Self.page]).publicApplication.test(.router) { client in
                for path in Self.paths {
                    let ask: HTTPFields = [
                        .origin: Self.page, .accessControlRequestMethod: "GET",
                        .accessControlRequestHeaders: "authorization",
                    ]
                    let preflight = try await client.send(.options, path, headers: ask)
                    #expect(preflight.status == 204, "\(path)")
                    #expect(preflight.headers[.accessControlAllowOrigin] == Self.page)
                    #expect(preflight.headers[.accessControlAllowMethods]?.contains("GET") == true)
                    #expect(preflight.headers[.accessControlAllowHeaders]?.contains("Idempotency-Key") == true)
                    #expect(preflight.headers[.accessControlMaxAge] == "7200")
                    #expect(preflight.headers[.vary] == "Origin")
                    let answer = try await client.send(.get, path, key: fixture.key, headers: [.origin: Self.page])
                    #expect(answer.status == 200, "\(path)")
                    #expect(answer.headers[.accessControlAllowOrigin] == Self.page)
                    #expect(answer.headers[.accessControlExposeHeaders]?.contains("RateLimit") == true)
                    for given in [preflight, answer] {
                        #expect(given.headers[.accessControlAllowCredentials] == nil)
                        #expect(given.headers[.accessControlAllowOrigin] != "*")
                    }
                    // A page may read why it was refused.
                    let refused = try await client.send(.get, path, headers: [.origin: Self.page])
                    #expect(refused.status == 401)
                    #expect(refused.headers[.accessControlAllowOrigin] == Self.page)
                }
            }
        }
    }

    @Test("GW-05: nobody else is let in, nothing is reflected, and caches are told that it depends")
    func foreign() async throws {
        try await withGateway { fixture in
            try await fixture.server(allowedOrigins: [Self.page]).publicApplication.test(.router) { client in
                let foreign = [
                    "null", "https://evil.example", "https://notes.example.evil", "https://evil-notes.example",
                    "http://notes.example", "https://notes.example:444", "https://a.notes.example", "*", "",
                    "https://notes.example, https://evil.example",
                ]
                for path in Self.paths {
                    for origin in foreign {
                        let ask: HTTPFields = [.origin: origin, .accessControlRequestMethod: "GET"]
                        for answer in [
                            try await client.send(.options, path, headers: ask),
                            try await client.send(.get, path, key: fixture.key, headers: [.origin: origin]),
                        ] {
                            #expect(!Self.isNamed(answer), "\(path) \(origin)")
                            #expect(answer.headers[.vary] == "Origin", "\(path) \(origin)")
                        }
                    }
                    #expect(try await client.send(.get, path, key: fixture.key).headers[.vary] == "Origin")
                }
            }
        }
    }

    @Test("GW-05: without a setting no page of another origin may anything")
    func none() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for path in Self.paths + ["/mcp", "/", "/health", "/openapi.json"] {
                    let ask: HTTPFields = [.origin: Self.page, .accessControlRequestMethod: "GET"]
                    let answer = try await client.send(.options, path, headers: ask)
                    #expect(!Self.isNamed(answer), "\(path)")
                }
            }
        }
    }
}

@Suite("What is agreed on")
struct NegotiationTests {
    @Test(
        "INP-08: who takes something else than an address gives is told so",
        arguments: [
            ("application/json", 200), ("*/*", 200), ("application/*", 200), ("text/html, */*;q=0.1", 200),
            ("application/json;q=0.5, text/html", 200), ("APPLICATION/JSON", 200), ("", 200),
            ("text/html", 406), ("application/xml", 406), ("application/json;q=0", 406), ("*/*;q=0", 406),
            ("text/html;q=0", 200),
            ("application/json;q=0, */*", 406), ("text/*", 406), ("application/*;q=0, */*;q=1", 406),
        ]
    )
    func accept(_ accept: String, _ status: Int) async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for path in ["/health", "/api/v1/airtable/bases"] {
                    let answer = try await client.send(.get, path, key: fixture.key, headers: [.accept: accept])
                    #expect(answer.status == status, "\(path)")
                    if status == 406 {
                        #expect(answer.headers[.contentType] == "application/problem+json")
                        #expect(answer.code == "notAcceptable")
                    }
                }
                // An address that gives events as well takes who wants those.
                let events = try await client.send(
                    .post,
                    "/v1/chat/completions",
                    key: fixture.key,
                    headers: [.accept: "text/event-stream"],
                    body: "{}"
                )
                #expect(events.status != 406)
            }
        }
    }

    @Test("GW-10: a trace is continued: its name is the request's when the client gives no other")
    func trace() async throws {
        let traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
        let good = "00-\(traceID)-00f067aa0ba902b7-01"
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(
                    .get,
                    "/api/v1/airtable/bases",
                    key: fixture.key,
                    headers: [TraceParent.header: good]
                )
                #expect(answer.headers[RequestIdentifier.header] == traceID)
                let line = try #require(fixture.log.lines.last { $0.message == "request" })
                #expect(line.metadata["trace_id"] == .string(traceID))
                #expect(line.metadata["parent_span_id"] == "00f067aa0ba902b7")
                let named = try await client.send(
                    .get,
                    "/nothing",
                    headers: [TraceParent.header: good, RequestIdentifier.header: "request-0003"]
                )
                #expect(named.headers[RequestIdentifier.header] == "request-0003")
                #expect(fixture.log.lines.last { $0.message == "request" }?.metadata["trace_id"] == .string(traceID))
            }
        }
        for wrong in [
            "", "x", "00-\(traceID)-00f067aa0ba902b7", "00-\(traceID.uppercased())-00f067aa0ba902b7-01",
            "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01", "00-\(traceID)-0000000000000000-01",
            "ff-\(traceID)-00f067aa0ba902b7-01", good + "-x", "00-\(traceID)x-00f067aa0ba902b7-01",
        ] {
            #expect(TraceParent([TraceParent.header: wrong]) == nil, "\(wrong)")
        }
        #expect(TraceParent([TraceParent.header: "01-\(traceID)-00f067aa0ba902b7-00-later"])?.isSampled == false)
    }
}
