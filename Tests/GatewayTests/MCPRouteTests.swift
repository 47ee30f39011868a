import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("MCP over HTTP")
struct MCPRouteTests {
    private static let hello =
        #"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}"#
    private static let list = #"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#

    private static func call(_ id: Int, _ tool: String) -> String {
        #"{"jsonrpc":"2.0","id":\#(id),"method":"tools/call","params":{"name":"\#(tool)"}}"#
    }

    private func sessionID(of answer: Answer) throws -> String {
        let id: String? = answer.headers[.session]
        return try #require(id)
    }

    @Test("a whole session, through the router and on a socket", arguments: [TestingSetup.router, .live])
    func session(_ setup: TestingSetup) async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(setup) { client in
                let hello = try await client.send(.post, "/mcp", key: fixture.key, body: Self.hello)
                #expect(hello.status == 200)
                #expect(hello.headers[.contentType] == "application/json")
                #expect(hello.json?["result"]?["serverInfo"]?["name"] == "fixture")
                let headers: HTTPFields = [
                    .session: try sessionID(of: hello), .version: "2025-11-25",
                    .accept: "application/json, text/event-stream",
                ]
                let ready = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
                let accepted = try await client.send(.post, "/mcp", key: fixture.key, headers: headers, body: ready)
                #expect(accepted.status == 202)
                #expect(accepted.text.isEmpty)
                #expect(accepted.headers[.contentType] == nil)
                let answer = try await client.send(
                    .post,
                    "/mcp",
                    key: fixture.key,
                    headers: headers,
                    body: Self.call(1, "whoami")
                )
                let text = "mcpHTTP \(fixture.owner.principal.user)"
                #expect(answer.json?["result"]?["content"] == [["type": "text", "text": .string(text)]])
                let end = try await client.send(.delete, "/mcp", key: fixture.key, headers: headers)
                #expect(end.status == 204)
                let late = try await client.send(.post, "/mcp", key: fixture.key, headers: headers, body: Self.list)
                #expect(late.status == 404)
                #expect(late.json?["error"]?["code"]?.intValue == -32600)
            }
        }
    }

    @Test("a client that takes events only gets its answer as one")
    func events() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let events: HTTPFields = [.accept: "text/event-stream"]
                let hello = try await client.send(.post, "/mcp", key: fixture.key, headers: events, body: Self.hello)
                #expect(hello.headers[.contentType] == "text/event-stream")
                var headers = events
                headers[.session] = try sessionID(of: hello)
                let list = try await client.send(.post, "/mcp", key: fixture.key, headers: headers, body: Self.list)
                #expect(list.status == 200)
                #expect(list.headers[.contentType] == "text/event-stream")
                #expect(list.text.hasPrefix("event: message\ndata: {"))
                #expect(list.text.hasSuffix("}\n\n"))
                let data = try JSONValue(parsing: String(list.text.dropFirst(21).dropLast(2)))
                #expect(data["result"]?["tools"]?.arrayValue?.count == 3)
                let ready = #"{"jsonrpc":"2.0","method":"notifications/initialized"}"#
                let accepted = try await client.send(.post, "/mcp", key: fixture.key, headers: headers, body: ready)
                #expect(accepted.status == 202)
            }
        }
    }

    @Test("lists what the key may use, and refuses the rest in a result", arguments: DatabaseKind.allCases)
    func permissions(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let expectations: [(Set<Permission>, [String])] = [
                ([.search], ["whoami", "wait"]), ([.recordsWrite], ["write"]), ([.basesRead], []),
                ([.search, .recordsWrite], ["whoami", "write", "wait"]),
            ]
            for (scopes, names) in expectations {
                let key = try await fixture.key(scopes)
                try await fixture.server().publicApplication.test(.router) { client in
                    let hello = try await client.send(.post, "/mcp", key: key, body: Self.hello)
                    let headers: HTTPFields = [.session: try sessionID(of: hello)]
                    let list = try await client.send(.post, "/mcp", key: key, headers: headers, body: Self.list)
                    let tools = list.json?["result"]?["tools"]?.arrayValue?.compactMap { $0["name"]?.stringValue }
                    #expect(tools == names)
                    for tool in ["whoami", "write"] {
                        let body = Self.call(2, tool)
                        let answer = try await client.send(.post, "/mcp", key: key, headers: headers, body: body)
                        #expect(answer.json?["result"]?["isError"]?.boolValue == !names.contains(tool))
                    }
                }
            }
        }
    }

    @Test("every request needs a key, and the session's own")
    func keys() async throws {
        try await withGateway { fixture in
            let other = try await fixture.key([.search])
            try await fixture.server().publicApplication.test(.router) { client in
                let hello = try await client.send(.post, "/mcp", key: fixture.key, body: Self.hello)
                let headers: HTTPFields = [
                    .session: try sessionID(of: hello), .accept: "text/event-stream, application/json",
                ]
                for (method, body) in [(HTTPRequest.Method.post, Self.list), (.get, nil), (.delete, nil)] {
                    for key in [nil, "pat_live_wrong", String(fixture.key.dropLast()) + "x"] {
                        let answer = try await client.send(method, "/mcp", key: key, headers: headers, body: body)
                        #expect(answer.status == 401, "\(method)")
                        let challenge = try #require(answer.headers[.wwwAuthenticate])
                        #expect(challenge.hasPrefix("Bearer "))
                    }
                    let answer = try await client.send(method, "/mcp", key: other, headers: headers, body: body)
                    #expect(answer.status == 404, "\(method) with another key")
                }
                let still = try await client.send(.post, "/mcp", key: fixture.key, headers: headers, body: Self.list)
                #expect(still.status == 200)
            }
        }
    }

    @Test("a foreign page is refused before its key is looked at")
    func origins() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                for origin in ["http://evil.example", "null", "http://localhost:1"] {
                    for key in [fixture.key, nil] {
                        let headers: HTTPFields = [.origin: origin]
                        let answer = try await client.send(.post, "/mcp", key: key, headers: headers, body: Self.hello)
                        #expect(answer.status == 403)
                        #expect(answer.code == "foreignOrigin")
                        #expect(answer.headers[.session] == nil)
                    }
                    for method in [HTTPRequest.Method.get, .delete] {
                        let headers: HTTPFields = [.origin: origin, .accept: "text/event-stream"]
                        #expect(try await client.send(method, "/mcp", key: fixture.key, headers: headers).status == 403)
                    }
                }
                for host in ["localhost", "127.0.0.1"] {
                    let connection = try await RawConnection(port: port)
                    try await connection.send(
                        """
                        POST /mcp HTTP/1.1\r\nHost: \(host):\(port)\r\nOrigin: http://\(host):\(port)\r
                        Authorization: Bearer \(fixture.key)\r\nContent-Type: application/json\r
                        Content-Length: \(Self.hello.utf8.count)\r\nConnection: close\r\n\r\n\(Self.hello)
                        """
                    )
                    #expect(try await connection.readToEnd().hasPrefix("HTTP/1.1 200 "))
                }
                let rebound = try await RawConnection(port: port)
                try await rebound.send(
                    """
                    POST /mcp HTTP/1.1\r\nHost: evil.example:\(port)\r\nAuthorization: Bearer \(fixture.key)\r
                    Content-Type: application/json\r\nContent-Length: \(Self.hello.utf8.count)\r
                    Connection: close\r\n\r\n\(Self.hello)
                    """
                )
                #expect(try await rebound.readToEnd().hasPrefix("HTTP/1.1 403 "))
            }
        }
    }

    @Test("a page that the settings name may call, read the session's id, and see refusals")
    func namedPage() async throws {
        try await withGateway { fixture in
            let origin = "https://inspector.example"
            let server = fixture.server(allowedOrigins: [origin])
            try await server.publicApplication.test(.router) { client in
                for method in ["POST", "GET", "DELETE"] {
                    let ask: HTTPFields = [
                        .origin: origin, .accessControlRequestMethod: method,
                        .accessControlRequestHeaders: "authorization,content-type,mcp-protocol-version,mcp-session-id",
                    ]
                    let answer = try await client.send(.options, "/mcp", key: nil, headers: ask)
                    #expect(answer.status == 204)
                    #expect(answer.headers[.accessControlAllowOrigin] == origin)
                    #expect(answer.headers[.accessControlAllowMethods] == "POST, GET, DELETE")
                    let allowed = Set(
                        (answer.headers[.accessControlAllowHeaders] ?? "").lowercased().split(separator: ", ")
                    )
                    #expect(
                        allowed.isSuperset(of: [
                            "authorization", "content-type", "mcp-protocol-version", "mcp-session-id", "last-event-id",
                        ])
                    )
                    #expect(answer.headers[.accessControlAllowCredentials] == nil)
                    #expect(answer.headers[.vary] == "Origin")
                }
                let page: HTTPFields = [.origin: origin]
                let hello = try await client.send(.post, "/mcp", key: fixture.key, headers: page, body: Self.hello)
                #expect(hello.status == 200 && hello.headers[.session] != nil)
                #expect(hello.headers[.accessControlAllowOrigin] == origin)
                let exposed = hello.headers[.accessControlExposeHeaders] ?? ""
                #expect(exposed.contains("Mcp-Session-Id") && exposed.contains("WWW-Authenticate"))
                let refused = try await client.send(.post, "/mcp", key: nil, headers: page, body: Self.hello)
                #expect(refused.status == 401 && refused.headers[.accessControlAllowOrigin] == origin)
            }
        }
    }

    @Test("no other page is told that it may, nor this one about what is no API")
    func otherPages() async throws {
        try await withGateway { fixture in
            let server = fixture.server(allowedOrigins: ["https://inspector.example"])
            try await server.publicApplication.test(.router) { client in
                func isAllowed(_ path: String, _ origin: String?, asks method: String? = nil) async throws -> Bool {
                    var headers = HTTPFields()
                    headers[.origin] = origin
                    headers[.accessControlRequestMethod] = method
                    let verb: HTTPRequest.Method = method == nil ? .post : .options
                    let body = method == nil ? Self.hello : nil
                    let answer = try await client.send(verb, path, key: fixture.key, headers: headers, body: body)
                    return answer.headers.contains { $0.name.canonicalName.hasPrefix("access-control-") }
                }
                let isNamedAllowed = try await isAllowed("/mcp", "https://inspector.example")
                #expect(isNamedAllowed)
                #expect(try await isAllowed("/mcp", "https://inspector.example", asks: "POST"))
                #expect(try await isAllowed("/mcp", nil) == false)
                #expect(try await isAllowed("/mcp", nil, asks: "POST") == false)
                for origin in [
                    "https://evil.example", "null", "http://inspector.example", "https://inspector.example.evil",
                ] {
                    #expect(try await isAllowed("/mcp", origin) == false, "\(origin)")
                    #expect(try await isAllowed("/mcp", origin, asks: "POST") == false, "\(origin)")
                }
                for path in ["/api/v1/nope", "/nope", "/", "/health"] {
                    #expect(try await isAllowed(path, "https://inspector.example") == false, "\(path)")
                    #expect(try await isAllowed(path, "https://inspector.example", asks: "POST") == false, "\(path)")
                }
                #expect(try await isAllowed("/mcp", "https://inspector.example", asks: "PUT") == false)
                #expect(try await isAllowed("/mcp", "https://inspector.example", asks: "NO METHOD") == false)
            }
        }
    }

    @Test("what is wrong with the HTTP has the status HTTP has for it")
    func statuses() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.router) { client in
                func status(
                    _ method: HTTPRequest.Method,
                    headers: HTTPFields = [:],
                    body: String? = nil,
                    contentType: String? = "application/json"
                ) async throws -> Int {
                    try await client.send(
                        method,
                        "/mcp",
                        key: fixture.key,
                        headers: headers,
                        body: body,
                        contentType: contentType
                    ).status
                }
                #expect(try await status(.post, body: Self.hello, contentType: "text/plain") == 415)
                #expect(try await status(.post, body: Self.hello, contentType: nil) == 415)
                #expect(try await status(.post, headers: [.accept: "text/html"], body: Self.hello) == 406)
                #expect(try await status(.post, headers: [.version: "1999-12-31"], body: Self.hello) == 400)
                #expect(try await status(.post, body: "{") == 400)
                #expect(try await status(.post, body: Self.list) == 400, "no session")
                #expect(try await status(.get, headers: [.accept: "text/event-stream"]) == 405, "no session")
                #expect(try await status(.delete) == 405, "no session")
                #expect(try await status(.delete, headers: [.version: "2025-11-25"]) == 400, "no session")
                #expect(try await status(.delete, headers: [.session: "nope"]) == 404)
                #expect(try await status(.put, body: Self.hello) == 405)
                let long = String(repeating: " ", count: Limits.jsonBytes + 1)
                #expect(try await status(.post, body: long) == 413)
                let probe = try await client.send(
                    .post,
                    "/mcp",
                    key: fixture.key,
                    headers: [.version: "2026-07-28", .method: "server/discover"],
                    body: #"{"jsonrpc":"2.0","id":"d","method":"server/discover","params":{"_meta":"#
                        + #"{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#
                )
                #expect(probe.status == 400)
                #expect(probe.headers[.contentType] == "application/json")
                #expect(probe.json?["id"] == "d")
                #expect(probe.json?["error"]?["code"]?.intValue == -32602)
            }
        }
    }

    @Test("a tool that is still at work when the request's time is over is answered with a result")
    func deadline() async throws {
        try await withGateway { fixture in
            var fixture = fixture
            fixture.mcpTools = FixedTools { try? await Task.sleep(for: .seconds(600)) }
            // A tenth of it is what a busy machine may take to notice.
            let server = fixture.server(requestTimeout: .seconds(8))
            let key = fixture.key
            try await server.publicApplication.test(.router) { client in
                let hello = try await client.send(.post, "/mcp", key: key, body: Self.hello)
                // Who takes streams gets one, which may go on.
                let headers: HTTPFields = [.session: try sessionID(of: hello), .accept: "application/json"]
                let body = Self.call(1, "wait")
                let answer = try await client.send(.post, "/mcp", key: key, headers: headers, body: body)
                #expect(answer.status == 200)
                #expect(answer.json?["result"]?["isError"] == true)
            }
        }
    }

    @Test("the stream of a session opens at once, and ends with the session")
    func listening() async throws {
        try await withGateway { fixture in
            try await fixture.server().publicApplication.test(.live) { client in
                let hello = try await client.send(.post, "/mcp", key: fixture.key, body: Self.hello)
                let session = try sessionID(of: hello)
                let connection = try await RawConnection(port: try #require(client.port))
                try await connection.send(
                    """
                    GET /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(fixture.key)\r
                    Mcp-Session-Id: \(session)\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n
                    """
                )
                async let text = connection.readToEnd()
                try await eventually("the stream is open") {
                    fixture.metrics.text().split(separator: "\n").contains { line in
                        line.hasPrefix("pyairtable_http_streams_open") && line.hasSuffix(" 1")
                    }
                }
                let headers: HTTPFields = [.session: session]
                #expect(try await client.send(.delete, "/mcp", key: fixture.key, headers: headers).status == 204)
                let answer = try await text
                #expect(answer.hasPrefix("HTTP/1.1 200 "))
                #expect(answer.contains("text/event-stream"))
                #expect(answer.contains(": \n\n"))
                #expect(answer.hasSuffix("0\r\n\r\n"), "the stream is whole")
                // HEAD opens no stream.
                let again = try await client.send(.post, "/mcp", key: fixture.key, body: Self.hello)
                let head = try await client.send(
                    .head,
                    "/mcp",
                    key: fixture.key,
                    headers: [.session: try sessionID(of: again), .accept: "text/event-stream"]
                )
                #expect(head.status == 200)
            }
        }
    }
}

extension HTTPField.Name {
    fileprivate static let session = Self("Mcp-Session-Id")!
    fileprivate static let version = Self("MCP-Protocol-Version")!
    fileprivate static let method = Self("Mcp-Method")!
}
