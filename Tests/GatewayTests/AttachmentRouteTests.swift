import Access
import Airtable
import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Files of attachments over HTTP")
struct AttachmentRouteTests {
    /// An upload's body; the file in lines of 76, as pyairtable sends it.
    static func body(_ name: String, _ bytes: [UInt8], type: String? = nil) -> String {
        var lines = ""
        for (number, digit) in Base64.text(bytes).enumerated() {
            if number > 0, number % 76 == 0 { lines += "\n" }
            lines.append(digit)
        }
        var members: JSONObject = ["filename": .string(name), "file": .string(lines + "\n")]
        members["contentType"] = type.map { .string($0) }
        return JSONValue.object(members).text
    }

    private func path(_ fixture: GatewayFixture, _ field: String = "Files", record: RecordID? = nil) -> String {
        "/v0/\(fixture.base.id)/\(record ?? fixture.records[0].id)/\(field)/uploadAttachment"
    }

    /// The path of the link to the cell's last file.
    private func link(_ answer: Answer, _ field: Field) throws -> String {
        let files = try #require(answer.json?["fields"]?[field.id.description]?.arrayValue)
        let url = try #require(files.last?["url"]?.stringValue)
        let start = try #require(url.firstRange(of: "/attachments/"))
        return String(url[start.lowerBound...])
    }

    @Test("are appended by both paths, and read back byte by byte", arguments: DatabaseKind.allCases)
    func roundTrip(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let field = try await fixture.filesField()
            let bytes = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
            try await fixture.server().publicApplication.test(.router) { client in
                let first = try await client.send(
                    .post,
                    path(fixture),
                    key: fixture.key,
                    body: Self.body("a b.bin", bytes, type: "application/x-thing")
                )
                #expect(first.status == 200, "\(first.text)")
                #expect(first.json?["id"]?.stringValue == fixture.records[0].id.description)
                #expect(first.json?["fields"]?.objectValue?.count == 1, "no other cell")
                let file = try #require(first.json?["fields"]?[field.id.description]?[0])
                #expect(file["filename"] == "a b.bin" && file["size"] == 300_000)
                #expect(file["type"] == "application/x-thing" && file["thumbnails"] == nil)

                let second = try await client.send(
                    .post,
                    fixture.tablePath + "/records/\(fixture.records[0].id)/\(field.id)/uploadAttachment",
                    key: fixture.key,
                    body: Self.body("b.txt", Array("hello".utf8))
                )
                let names = second.json?["fields"]?[field.id.description]?.arrayValue?.map { $0["filename"] }
                #expect(names == ["a b.bin", "b.txt"])

                let read = try await client.executeRequest(
                    uri: link(first, field),
                    method: .get,
                    headers: [:],
                    body: nil
                )
                #expect(read.status == .ok && Array(buffer: read.body) == bytes)
                #expect(read.headers[.contentType] == "application/x-thing")
                #expect(read.headers[.contentLength] == "300000")
                let text = try await client.send(.get, link(second, field))
                #expect(text.text == "hello" && text.headers[.contentType] == "text/plain")

                // Every way to read the record shows the link.
                for path in [
                    "/v0/\(fixture.base.id)/Elements/\(fixture.records[0].id)",
                    fixture.tablePath + "/records/\(fixture.records[0].id)",
                ] {
                    let record = try await client.send(.get, path, key: fixture.key)
                    #expect(record.json?["fields"]?["Files"]?[1]?["url"]?.stringValue?.hasSuffix("/b.txt") == true)
                }
                for path in ["/v0/\(fixture.base.id)/Elements", fixture.tablePath + "/records"] {
                    let list = try await client.send(.get, path, key: fixture.key)
                    let url = list.json?["records"]?[0]?["fields"]?["Files"]?[0]?["url"]?.stringValue
                    #expect(url?.hasSuffix("/a%20b.bin") == true)
                }
            }
        }
    }

    @Test("are sent whole, in part, or not again")
    func ranges() async throws {
        try await withGateway { fixture in
            let field = try await fixture.filesField()
            try await fixture.server().publicApplication.test(.live) { client in
                let made = try await client.send(
                    .post,
                    path(fixture),
                    key: fixture.key,
                    body: Self.body("digits.txt", Array("0123456789".utf8))
                )
                let link = try link(made, field)
                let whole = try await client.send(.get, link)
                #expect(whole.status == 200 && whole.text == "0123456789")
                #expect(whole.headers[.acceptRanges] == "bytes" && whole.headers[.contentLength] == "10")
                let tag = try #require(whole.headers[.eTag])

                let part = try await client.send(.get, link, headers: [.range: "bytes=2-4"])
                #expect(part.status == 206 && part.text == "234")
                #expect(part.headers[.contentRange] == "bytes 2-4/10" && part.headers[.contentLength] == "3")
                let tail = try await client.send(.get, link, headers: [.range: "bytes=-2", .ifRange: tag])
                #expect(tail.status == 206 && tail.text == "89")
                let changed = try await client.send(.get, link, headers: [.range: "bytes=-2", .ifRange: "\"other\""])
                #expect(changed.status == 200 && changed.text == "0123456789")
                let behind = try await client.send(.get, link, headers: [.range: "bytes=10-"])
                #expect(behind.status == 416 && behind.headers[.contentRange] == "bytes */10")

                let same = try await client.send(.get, link, headers: [.ifNoneMatch: "\"other\", W/\(tag)"])
                #expect(same.status == 304 && same.text.isEmpty && same.headers[.eTag] == tag)
                let head = try await client.send(.head, link)
                #expect(head.status == 200 && head.text.isEmpty && head.headers[.contentLength] == "10")
                // The connection is still good: nothing of a body was left on it.
                #expect(try await client.send(.get, link).text == "0123456789")
            }
        }
    }

    @Test(
        "INP-12: that could run are saved instead of shown, in a sandbox without rights",
        arguments: [
            ("page.html", "<!doctype html><script>alert(1)</script>", "text/html", "attachment"),
            ("p.png", "<html><script>alert(1)</script>", "text/html", "attachment"),
            (
                "x.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "image/svg+xml",
                "attachment"
            ),
            ("x.jpg", "<?xml version='1.0'?><svg onload='alert(1)'/>", "image/svg+xml", "attachment"),
            ("a.js", "alert(1)", "text/javascript", "attachment"),
            ("d.pdf", "%PDF-1.7", "application/pdf", "attachment"),
            ("n.txt", "just text", "text/plain", "inline"),
        ]
    )
    func hostile(_ name: String, _ text: String, _ type: String, _ kind: String) async throws {
        try await withGateway { fixture in
            let field = try await fixture.filesField()
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(
                    .post,
                    path(fixture),
                    key: fixture.key,
                    body: Self.body(name, Array(text.utf8), type: "image/png")
                )
                let read = try await client.send(.get, link(made, field))
                #expect(read.text == text && read.headers[.contentType] == type)
                #expect(read.headers[.contentDisposition]?.hasPrefix("\(kind); filename=\"\(name)\"") == true)
                #expect(read.headers[.xContentTypeOptions] == "nosniff")
                #expect(
                    read.headers[SecurityHeaders.contentSecurityPolicy]
                        == "default-src 'none'; frame-ancestors 'none'; sandbox"
                )
            }
        }
    }

    @Test(
        "have the last part of the name they were given, and lie where their bytes say",
        arguments: [
            ("../../etc/passwd", "passwd"), ("..\\..\\windows\\system.ini", "system.ini"), ("/abs/olute", "olute"),
            ("..", "untitled"), ("", "untitled"), ("a\u{0}b\r\nSet-Cookie: x.txt", "abSet-Cookie: x.txt"),
            ("\u{202E}gpj.exe", "gpj.exe"), (".htaccess", "htaccess"),
        ]
    )
    func names(_ given: String, _ expected: String) async throws {
        try await withGateway { fixture in
            let field = try await fixture.filesField()
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(
                    .post,
                    path(fixture),
                    key: fixture.key,
                    body: Self.body(given, [1, 2, 3])
                )
                let file = made.json?["fields"]?[field.id.description]?[0]
                #expect(file?["filename"]?.stringValue == expected)
                let read = try await client.send(.get, link(made, field))
                #expect(read.status == 200 && read.text == "\u{1}\u{2}\u{3}")
                #expect(read.headers[HTTPField.Name("Set-Cookie")!] == nil)
            }
        }
    }

    @Test("have links where other records look them up", arguments: DatabaseKind.allCases)
    func lookedUp(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            _ = try await fixture.filesField()
            let link = try #require(fixture.elements.field("Isotopes"))
            try await fixture.server().publicApplication.test(.router) { client in
                let inverse = try #require(link.options.inverseLinkField)
                let draft: JSONValue = [
                    "name": "Papers", "type": "multipleLookupValues",
                    "options": ["recordLinkFieldId": .string(inverse.description), "fieldIdInLinkedTable": "Files"],
                ]
                let field = try await client.send(
                    .post,
                    "/v0/meta/bases/\(fixture.base.id)/tables/Isotopes/fields",
                    key: fixture.key,
                    body: draft.text
                )
                #expect(field.status == 200, "\(field.text)")
                _ = try await client.send(
                    .post,
                    path(fixture),
                    key: fixture.key,
                    body: Self.body("paper.txt", Array("on helium".utf8))
                )
                let list = try await client.send(.get, "/v0/\(fixture.base.id)/Isotopes", key: fixture.key)
                let url = list.json?["records"]?[0]?["fields"]?["Papers"]?[0]?["url"]?.stringValue
                let start = try #require(url?.firstRange(of: "/attachments/"), "\(list.text)")
                let file = try await client.send(.get, String(url![start.lowerBound...]))
                #expect(file.text == "on helium")
                let text = try await client.send(
                    .get,
                    "/v0/\(fixture.base.id)/Elements?cellFormat=string&timeZone=utc&userLocale=en",
                    key: fixture.key
                )
                let shown = text.json?["records"]?[0]?["fields"]?["Files"]?.stringValue
                #expect(shown?.hasPrefix("paper.txt (http") == true, "\(text.text)")
            }
        }
    }

    @Test("have links with where the request came, or where the operator says that the server is")
    func origins() async throws {
        try await withGateway { fixture in
            let field = try await fixture.filesField()
            @Sendable func url(_ fixture: GatewayFixture, _ host: String) async throws -> String {
                try await fixture.server().publicApplication.test(.live) { client in
                    var headers: HTTPFields = [:]
                    headers[HTTPField.Name("X-Forwarded-Host")!] = "evil.example"
                    let answer = try await client.send(
                        .post,
                        path(fixture),
                        key: fixture.key,
                        headers: headers,
                        body: Self.body("x.txt", [65])
                    )
                    let port = try #require(client.port)
                    let last = answer.json?["fields"]?[field.id.description]?.arrayValue?.last
                    return try #require(last?["url"]?.stringValue).replacing(":\(port)/", with: "/")
                }
            }
            #expect(try await url(fixture, "h").hasPrefix("http://localhost/attachments/"))
            var named = fixture
            named.publicURL = "https://airtable.example.org/app"
            #expect(try await url(named, "h").hasPrefix("https://airtable.example.org/app/attachments/"))
        }
    }

    @Test("are refused in Airtable's words", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            _ = try await fixture.filesField()
            let reader = try await fixture.key([.recordsRead])
            let elsewhere = try await fixture.key([.recordsWrite], bases: [])
            let good = Self.body("a.txt", [65])
            let large = Self.body("a.bin", [UInt8](repeating: 1, count: Limits.uploadBytes + 1))
            let cases: [(String, String, String, Int, String)] = [
                (path(fixture), reader, good, 403, "INVALID_PERMISSIONS"),
                (path(fixture), elsewhere, good, 403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND"),
                (path(fixture, record: .random()), fixture.key, good, 404, "NOT_FOUND"),
                (path(fixture, "Nothing"), fixture.key, good, 422, "UNKNOWN_FIELD_NAME"),
                (path(fixture, "Name"), fixture.key, good, 422, "INVALID_VALUE_FOR_COLUMN"),
                (path(fixture), fixture.key, #"{"filename":"a","file":"§"}"#, 422, "INVALID_REQUEST_UNKNOWN"),
                (path(fixture), fixture.key, #"{"filename":"a"}"#, 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (path(fixture), fixture.key, #"{"file":"QQ=="}"#, 422, "INVALID_REQUEST_MISSING_FIELDS"),
                (path(fixture), fixture.key, #"{"filename":"a","file":"QQ==""#, 400, "INVALID_REQUEST_BODY"),
                (path(fixture), fixture.key, large, 413, "REQUEST_TOO_LARGE"),
            ]
            try await fixture.server().publicApplication.test(.router) { client in
                for (path, key, body, status, type) in cases {
                    let answer = try await client.send(.post, path, key: key, body: body)
                    let error = answer.json?["error"]
                    #expect(answer.status == status, "\(path) \(answer.text)")
                    #expect((error?.stringValue ?? error?["type"]?.stringValue) == type)
                }
                let largest = Self.body("a.bin", [UInt8](repeating: 1, count: Limits.uploadBytes))
                #expect(try await client.send(.post, path(fixture), key: fixture.key, body: largest).status == 200)
                let record = try await client.send(
                    .get,
                    "/v0/\(fixture.base.id)/Elements/\(fixture.records[0].id)",
                    key: fixture.key
                )
                #expect(record.json?["fields"]?["Files"]?.arrayValue?.count == 1, "what was refused left nothing")
            }
        }
    }

    @Test("that break off halfway leave the cell as it was")
    func halfway() async throws {
        try await withGateway { fixture in
            let field = try await fixture.filesField()
            let body = Self.body("half.txt", [UInt8](repeating: 65, count: 50_000))
            let head = """
                POST \(path(fixture)) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(fixture.key)\r\n\
                Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n
                """
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                for cut in [0, 1, body.utf8.count / 2, body.utf8.count - 1] {
                    let connection = try await RawConnection(port: port)
                    try await connection.send(head + String(body.prefix(cut)))
                    connection.close()
                }
                // One that comes whole, after them: its answer shows all that there is.
                let connection = try await RawConnection(port: port)
                try await connection.send(head.replacing("Host:", with: "Connection: close\r\nHost:") + body)
                let answer = try await connection.readToEnd()
                let start = try #require(answer.firstRange(of: "\r\n\r\n"))
                let files = try JSONValue(parsing: String(answer[start.upperBound...]))["fields"]?[field.id.description]
                #expect(files?.arrayValue?.count == 1, "\(answer)")
            }
        }
    }

    @Test(
        "INP-12: are not found by 1,000 forged links, each unlike the true one somewhere",
        arguments: DatabaseKind.allCases
    )
    func forged(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            let field = try await fixture.filesField()
            try await fixture.server().publicApplication.test(.router) { client in
                let made = try await client.send(
                    .post,
                    path(fixture),
                    key: fixture.key,
                    body: Self.body("true.txt", Array("secret".utf8))
                )
                let link = try link(made, field)
                let parts = link.split(separator: "/").map(String.init)
                #expect(parts.count == 6)
                var generator = SeededGenerator(seed: 20_260_101)
                for number in 0..<1_000 {
                    var forged = parts
                    // Tenant, attachment, end or signature: a letter changed, one more, one less, or all of it random.
                    let place = 1 + number % 4
                    var text = Array(forged[place].utf8)
                    let position = Int.random(in: 0..<text.count, using: &generator)
                    switch number / 4 % 4 {
                    case 0: text[position] = text[position] == 0x31 ? 0x32 : 0x31
                    case 1: text.insert(0x30, at: position)
                    case 2: text.remove(at: position)
                    default:
                        for index in text.indices {
                            text[index] = "0123456789abcdef".utf8.randomElement(using: &generator)!
                        }
                    }
                    forged[place] = String(decoding: text, as: UTF8.self)
                    if forged == parts { continue }
                    let answer = try await client.send(.get, "/" + forged.joined(separator: "/"))
                    #expect(answer.status == 404, "\(forged)")
                    #expect(!answer.text.contains("secret"))
                }
                // The name is for people.
                let renamed = "/" + (parts.dropLast() + ["other.txt"]).joined(separator: "/")
                #expect(try await client.send(.get, renamed).text == "secret")
            }
        }
    }
}
