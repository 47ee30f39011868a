import Domain
import Foundation
import Testing

@testable import Gateway

@Suite("Input over a socket")
struct InputTests {
    private static func post(_ body: [UInt8], _ key: String, type: String = "application/json") -> [UInt8] {
        Array(
            ("POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nContent-Type: \(type)\r\n"
                + "Content-Length: \(body.count)\r\nConnection: close\r\n\r\n").utf8
        ) + body
    }

    private static func answers(_ bytes: [UInt8], _ port: Int) async throws -> [WireAnswer] {
        let connection = try await ByteConnection(port: port)
        // A refusal may come before all of it was sent.
        try? await connection.send(bytes)
        return WireAnswer.all(in: await connection.readToEnd())
    }

    /// Each with the statuses it may have.
    private static let documents: [(name: String, body: [UInt8], statuses: ClosedRange<Int>)] = {
        func text(_ name: String, _ body: String, _ statuses: ClosedRange<Int> = 400...400) -> (
            name: String, body: [UInt8], statuses: ClosedRange<Int>
        ) { (name, Array(body.utf8), statuses) }
        return [
            text("nothing", ""), text("a space", " "), text("half an object", "{\"query\":\"x\""),
            text("two values", "{\"query\":\"x\"}{}"), text("a comma too many", "{\"query\":\"x\",}"),
            text("single quotes", "{'query':'x'}"), text("a comment", "{\"query\":\"x\"/**/}"),
            text("a name twice", "{\"query\":\"x\",\"query\":\"y\"}"),
            text("a name twice, once escaped", "{\"query\":\"x\",\"quer\\u0079\":\"y\"}"),
            text("a byte order mark", "\u{FEFF}{\"query\":\"x\"}"),
            text("NUL in a string", "{\"query\":\"a\u{0}b\"}"), text("NUL behind", "{\"query\":\"x\"}\u{0}"),
            text("a line feed in a string", "{\"query\":\"a\nb\"}"),
            text("half a pair", "{\"query\":\"\\ud800\"}"), text("the other half", "{\"query\":\"\\udc00\"}"),
            text("the halves in the wrong order", "{\"query\":\"\\udc00\\ud800\"}"),
            text("a broken escape", "{\"query\":\"\\x\"}"), text("half an escape", "{\"query\":\"\\u12\"}"),
            text("NaN", "{\"query\":\"x\",\"limit\":NaN}"), text("Infinity", "{\"query\":\"x\",\"limit\":-Infinity}"),
            text("1e999", "{\"query\":\"x\",\"limit\":1e999}", 400...422),
            text("a plus", "{\"query\":\"x\",\"limit\":+1}"), text("a zero in front", "{\"query\":\"x\",\"limit\":01}"),
            text("a point alone", "{\"query\":\"x\",\"limit\":1.}"),
            text("hexadecimal", "{\"query\":\"x\",\"limit\":0x1}"),
            text("a fraction", "{\"query\":\"x\",\"limit\":1.5}", 422...422),
            text("-0", "{\"query\":\"x\",\"limit\":-0}", 422...422),
            text("a number beyond all", "{\"query\":\"x\",\"limit\":123456789012345678901234567890}", 422...422),
            text(
                "a number of two thousand digits",
                "{\"query\":\"x\",\"limit\":\(String(repeating: "9", count: 2_000))}",
                400...413
            ),
            text("true in capitals", "{\"query\":TRUE}"), text("undefined", "{\"query\":undefined}"),
            text("seventy deep", String(repeating: "[", count: 70) + String(repeating: "]", count: 70), 400...413),
            text("fifty thousand deep", String(repeating: "[", count: 50_000), 400...413),
            text("fifty thousand objects deep", String(repeating: "{\"a\":", count: 20_000), 400...413),
            text("a long array", "[" + String(repeating: "0,", count: 60_000) + "0]", 400...422),
            text("a mass of names", "{" + (0..<8_000).map { "\"a\($0)\":0" }.joined(separator: ",") + "}", 400...422),
            text("another's member", "{\"query\":\"x\",\"__proto__\":{\"admin\":true}}", 422...422),
            ("no UTF-8", Array("{\"query\":\"".utf8) + [0xFF, 0xFE] + Array("\"}".utf8), 400...400),
            ("an overlong slash", Array("{\"query\":\"".utf8) + [0xC0, 0xAF] + Array("\"}".utf8), 400...400),
            (
                "half a surrogate in UTF-8", Array("{\"query\":\"".utf8) + [0xED, 0xA0, 0x80] + Array("\"}".utf8),
                400...400
            ),
            ("UTF-16", [0xFF, 0xFE, 0x7B, 0x00, 0x7D, 0x00], 400...400),
        ]
    }()

    @Test("INP-03: what is no JSON of ours is told so, whatever it is, and the next request is answered")
    func json() async throws {
        try await withServer { fixture, port in
            let key = fixture.key
            try await inTurns(Self.documents.indices) { place in
                let document = Self.documents[place]
                let answer = try #require(try await Self.answers(Self.post(document.body, key), port).first)
                #expect(document.statuses.contains(answer.status), "\(document.name): \(answer.status)")
                #expect(answer.field("content-type") == "application/problem+json", "\(document.name)")
            }
            #expect(try await Self.answers(Self.post(Array("{\"query\":\"x\"}".utf8), key), port).first?.status == 200)
        }
    }

    @Test("INP-02: a body beyond its route's limit is 413, also when it comes in chunks and nobody said how long it is")
    func long() async throws {
        try await withServer { fixture, port in
            let long = [UInt8](repeating: UInt8(ascii: " "), count: Limits.searchBodyBytes + 1)
            let head =
                "POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n"
                + "Content-Type: application/json\r\n"
            let chunk = Array("400\r\n".utf8) + [UInt8](repeating: UInt8(ascii: " "), count: 1_024) + Array("\r\n".utf8)
            let requests = [
                Self.post(long, fixture.key),
                Array("\(head)Content-Length: \(Limits.searchBodyBytes + 1)\r\n\r\n".utf8),
                Array("\(head)Content-Length: 999999999999999\r\n\r\n".utf8),
                Array("\(head)Transfer-Encoding: chunked\r\n\r\n".utf8) + Array((0..<200).map { _ in chunk }.joined()),
            ]
            for request in requests {
                let answers = try await Self.answers(request, port)
                #expect(answers.map(\.status) == [413])
            }
            for coding in ["gzip", "br", "deflate, gzip"] {
                let request = Self.post(Array("{\"query\":\"x\"}".utf8), fixture.key)
                let coded = String(decoding: request, as: UTF8.self)
                    .replacingOccurrences(of: "Content-Type:", with: "Content-Encoding: \(coding)\r\nContent-Type:")
                #expect(try await Self.answers(Array(coded.utf8), port).first?.status == 415, "\(coding)")
            }
        }
    }

    @Test("INP-05: a path that is none of ours finds nothing, and no file")
    func paths() async throws {
        try await withServer { fixture, port in
            let records = "/api/v1/airtable/bases/\(fixture.base.id)/tables/\(fixture.elements.id)/records"
            let paths = [
                "/../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e%5c%2e%2e%5cboot.ini",
                "/page.css/../../etc/passwd", "/./health", "//health", "/health/", "/health/..", "/health%00",
                "/health%2f",
                "/health%20", "/health;x=y", "/HEALTH", "/%68ealth%", "/%", "/%zz", "/%c0%ae%c0%ae/etc/passwd",
                "/%e0%80%ae/", "/api/v1/airtable/bases/..", "/api/v1/airtable/bases/../bases",
                "/api/v1//airtable/bases",
                "\(records)/..", "\(records)/%2e%2e", "\(records)/%00", "\(records)/rec%2f..%2fx",
                "\(records)/rec'OR'1'='1",
                "\(records)/recAAAAAAAAAAAAA%00", "\(records)/recAAAAAAAAAAAAAAA", "\(records)/recAAAAAAAAAAAAA!",
                "\(records)/recé", "\(records)/-1", "\(records)/null", "\(records)/*",
                "\(records)/" + String(repeating: "a", count: 4_000), "/api/v1/chat/conversations/../../../health",
                "/attachments/x/y/z/w/../../../../etc/passwd",
            ]
            let key = fixture.key
            try await inTurns(paths) { path in
                let request =
                    "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nConnection: close\r\n\r\n"
                let answer = try #require(try await Self.answers(Array(request.utf8), port).first, "\(path)")
                #expect([400, 404].contains(answer.status), "\(path): \(answer.status)")
                #expect(!answer.text.contains("root:"), "\(path)")
            }
        }
    }

    @Test("TOK-10: an Authorization that is none is 401 or 400, never worse")
    func authorization() async throws {
        try await withServer { fixture, port in
            let values: [[UInt8]] = [
                [], Array("Bearer".utf8), Array("Bearer ".utf8), Array("Bearer a b".utf8), Array("Basic eDp5".utf8),
                Array("Bearer \u{E4}".utf8), Array("Bearer ".utf8) + [0xFF, 0xFE], Array("Digest username=\"x\"".utf8),
                Array("Bearer a, Bearer b".utf8), Array("Bearer %00".utf8), Array("Bearer ../../etc/passwd".utf8),
                Array("Bearer pat_live_x".utf8), Array("Bearer eyJhbGciOiJub25lIn0.e30.".utf8),
                Array("Bearer ".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 12_000),
            ]
            for value in values {
                for path in ["/api/v1/airtable/bases", "/v0/meta/bases", "/v1/models", "/mcp"] {
                    let request =
                        Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ".utf8) + value
                        + Array("\r\nConnection: close\r\n\r\n".utf8)
                    let answer = try #require(try await Self.answers(request, port).first)
                    #expect(
                        [400, 401].contains(answer.status),
                        "\(path) \(String(decoding: value, as: UTF8.self).prefix(40))"
                    )
                }
            }
            let twice =
                "GET /api/v1/airtable/bases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n"
                + "Authorization: Bearer \(fixture.key)\r\nConnection: close\r\n\r\n"
            #expect(try await Self.answers(Array(twice.utf8), port).first?.status == 401)
            let huge =
                "GET /api/v1/airtable/bases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer "
                + String(repeating: "a", count: 1 << 20)
            #expect(try await Self.answers(Array(huge.utf8), port).first?.status == 431)
        }
    }
}
