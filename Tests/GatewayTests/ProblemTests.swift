import Access
import Airtable
import Database
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Search
import Testing

@testable import Gateway

@Suite("Problems")
struct ProblemTests {
    private func expectProblem(_ answer: Answer, _ status: Int, _ code: String, path: String) throws {
        #expect(answer.status == status)
        #expect(answer.headers[.contentType] == "application/problem+json")
        let problem = try #require(answer.json)
        #expect(Problem.schema.violations(of: problem) == [])
        #expect(problem["status"]?.intValue == status)
        #expect(problem["code"]?.stringValue == code)
        #expect(problem["type"]?.stringValue == "urn:pyairtable:problem:\(code)")
        #expect(problem["instance"]?.stringValue == path)
        #expect(problem["requestId"]?.stringValue == answer.headers[RequestIdentifier.header])
    }

    @Test("an unknown address is 404")
    func notFound() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for path in ["/nothing", "/api/v1/nothing", "/%2e%2e/health", "/admin", "/metrics"] {
                    let answer = try await client.send(.get, "\(path)?q=x")
                    try expectProblem(answer, 404, "notFound", path: path)
                }
            }
        }
    }

    @Test("GW-08: a wrong method is 405 and says which are right")
    func methodNotAllowed() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let methods: [HTTPRequest.Method] = [.post, .put, .delete, .patch, .trace, .init("BREW")!]
                for method in methods {
                    let answer = try await client.send(method, "/health")
                    try expectProblem(answer, 405, "methodNotAllowed", path: "/health")
                    #expect(answer.headers[.allow] == "GET, HEAD, OPTIONS")
                }
                let search = try await client.send(.get, "/api/v1/search", key: fixture.key)
                #expect(search.status == 405)
                #expect(search.headers[.allow] == "OPTIONS, POST")
                // An override in a header changes nothing.
                let override = try await client.send(
                    .get,
                    "/api/v1/search",
                    headers: [.init("X-HTTP-Method-Override")!: "POST"]
                )
                #expect(override.status == 405)
            }
        }
    }

    @Test("GW-08: OPTIONS says what an address takes")
    func options() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.options, "/api/v1/search")
                #expect(answer.status == 204)
                #expect(answer.headers[.allow] == "OPTIONS, POST")
                #expect(answer.headers[.contentLength] == nil)
                #expect(answer.text.isEmpty)
                #expect(answer.headers[.accessControlAllowOrigin] == nil)
                #expect(try await client.send(.options, "/nothing").status == 404)
            }
        }
    }

    @Test("GW-08: HEAD is GET without its body")
    func head() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for path in ["/", "/health", "/openapi.json", "/nothing", "/api/v1/airtable/bases"] {
                    let get = try await client.send(.get, path, key: fixture.key)
                    let head = try await client.send(.head, path, key: fixture.key)
                    #expect(head.status == get.status)
                    #expect(head.text.isEmpty)
                    #expect(head.headers[.contentType] == get.headers[.contentType])
                    if path != "/nothing" { #expect(head.headers[.contentLength] == "\(get.text.utf8.count)") }
                }
            }
        }
    }

    @Test(
        "INP-08: a body that is not plain JSON is 415",
        arguments: [
            nil, "text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1",
            "application/jsonx", "multipart/form-data; boundary=x", "",
        ]
    )
    func mediaType(_ contentType: String?) async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(
                    .post,
                    "/api/v1/search",
                    key: fixture.key,
                    body: #"{"query":"x"}"#,
                    contentType: contentType
                )
                try expectProblem(answer, 415, "unsupportedMediaType", path: "/api/v1/search")
            }
        }
    }

    @Test("parameters of the media type that change nothing are taken")
    func mediaTypeParameters() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for type in ["application/json; charset=utf-8", "Application/JSON;charset=\"UTF-8\""] {
                    let answer = try await client.send(
                        .post,
                        "/api/v1/search",
                        key: fixture.key,
                        body: #"{"query":"x"}"#,
                        contentType: type
                    )
                    #expect(answer.status == 200)
                }
                let compressed = try await client.send(
                    .post,
                    "/api/v1/search",
                    key: fixture.key,
                    headers: [.contentEncoding: "gzip"],
                    body: #"{"query":"x"}"#
                )
                #expect(compressed.status == 415)
            }
        }
    }

    @Test(
        "INP-03: what is no JSON is 400",
        arguments: [
            "", "{", "nonsense", #"{"query":"x"} {}"#, #"{"query":"x","query":"y"}"#, "\u{FEFF}{\"query\":\"x\"}",
            #"{"query":"\ud800"}"#, #"{"query":1e999}"#, "[" + String(repeating: "[", count: 100),
        ]
    )
    func malformed(_ body: String) async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.post, "/api/v1/search", key: fixture.key, body: body)
                #expect((400...413).contains(answer.status), "\(body.prefix(20)) \(answer.text)")
                #expect(answer.headers[.contentType] == "application/problem+json")
            }
        }
    }

    @Test(
        "JSON of another shape is 422 and names what is wrong",
        arguments: [
            ("[]", "object"), ("null", "object"), ("{}", "query"), (#"{"query":""}"#, "query"),
            (#"{"query":7}"#, "query"), (#"{"query":"x","limit":0}"#, "limit"),
            (#"{"query":"x","limit":101}"#, "limit"),
            (#"{"query":"x","limit":"5"}"#, "limit"), (#"{"query":"x","bases":"b"}"#, "bases"),
            (#"{"query":"x","role":"admin"}"#, "role"), (#"{"query":"x","tenantId":"t"}"#, "tenantId"),
        ]
    )
    func wrongShape(_ body: String, _ named: String) async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.post, "/api/v1/search", key: fixture.key, body: body)
                try expectProblem(answer, 422, "invalidBody", path: "/api/v1/search")
                #expect(answer.json?["detail"]?.stringValue?.contains(named) == true, "\(answer.text)")
            }
        }
    }

    @Test("INP-02: a body over the route's limit is 413")
    func tooLarge() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let body = "{\"query\":\"\(String(repeating: "a", count: Limits.searchBodyBytes))\"}"
                let answer = try await client.send(.post, "/api/v1/search", key: fixture.key, body: body)
                try expectProblem(answer, 413, "bodyTooLarge", path: "/api/v1/search")
                let long = try await client.send(.get, "/" + String(repeating: "a", count: Limits.uriBytes))
                #expect(long.status == 414)
                // The longest query with every character escaped still fits.
                let escaped = String(repeating: "\\ud83d\\ude00", count: Limits.queryCharacters)
                let fits = try await client.send(
                    .post,
                    "/api/v1/search",
                    key: fixture.key,
                    body: "{\"query\":\"\(escaped)\"}"
                )
                #expect(fits.status == 200)
            }
        }
    }

    struct SecretiveFailure: Failure {
        enum Code: String, Sendable { case broken }
        let code = Code.broken
        let kind: FailureKind
        let message = "table access_keys in /srv/data is broken"
        let hint: String? = "chmod 600 /srv/data"
        let detail: String? = "SELECT secret FROM access_keys"
    }

    struct ForeignError: Error {
        let secret = "SELECT secret FROM access_keys"
    }

    @Test(
        "GW-09: what is wrong on our side is not told, but logged",
        arguments: zip(
            [FailureKind.internal, .corrupt, .notConfigured, .busy, .timedOut, .cancelled],
            [500, 500, 503, 503, 504, 503]
        )
    )
    func covered(_ kind: FailureKind, _ status: Int) async throws {
        try await withGateway { fixture in
            let search = FixedSearch { _, _ in throw SecretiveFailure(kind: kind) }
            try await fixture.server(search: search).publicApplication.test(.router) { client in
                let answer = try await client.send(.post, "/api/v1/search", key: fixture.key, body: #"{"query":"x"}"#)
                try expectProblem(answer, status, "broken", path: "/api/v1/search")
                for secret in ["access_keys", "/srv/data", "SELECT", "chmod"] { #expect(!answer.text.contains(secret)) }
                if kind == .busy { #expect(answer.headers[.retryAfter] == "1") }
                #expect(fixture.log.lines.contains { $0.text.contains("access_keys") })
            }
        }
    }

    @Test("GW-09: an error of nobody's is 500 without its text")
    func foreign() async throws {
        try await withGateway { fixture in
            let search = FixedSearch { _, _ in throw ForeignError() }
            try await fixture.server(search: search).publicApplication.test(.router) { client in
                let answer = try await client.send(.post, "/api/v1/search", key: fixture.key, body: #"{"query":"x"}"#)
                try expectProblem(answer, 500, "internal", path: "/api/v1/search")
                #expect(!answer.text.contains("SELECT"))
                #expect(!answer.text.contains("ForeignError"))
                #expect(fixture.log.lines.contains { $0.level == .error && $0.text.contains("ForeignError") })
            }
        }
    }

    @Test("a request that takes too long is cancelled and answered 504")
    func deadline() async throws {
        try await withGateway { fixture in
            let search = FixedSearch { _, _ in
                try await Task.sleep(for: .seconds(600))
                return SearchResponse(hits: [], tookMilliseconds: 0)
            }
            let server = fixture.server(search: search, requestTimeout: .milliseconds(200))
            try await server.publicApplication.test(.router) { client in
                let answer = try await client.send(.post, "/api/v1/search", key: fixture.key, body: #"{"query":"x"}"#)
                try expectProblem(answer, 504, "timedOut", path: "/api/v1/search")
            }
        }
    }

    @Test("every kind of failure has a status, and only ours are covered")
    func table() {
        for kind in FailureKind.allCases {
            let status = ProblemStatus.status(of: kind)
            #expect((400...599).contains(status.code))
            #expect((ProblemStatus.cover(for: kind) != nil) == (status.code >= 500))
            #expect(ProblemStatus.title(of: status) != "Server error" || status.code == 500)
        }
        for code in GatewayError.Code.allCases {
            let status = ProblemStatus.status(of: GatewayError(code, "x"))
            #expect(ProblemStatus.title(of: status) != "Server error")
        }
    }
}
