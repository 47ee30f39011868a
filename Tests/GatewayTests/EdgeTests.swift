import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Logging
import Search
import Synchronization
import Testing

@testable import Gateway

@Suite("What every answer has")
struct EdgeTests {
    @Test("GW-07: security headers, and nothing that may be kept")
    func headers() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for path in ["/health", "/api/v1/airtable/bases", "/nothing", "/openapi.json", "/"] {
                    let answer = try await client.send(.get, path, key: fixture.key)
                    #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                    #expect(answer.headers[.init("Referrer-Policy")!] == "no-referrer")
                    #expect(answer.headers[.init("X-Frame-Options")!] == "DENY")
                    #expect(answer.headers[.init("Cross-Origin-Resource-Policy")!] == "same-origin")
                    let policy = try #require(answer.headers[.init("Content-Security-Policy")!])
                    #expect(policy.contains("default-src 'none'"))
                    #expect(policy.contains("frame-ancestors 'none'"))
                    #expect(!policy.contains("unsafe"))
                    #expect(answer.headers[.cacheControl] == (path == "/" ? "no-cache" : "no-store"))
                    #expect(answer.headers[.server] == nil)
                    #expect(answer.headers[.accessControlAllowOrigin] == nil)
                }
            }
        }
    }

    @Test("GW-10: a request id: the client's when it is plain, else one of ours")
    func requestID() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                for plain in ["abcdefgh", "A-1_b2c3", String(repeating: "x", count: 64)] {
                    let answer = try await client.send(.get, "/nothing", headers: [RequestIdentifier.header: plain])
                    #expect(answer.headers[RequestIdentifier.header] == plain)
                    #expect(answer.json?["requestId"]?.stringValue == plain)
                }
                var made: Set<String> = []
                let wild = [
                    "", "short", String(repeating: "x", count: 65), "has space", "a\"b'c<d>e", "éééééééé",
                    // A key in the wrong header must not get into the log.
                    "pat_live_00000000000000_0000000000",
                ]
                for text in wild {
                    let answer = try await client.send(.get, "/health", headers: [RequestIdentifier.header: text])
                    let id = try #require(answer.headers[RequestIdentifier.header])
                    #expect(id != text)
                    #expect(id.count == 20)
                    made.insert(id)
                }
                #expect(made.count == wild.count)
            }
        }
    }

    @Test("AUD-03: a log line that has the route and never the query or a body")
    func accessLog() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                _ = try await client.send(
                    .post,
                    "/api/v1/search",
                    key: fixture.key,
                    headers: [RequestIdentifier.header: "request-0001"],
                    body: #"{"query":"my private words"}"#
                )
                _ = try await client.send(.get, "/nothing/private-path?private=words")
                let lines = fixture.log.lines.filter { $0.level == .info }
                #expect(lines.count == 2)
                #expect(lines[0].message == "request")
                #expect(lines[0].metadata["route"] == "/api/v1/search")
                #expect(lines[0].metadata["status"]?.description == "200")
                #expect(lines[0].metadata["method"] == "POST")
                #expect(lines[0].metadata["request_id"] == "request-0001")
                #expect(lines[0].metadata["origin"] == "http")
                #expect(lines[0].metadata["tenant"]?.description.hasPrefix("ten") == true)
                #expect(lines[0].metadata["key"]?.description.hasPrefix("key") == true)
                #expect(lines[1].metadata["route"] == "unmatched")
                #expect(lines[1].metadata["code"] == "notFound")
                for line in fixture.log.lines {
                    #expect(!line.text.contains("private"))
                    #expect(!line.text.contains(fixture.key))
                }
            }
        }
    }

    @Test("the search gets the request and the caller's context")
    func search() async throws {
        try await withGateway { fixture in
            let seen = Mutex<(SearchRequest, Domain.RequestContext)?>(nil)
            let search = FixedSearch { request, context in
                seen.withLock { $0 = (request, context) }
                return SearchResponse(hits: SearchResponse.sample.hits, tookMilliseconds: 1.5)
            }
            try await fixture.server(search: search).publicApplication.test(.router) { client in
                let answer = try await client.send(
                    .post,
                    "/api/v1/search",
                    key: fixture.key,
                    headers: [RequestIdentifier.header: "request-0002"],
                    body: #"{"query":"noble gas","bases":["Periodic table"],"tables":["Elements"],"limit":3}"#
                )
                #expect(answer.status == 200)
                #expect(SearchResponse.schema.violations(of: try #require(answer.json)) == [])
                #expect(answer.json?["hits"]?[0]?["recordId"]?.stringValue == Sample.record.description)
                let (request, context) = try #require(seen.withLock { $0 })
                #expect(
                    request
                        == SearchRequest(
                            query: "noble gas",
                            bases: ["Periodic table"],
                            tables: ["Elements"],
                            limit: 3
                        )
                )
                #expect(context.id == "request-0002")
                #expect(context.origin == .http)
                #expect(context.principal.user == fixture.owner.principal.user)
            }
        }
    }

    @Test("GW-12: ready says what is missing, health asks nothing")
    func readiness() async throws {
        try await withGateway { fixture in
            let isOpen = Mutex(false)
            let checks = [
                ReadinessCheck("database") { true },
                ReadinessCheck("index") { isOpen.withLock { $0 } },
            ]
            try await fixture.server(readiness: checks).publicApplication.test(.router) { client in
                let before = try await client.send(.get, "/ready")
                #expect(before.status == 503)
                #expect(before.json == ["status": "notReady", "checks": ["database": true, "index": false]])
                #expect(try await client.send(.get, "/health").json == ["status": "ok"])
                isOpen.withLock { $0 = true }
                let after = try await client.send(.get, "/ready")
                #expect(after.status == 200)
                #expect(ReadinessWire.schema.violations(of: try #require(after.json)) == [])
                #expect(after.json?["status"] == "ready")
            }
        }
    }

    @Test("the API document is served as it is rendered")
    func document() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let answer = try await client.send(.get, "/openapi.json")
                #expect(answer.status == 200)
                #expect(answer.headers[.contentType] == "application/json")
                #expect(Array(answer.text.utf8) == RouteTable.standard.document)
            }
        }
    }
}

@Suite("The page")
struct PageTests {
    @Test("GW-07: is served with a policy that takes only its own files")
    func served() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                let types = [
                    "/": "text/html; charset=utf-8", "/page.css": "text/css; charset=utf-8",
                    "/page.js": "text/javascript; charset=utf-8", "/icon.svg": "image/svg+xml; charset=utf-8",
                ]
                for (path, type) in types {
                    let answer = try await client.send(.get, path)
                    #expect(answer.status == 200)
                    #expect(answer.headers[.contentType] == type)
                    #expect(answer.headers[SecurityHeaders.contentSecurityPolicy] == PageRoutes.contentSecurityPolicy)
                    #expect(answer.text.utf8.count > 100)
                }
            }
        }
    }

    private static func text(_ files: [UInt8]...) -> String {
        files.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "\n")
    }

    private static let script = text(
        PackageResources.page_js,
        PackageResources.api_js,
        PackageResources.markup_js,
        PackageResources.answer_js,
        PackageResources.chat_js
    )

    @Test("LLM-07, LLM-09: has no inline script or style, asks nothing from outside, and makes no markup of text")
    func selfContained() throws {
        let html = String(decoding: PackageResources.page_html, as: UTF8.self)
        let css = Self.text(PackageResources.page_css, PackageResources.chat_css)
        let script = Self.script
        for match in html.matches(of: /<script[^>]*>(.*?)<\/script>/) { #expect(match.1.isEmpty) }
        #expect(!html.contains("<style"))
        #expect(html.firstMatch(of: /\sstyle\s*=/) == nil)
        #expect(html.firstMatch(of: /\son[a-z]+\s*=/) == nil)
        for match in html.matches(of: /(?:src|href)="([^"]*)"/) {
            #expect(match.1.hasPrefix("/") && !match.1.hasPrefix("//") || match.1.hasPrefix("#"), "\(match.1)")
        }
        // The name of a namespace is no address that is asked.
        for text in [html, css, script.replacing("http://www.w3.org/2000/svg", with: "")] {
            #expect(text.firstMatch(of: /https?:\/\/[a-z]/) == nil)
            #expect(!text.contains("@import"))
        }
        for sink in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "localStorage"] {
            #expect(!script.contains(sink), "\(sink)")
        }
    }

    @Test("every control has a name, and every identifier the script asks for is there")
    func accessible() {
        let html = String(decoding: PackageResources.page_html, as: UTF8.self)
        let script = Self.script
        for match in script.matches(of: /\$\("([a-z-]+)"\)/) {
            #expect(html.contains("id=\"\(match.1)\""), "\(match.1)")
        }
        #expect(html.contains("<html lang="))
        for input in ["query", "key", "question"] {
            #expect(html.contains("<label for=\"\(input)\">") || html.contains("for=\"\(input)\""))
        }
        #expect(html.contains("aria-live"))
    }
}
