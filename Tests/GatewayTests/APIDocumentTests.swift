import Domain
import Foundation
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("API document, table and router say the same")
struct APIDocumentTests {
    private static let methods: [HTTPRequest.Method] = [.get, .post, .put, .patch, .delete]

    /// A path with identifiers of the right form that nobody has.
    private static func path(_ pattern: RoutePattern) -> String {
        pattern.parameters.reduce(pattern.description) { path, parameter in
            let pattern = parameter.schema.json["pattern"]?.stringValue ?? ""
            let value =
                pattern.contains("{14}")
                ? pattern.dropFirst().prefix(3) + "AAAAAAAAAAAAAA"
                : pattern.contains("{64}") ? String(repeating: "a", count: 64)[...] : "1"
            return path.replacing("{\(parameter.rawValue)}", with: value)
        }
    }

    @Test("AUTHZ-01: the router answers what the document has, with what it declares, and nothing else")
    func router() async throws {
        try await withGateway { fixture in
            let document = try JSONValue(parsing: RouteTable.standard.document)
            let paths = try #require(document["paths"]?.objectValue)
            try await fixture.server().publicApplication.test(.router) { client in
                for (pattern, item) in paths {
                    let path = Self.path(RoutePattern(pattern))
                    let documented = Set(item.objectValue?.keys.map { $0.uppercased() } ?? [])
                    for method in Self.methods {
                        let answer = try await client.send(method, path)
                        let note = Comment(rawValue: "\(method) \(path) \(answer.status)")
                        guard documented.contains(method.rawValue) else {
                            #expect(answer.status == 405, note)
                            let allowed = Set(answer.headers[.allow]?.split(separator: ", ").map(String.init) ?? [])
                            let edge: Set<String> = documented.contains("GET") ? ["HEAD", "OPTIONS"] : ["OPTIONS"]
                            #expect(allowed == documented.union(edge), note)
                            continue
                        }
                        let operation = item[method.rawValue.lowercased()]
                        let isOpen = operation?["security"]?.arrayValue?.isEmpty == true
                        if !isOpen, answer.status != 426 { #expect(answer.status == 401, note) }
                        #expect(operation?["responses"]?["\(answer.status)"] != nil, note)
                    }
                }
                for path in ["/api/v1", "/api/v2/search", "/docs/", "/openapi", "/v0", "/admin", "/metrics"] {
                    #expect(try await client.send(.get, path, key: fixture.key).status == 404, "\(path)")
                }
            }
        }
    }

    @Test("is clean in openapi-spec-validator, and its examples fit")
    func validator() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let result = try await ClientScript.run(
                    "openapi_check.py",
                    ["http://127.0.0.1:\(try #require(client.port))"]
                )
                #expect(result.status == 0, "\(result.output)")
            }
        }
    }

    @Test("has a page that shows all of it, by its own means alone")
    func page() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let url = "http://127.0.0.1:\(try #require(client.port))"
                let result = try await ClientScript.run("docs_page.py", [url])
                #expect(result.status == 0, "\(result.output)")
                #expect(result.output.contains("\"operations\": \(RouteTable.standard.routes.count)"))
                let page = try await client.send(.get, "/docs")
                let policy = page.headers[SecurityHeaders.contentSecurityPolicy] ?? ""
                #expect(policy.hasPrefix("default-src 'none'; script-src 'self'"))
                #expect(!page.text.contains("http://") && !page.text.contains("https://"))
            }
        }
    }

    @Test("GW-12: health, readiness and metrics tell neither versions nor settings")
    func operations() async throws {
        try await withGateway { fixture in
            let server = fixture.server(readiness: [ReadinessCheck("database") { true }])
            try await server.publicApplication.test(.router) { client in
                let health = try await client.send(.get, "/health")
                #expect(health.status == 200 && health.text == #"{"status":"ok"}"#)
                let ready = try await client.send(.get, "/ready")
                #expect(ready.status == 200 && ready.text == #"{"status":"ready","checks":{"database":true}}"#)
                for answer in [health, ready, try await client.send(.get, "/docs"), try await client.send(.get, "/x")] {
                    #expect(answer.headers[.server] == nil)
                    #expect(
                        !answer.headers.contains { $0.value.contains("Hummingbird") || $0.value.contains("pyairtable") }
                    )
                }
                #expect(try await client.send(.get, "/metrics").status == 404)
            }
            let failing = fixture.server(readiness: [ReadinessCheck("database") { false }])
            try await failing.publicApplication.test(.router) { client in
                let ready = try await client.send(.get, "/ready")
                #expect(ready.status == 503)
                #expect(ready.text == #"{"status":"notReady","checks":{"database":false}}"#)
                // The process lives, whatever it depends on.
                #expect(try await client.send(.get, "/health").status == 200)
            }
            let metrics = fixture.metrics.text()
            #expect(metrics.contains("# TYPE"))
            for word in ["version", "sqlite", "postgres", "pat_live", fixture.owner.tenant.description, "/tmp"] {
                #expect(!metrics.contains(word), "\(word)")
            }
        }
    }

    @Test(
        "schemathesis finds no 5xx, no undocumented status and no violated schema in 2,000 cases and more",
        .enabled(if: ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"),
        .timeLimit(.minutes(30))
    )
    func schemathesis() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let url = "http://127.0.0.1:\(try #require(client.port))"
                let result = try await ClientScript.run("schemathesis_run.py", [url, fixture.key], timeout: 1_500)
                #expect(result.status == 0, "\(result.output)")
            }
        }
    }
}
