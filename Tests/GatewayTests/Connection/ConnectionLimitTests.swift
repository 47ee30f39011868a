import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import TestSupport
import Testing

@testable import Gateway

@Suite("Limits of a connection")
struct ConnectionLimitTests {
    private static let next = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"

    @Test("GW-01: a head that does not come in time is told so, however busily it drips")
    func slowHead() async throws {
        try await withServer {
            $0.headTimeout = .milliseconds(300)
        } _: { fixture, port in
            let connection = try await ByteConnection(port: port)
            try await connection.send("GET /health HTTP/1.1\r\nHost: x\r\n")
            // One field after the other, without an end; the server ends it.
            var count = 0
            while (try? await connection.send("A\(count): b\r\n")) != nil, count < 90 {
                count += 1
                try await Task.sleep(for: .milliseconds(10))
            }
            let answers = WireAnswer.all(in: await connection.readToEnd())
            #expect(answers.map(\.status) == [408])
            #expect(answers.first?.text.contains("requestTooSlow") == true)
            #expect(
                fixture.metrics.text().contains(#"pyairtable_http_refused_total{fault="headTime",listener="public"} 1"#)
            )
        }
    }

    @Test("GW-01: a body that makes no progress is told so")
    func slowBody() async throws {
        try await withServer {
            $0.bodyIdleTimeout = .milliseconds(200)
        } _: { fixture, port in
            for framing in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
                let connection = try await ByteConnection(port: port)
                try await connection.send(
                    "POST /api/v1/search HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(fixture.key)\r\n"
                        + "Content-Type: application/json\r\n\(framing)\r\n\r\n4"
                )
                let answers = WireAnswer.all(in: await connection.readToEnd())
                #expect(answers.map(\.status) == [408], "\(framing)")
            }
        }
    }

    @Test("GW-01: a connection without a request ends after its time, silently")
    func idle() async throws {
        try await withServer {
            $0.idleTimeout = .milliseconds(200)
        } _: { _, port in
            let fresh = try await ByteConnection(port: port)
            #expect(await fresh.readToEnd().isEmpty)
            let used = try await ByteConnection(port: port)
            try await used.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(WireAnswer.all(in: await used.readToEnd()).map(\.status) == [200])
        }
    }

    @Test("GW-01: an address has only so many connections, and gets new ones when it gives some back")
    func perAddress() async throws {
        try await withServer {
            $0.connectionsPerAddressMax = 5
        } _: { fixture, port in
            // The test's own client may have one.
            var open: [ByteConnection] = []
            var refusal: WireAnswer?
            while refusal == nil, open.count < 10 {
                let connection = try await ByteConnection(port: port)
                // One too many is answered and closed, perhaps before it has asked.
                try? await connection.send("GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                try await connection.read(until: "\r\n\r\n{")
                let answer = try #require(WireAnswer.all(in: connection.bytes).first)
                if answer.status == 200 { open.append(connection) } else { refusal = answer }
            }
            #expect((4...5).contains(open.count))
            #expect(refusal?.status == 429)
            #expect(refusal?.field("retry-after") == "5")
            #expect(refusal?.text.contains("tooManyConnections") == true)
            open.removeFirst().close()
            try await eventually("a place is free") {
                let again = try await ByteConnection(port: port)
                try? await again.send(Self.next)
                return WireAnswer.all(in: await again.readToEnd()).map(\.status) == [200]
            }
            #expect(fixture.metrics.text().contains("pyairtable_http_refused_total{fault=\"surplusConnection\""))
            for connection in open { connection.close() }
        }
    }

    @Test("GW-01: a hundred and twenty slow clients keep nobody else from an answer")
    func slowloris() async throws {
        try await withServer {
            $0.headTimeout = .seconds(20)
        } _: { _, port in
            var slow: [ByteConnection] = []
            for _ in 0..<120 {
                let connection = try await ByteConnection(port: port)
                try await connection.send("GET /health HTTP/1.1\r\nHost: x\r\nA: ")
                slow.append(connection)
            }
            for _ in 0..<20 {
                let honest = try await ByteConnection(port: port)
                try await honest.send(Self.next)
                #expect(WireAnswer.all(in: await honest.readToEnd()).map(\.status) == [200])
            }
            for connection in slow { connection.close() }
        }
    }

    @Test("addresses count by themselves, those of IPv6 by their first 64 bits")
    func groups() throws {
        let ledger = ConnectionLedger(
            perAddressMax: 1,
            trusted: [try #require(AddressBlock("10.0.0.0/8"))],
            registry: PrometheusRegistry(),
            listener: "x"
        )
        let address = { (text: String) in try #require(RemoteAddress(text)) }
        #expect(ledger.opened(try address("192.0.2.1")))
        #expect(ledger.opened(try address("192.0.2.2")))
        #expect(!ledger.opened(try address("192.0.2.1")))
        #expect(ledger.opened(try address("2001:db8:0:1::1")))
        #expect(!ledger.opened(try address("2001:db8:0:1:ffff::1")))
        #expect(ledger.opened(try address("2001:db8:0:2::1")))
        for _ in 0..<5 { #expect(ledger.opened(try address("10.1.2.3"))) }
        #expect(ledger.count == 11)
        // The refused one was counted as well, so both must go before there is a place.
        ledger.closed(try address("192.0.2.1"))
        #expect(!ledger.opened(try address("192.0.2.1")))
        ledger.closed(try address("192.0.2.1"))
        ledger.closed(try address("192.0.2.1"))
        #expect(ledger.opened(try address("192.0.2.1")))
    }
}

@Suite("Addresses of clients")
struct ClientFinderTests {
    private static func headers(_ fields: [(String, String)]) -> HTTPFields {
        var headers = HTTPFields()
        for (name, value) in fields { headers.append(HTTPField(name: .init(name)!, value: value)) }
        return headers
    }

    private static let finder = ClientFinder(trusted: [AddressBlock("10.0.0.0/8")!, AddressBlock("2001:db8:f::/48")!])

    @Test(
        "GW-03: the right-most address that is no trusted proxy is the client's",
        arguments: [
            ("192.0.2.9", [("X-Forwarded-For", "203.0.113.5")], "192.0.2.9"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5:4711")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "6.6.6.6, 203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "6.6.6.6, 203.0.113.5, 10.9.9.9")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("X-Forwarded-For", "10.2.2.2,10.3.3.3")], "10.2.2.2"),
            ("10.0.0.1", [("X-Forwarded-For", "203.0.113.5, nonsense")], "10.0.0.1"),
            ("10.0.0.1", [("X-Forwarded-For", "nonsense, 10.4.4.4")], "10.4.4.4"),
            ("10.0.0.1", [("X-Forwarded-For", "")], "10.0.0.1"),
            ("10.0.0.1", [("X-Forwarded-For", "[2001:db8::7]:443")], "2001:db8::7"),
            ("10.0.0.1", [("X-Forwarded-For", "2001:db8::7, 2001:db8:f::1")], "2001:db8::7"),
            ("10.0.0.1", [("Forwarded", "for=6.6.6.6, for=203.0.113.5;proto=https")], "203.0.113.5"),
            ("10.0.0.1", [("Forwarded", "for=\"[2001:db8::7]:4711\"")], "2001:db8::7"),
            ("10.0.0.1", [("Forwarded", "for=203.0.113.5, by=10.0.0.1")], "10.0.0.1"),
            ("10.0.0.1", [("Forwarded", "for=203.0.113.5"), ("X-Forwarded-For", "203.0.113.5")], "203.0.113.5"),
            ("10.0.0.1", [("Forwarded", "for=6.6.6.6"), ("X-Forwarded-For", "203.0.113.5")], "10.0.0.1"),
            ("10.0.0.1", [("X-Real-IP", "6.6.6.6")], "10.0.0.1"),
        ] as [(String, [(String, String)], String)]
    )
    func addresses(_ peer: String, _ fields: [(String, String)], _ expected: String) throws {
        let client = Self.finder.client(of: Self.headers(fields), peer: RemoteAddress(peer))
        #expect(client.address?.description == expected)
    }

    @Test("GW-03: only a trusted proxy says that a request was encrypted")
    func secure() {
        let headers = Self.headers([("X-Forwarded-Proto", "http, https")])
        #expect(Self.finder.client(of: headers, peer: RemoteAddress("10.0.0.1")).isSecure)
        #expect(!Self.finder.client(of: headers, peer: RemoteAddress("192.0.2.1")).isSecure)
        let plain = Self.headers([("X-Forwarded-Proto", "https, http")])
        #expect(!Self.finder.client(of: plain, peer: RemoteAddress("10.0.0.1")).isSecure)
    }

    @Test("GW-03: fields that say who calls reach nobody behind the edge, whoever sent them")
    func dropped() throws {
        let wild = [
            "X-User-Id", "x-tenant-id", "X-Forwarded-For", "X-Forwarded-Whatever", "Forwarded", "X-Real-IP",
            "X-Remote-User", "X-Original-URL", "X-Roles", "X-HTTP-Method-Override",
        ]
        let headers = Self.headers(wild.map { ($0, "admin") } + [("X-Request-Id", "abcdefgh"), ("Accept", "*/*")])
        let left = try #require(ForwardedFields.removed(from: headers))
        #expect(left.map { $0.name.canonicalName } == ["x-request-id", "accept"])
        #expect(ForwardedFields.removed(from: left) == nil)
    }

    @Test("blocks of addresses")
    func blocks() throws {
        let cases: [(String, String, Bool)] = [
            ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.1", false),
            ("192.0.2.7", "192.0.2.7", true), ("192.0.2.7", "192.0.2.8", false),
            ("0.0.0.0/0", "8.8.8.8", true), ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true), ("2001:db8::/33", "2001:db8:7fff::1", true),
            ("2001:db8::/33", "2001:db8:8000::1", false), ("2001:db8::/64", "2001:db8::ffff:0:0:1", true),
            ("::1", "::1", true), ("::1", "::2", false), ("192.0.2.128/25", "192.0.2.127", false),
        ]
        for (block, address, isInside) in cases {
            let found = try #require(AddressBlock(block)).contains(try #require(RemoteAddress(address)))
            #expect(found == isInside, "\(block) \(address)")
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "x/8", "10.0.0.0/8/8", "fe80::1%eth0", "::/129"] {
            #expect(AddressBlock(wrong) == nil, "\(wrong)")
        }
        #expect(AddressBlock("10.1.2.3/16")?.description == "10.1.0.0/16")
        #expect(AddressBlock("2001:db8::1/32")?.description == "2001:db8::/32")
    }
}
