import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import Gateway

@Suite("Bytes on the wire")
struct WireTests {
    private static let next = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    @Test("GW-02: what could be read in two ways is refused, told why, and the last thing on its connection")
    func refused() async throws {
        #expect(WireCase.refused.count >= 100)
        try await withServer { _, port in
            try await inTurns(WireCase.refused) { wire in
                let connection = try await ByteConnection(port: port)
                // Whoever reads the request otherwise would answer this one as well.
                try await connection.send(wire.bytes + Array(Self.next.utf8))
                let answers = WireAnswer.all(in: await connection.readToEnd())
                let answer = try #require(answers.first, "\(wire.name)")
                #expect(answers.count == 1, "\(wire.name)")
                #expect(answer.status == wire.status, "\(wire.name): \(answer.text)")
                #expect(answer.field("connection") == "close", "\(wire.name)")
                #expect(answer.field("x-content-type-options") == "nosniff", "\(wire.name)")
                guard let code = wire.code else { return }
                #expect(answer.field("content-type") == "application/problem+json", "\(wire.name)")
                let problem = try JSONValue(parsing: answer.body)
                #expect(Problem.schema.violations(of: problem) == [], "\(wire.name)")
                #expect(problem["code"]?.stringValue == code, "\(wire.name): \(answer.text)")
                #expect(problem["requestId"]?.stringValue == answer.field("x-request-id"), "\(wire.name)")
            }
        }
    }

    @Test("GW-02: what keeps the rules is taken, and the next request is answered as well")
    func taken() async throws {
        try await withServer { _, port in
            try await inTurns(WireCase.taken) { wire in
                let connection = try await ByteConnection(port: port)
                try await connection.send(wire.bytes + Array(Self.next.utf8))
                let answers = WireAnswer.all(in: await connection.readToEnd())
                // A body of unknown length that nobody wanted ends its connection.
                let isLast = wire.text.lowercased().contains("chunked")
                #expect(answers.map(\.status) == [wire.status] + (isLast ? [] : [200]), "\(wire.name)")
            }
        }
    }

    @Test("GW-02: the same, byte by byte")
    func slow() async throws {
        try await withServer { _, port in
            let cases = WireCase.refusedHeads.filter { $0.text.utf8.count < 200 } + WireCase.taken.prefix(11)
            try await inTurns(cases) { wire in
                let connection = try await ByteConnection(port: port)
                for byte in wire.bytes + Array(Self.next.utf8) {
                    // The server may have had enough already.
                    guard (try? await connection.send([byte])) != nil else { break }
                }
                let answers = WireAnswer.all(in: await connection.readToEnd())
                #expect(answers.first?.status == wire.status, "\(wire.name)")
                #expect(answers.count == (wire.status == 200 ? 2 : 1), "\(wire.name)")
            }
        }
    }

    @Test("GW-02: a chunk that goes wrong while the body is read ends the request with one answer")
    func lateFault() async throws {
        try await withServer { fixture, port in
            let connection = try await ByteConnection(port: port)
            try await connection.send(
                """
                POST /api/v1/search HTTP/1.1\r
                Host: x\r
                Authorization: Bearer \(fixture.key)\r
                Content-Type: application/json\r
                Transfer-Encoding: chunked\r
                \r
                2\r
                {"\r

                """
            )
            try await connection.send("zz\r\n\(Self.next)")
            let answers = WireAnswer.all(in: await connection.readToEnd())
            #expect(answers.map(\.status) == [400])
            #expect(answers[0].text.contains("malformedRequest"))
        }
    }

    @Test("requests on one connection are answered in order, one after the other")
    func pipelined() async throws {
        try await withServer { fixture, port in
            let connection = try await ByteConnection(port: port)
            let list = "GET /api/v1/airtable/bases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n\r\n"
            let health = "HEAD /health HTTP/1.1\r\nHost: x\r\n\r\n"
            try await connection.send(list + health + list + Self.next)
            let answers = WireAnswer.all(in: await connection.readToEnd(), isHead: [1])
            #expect(answers.map(\.status) == [200, 200, 200, 200])
            #expect(answers[0].text.contains("Periodic table"))
            #expect(answers[1].body.isEmpty)
            #expect(answers[3].text.contains("ok"))
        }
    }

    @Test("a refusal waits for the answers before it")
    func pipelinedRefusal() async throws {
        try await withServer { fixture, port in
            let connection = try await ByteConnection(port: port)
            let list = "GET /api/v1/airtable/bases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n\r\n"
            try await connection.send(list + list + "GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n" + list)
            let answers = WireAnswer.all(in: await connection.readToEnd())
            #expect(answers.map(\.status) == [200, 200, 400])
        }
    }

    @Test("HTTP/1.0 is answered in its own version, and its connection ends")
    func version10() async throws {
        try await withServer { _, port in
            for request in [
                "GET /health HTTP/1.0\r\n\r\n", "GET /health HTTP/1.0\r\nConnection: keep-alive\r\nHost: x\r\n\r\n",
            ] {
                let connection = try await ByteConnection(port: port)
                try await connection.send(request + Self.next)
                let answers = WireAnswer.all(in: await connection.readToEnd())
                #expect(answers.map(\.status) == [200])
                #expect(answers[0].text.hasPrefix("HTTP/1.0 200"))
                #expect(answers[0].field("connection") == "close")
                #expect(answers[0].field("transfer-encoding") == nil)
            }
        }
    }

    @Test("the connection ends whenever the client says so, in any letters and among other words")
    func closing() async throws {
        try await withServer { _, port in
            for value in ["close", "Close", "keep-alive, CLOSE", "close,TE"] {
                let connection = try await ByteConnection(port: port)
                try await connection.send("GET /health HTTP/1.1\r\nHost: x\r\nConnection: \(value)\r\n\r\n" + Self.next)
                let answers = WireAnswer.all(in: await connection.readToEnd())
                #expect(answers.map(\.status) == [200], "\(value)")
                #expect(answers[0].field("connection") == "close", "\(value)")
            }
        }
    }

    @Test("a client that waits for leave to send its body gets it")
    func continuing() async throws {
        try await withServer { fixture, port in
            let connection = try await ByteConnection(port: port)
            let body = #"{"query":"noble gas"}"#
            try await connection.send(
                "POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
                    + "Expect: 100-Continue\r\nConnection: close\r\n\r\n"
            )
            try await connection.read(until: "HTTP/1.1 100 Continue\r\n\r\n")
            try await connection.send(body)
            let answers = WireAnswer.all(in: await connection.readToEnd())
            #expect(answers.map(\.status) == [100, 200])
        }
    }

    @Test("GW-08: TRACE is 405, and nothing of the request comes back")
    func trace() async throws {
        try await withServer { _, port in
            let connection = try await ByteConnection(port: port)
            try await connection.send("TRACE /health HTTP/1.1\r\nHost: x\r\nX-Secret: abracadabra\r\n\r\n" + Self.next)
            let answers = WireAnswer.all(in: await connection.readToEnd())
            #expect(answers.map(\.status) == [405, 200])
            #expect(answers[0].field("allow") == "GET, HEAD, OPTIONS")
            #expect(!answers[0].text.contains("abracadabra"))
        }
    }

    @Test("GW-08: OPTIONS tells what an address takes, and for the server as a whole")
    func options() async throws {
        try await withServer { _, port in
            let connection = try await ByteConnection(port: port)
            try await connection.send(
                "OPTIONS /health HTTP/1.1\r\nHost: x\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n" + Self.next
            )
            let answers = WireAnswer.all(in: await connection.readToEnd())
            #expect(answers.map(\.status) == [204, 204, 200])
            #expect(answers[0].field("allow") == "GET, HEAD, OPTIONS")
            #expect(answers[1].field("allow")?.contains("PATCH") == true)
        }
    }
}

/// One answer as it came over a socket.
struct WireAnswer {
    let status: Int
    /// Its head.
    let text: String
    let body: [UInt8]

    func field(_ name: String) -> String? {
        for line in text.components(separatedBy: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts.count == 2, parts[0].lowercased() == name { return parts[1].trimmingCharacters(in: .whitespaces) }
        }
        return nil
    }

    /// All answers in `bytes`, each with its length or to the end.
    ///
    /// - Parameter isHead: places of those that have a length and no body.
    static func all(in bytes: [UInt8], isHead: Set<Int> = []) -> [WireAnswer] {
        var answers: [WireAnswer] = []
        var rest = bytes[...]
        while let end = rest.firstRange(of: "\r\n\r\n".utf8) {
            let head = String(decoding: rest[..<end.lowerBound], as: UTF8.self)
            rest = rest[end.upperBound...]
            let parts = head.split(separator: " ", maxSplits: 2)
            let status = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
            let empty = WireAnswer(status: status, text: head, body: [])
            let length =
                empty.field("content-length").flatMap(Int.init) ?? (status < 200 || status == 204 ? 0 : rest.count)
            let body = isHead.contains(answers.count) ? [] : Array(rest.prefix(length))
            rest = rest.dropFirst(body.count)
            answers.append(
                WireAnswer(status: status, text: head + "\r\n\r\n" + String(decoding: body, as: UTF8.self), body: body)
            )
        }
        return answers
    }
}

/// A live server on a port of its own.
func withServer(
    _ configure: @escaping @Sendable (inout GatewayConfiguration) -> Void = { _ in },
    _ body: @escaping @Sendable (GatewayFixture, Int) async throws -> Void
) async throws {
    try await withGateway { fixture in
        try await fixture.server(configure: configure).publicApplication.test(.live) { client in
            try await body(fixture, try #require(client.port))
        }
    }
}

/// Runs `body` for every element, sixteen at once.
func inTurns<Element: Sendable>(
    _ elements: some Sequence<Element>,
    _ body: @escaping @Sendable (Element) async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for (place, element) in elements.enumerated() {
            if place >= 16 { try await group.next() }
            group.addTask { try await body(element) }
        }
        try await group.waitForAll()
    }
}
