import Domain
import Synchronization
import TestSupport
import Testing

@testable import Outbound

@Suite("Addresses of outgoing calls")
struct AddressTests {
    @Test("scheme, host, port and the rest are read")
    func parts() throws {
        let address = try OutboundAddress("HTTPS://Api.Example.com./v1?q=a:b@c")
        #expect(address.scheme == .https)
        #expect(address.host == "api.example.com")
        #expect(address.port == 443)
        #expect(address.rest == "/v1?q=a:b@c")
        #expect(try OutboundAddress("http://[::1]:8000").authority == "[::1]:8000")
        #expect(try OutboundAddress("http://127.0.0.1:11434/v1").authority == "127.0.0.1:11434")
    }

    @Test(
        "INP-06: what two readers may understand differently is refused",
        arguments: [
            "", "example.com", "ftp://example.com", "file:///etc/passwd", "http://", "http:///x",
            "http://user@example.com/",
            "http://a:b@example.com/", "http://example.com\\@evil.example/", "http://exa mple.com",
            "http://example.com/a b",
            "http://ex\u{E4}mple.com", "http://example.com:0", "http://example.com:65536", "http://example.com:",
            "http://example.com:8x", "http://2130706433/", "http://0x7f000001/", "http://0177.0.0.1/", "http://127.1/",
            "http://127.0.0.0x1/", "http://[::1", "http://[fe80::1%25eth0]/", "http://[127.0.0.1]/", "http://a..b/",
            "http://127.0.0.01/", "http://example.com/#f", "http://%31%32%37.0.0.1/", "http://example.com\n/",
            "gopher://127.0.0.1", "http://\u{2460}27.0.0.1/",
        ]
    )
    func refused(_ url: String) {
        #expect(throws: OutboundError(.invalidAddress, "")) { try OutboundAddress(url) }
    }

    @Test("LLM-16: an error says what is wrong and never repeats the address, in which a key may stand")
    func quiet() {
        do {
            _ = try OutboundAddress("http://user:SECRETKEY@example.com/?key=SECRETKEY")
            Issue.record("credentials were accepted")
        } catch {
            #expect(!"\(error) \(error.detail ?? "")".contains("SECRETKEY"))
        }
    }
}

@Suite("Address guard")
struct AddressGuardTests {
    @Test(
        "addresses of the Internet at large are public",
        arguments: [
            "8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2001:4860:4860::8888", "2a00:1450::1",
        ]
    )
    func isPublic(_ text: String) throws { #expect(try #require(IPAddress(text)).isPublic) }

    @Test(
        "INP-06: loopback, private, link-local, metadata, multicast, reserved and embedding addresses are not",
        arguments: [
            "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1",
            "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255",
            "::",
            "::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "100::1",
            "2001::1",
            "2001:db8::1", "2002:7f00:1::", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1", "3fff::1",
            "5f00::1",
        ]
    )
    func isNotPublic(_ text: String) throws { #expect(try !#require(IPAddress(text)).isPublic) }

    @Test("a name is refused when one of its addresses is not public")
    func oneOfMany() async throws {
        let addresses = AddressGuard(
            allowing: [],
            resolver: FixedResolver(["good.example": ["8.8.8.8"], "bad.example": ["8.8.8.8", "10.0.0.7"]])
        )
        try await addresses.check(OutboundAddress("https://good.example/"))
        await #expect(throws: OutboundError(.addressRefused, "")) {
            try await addresses.check(OutboundAddress("https://bad.example/"))
        }
        for literal in ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/latest/meta-data"] {
            await #expect(throws: OutboundError(.addressRefused, "")) {
                try await addresses.check(OutboundAddress(literal))
            }
        }
    }

    @Test("the allow list opens a host, on its port if it names one, and nothing beside it")
    func allowList() async throws {
        let allowed = ["llm.internal:8000", "127.0.0.1", "[fd00::1]:80"].compactMap { AllowedHost($0) }
        #expect(allowed.map(\.description) == ["llm.internal:8000", "127.0.0.1", "[fd00::1]:80"])
        let resolver = FixedResolver(["llm.internal": ["10.0.0.7"], "other.internal": ["10.0.0.7"]])
        let addresses = AddressGuard(allowing: allowed, resolver: resolver)
        for url in ["http://LLM.internal:8000/v1", "http://127.0.0.1:5/", "http://[fd00::1]/"] {
            try await addresses.check(OutboundAddress(url))
        }
        for url in ["http://llm.internal/", "http://other.internal:8000/", "http://127.0.0.2/", "http://[fd00::1]:81/"]
        {
            await #expect(throws: OutboundError(.addressRefused, "")) {
                try await addresses.check(OutboundAddress(url))
            }
        }
    }

    @Test("an allowed name that leads to the local link, where clouds keep their credentials, is refused")
    func linkLocal() async throws {
        let metadata = [
            "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "febf::1", "fd00:ec2::254", "fd20:ce::254",
        ]
        for text in metadata {
            let found = try #require(IPAddress(text))
            #expect(found.isLinkLocal)
            let resolver = FixedResolver(["llm.internal": ["10.0.0.7", text]])
            let allowed = [AllowedHost(host: "llm.internal", port: nil), AllowedHost(host: "\(found)", port: nil)]
            let addresses = AddressGuard(allowing: allowed, resolver: resolver)
            await #expect(throws: OutboundError(.addressRefused, ""), "\(text)") {
                try await addresses.check(OutboundAddress("http://llm.internal/v1"))
            }
            #expect(!addresses.permitsConnection(to: found, port: 80))
            // Who writes the address means it.
            try await addresses.check(OutboundAddress("http://\(found.isVersion6 ? "[\(found)]" : "\(found)")/v1"))
            #expect(addresses.permitsConnection(to: found, port: 80))
        }
        for text in ["10.0.0.7", "127.0.0.1", "169.253.0.1", "fd00::1", "::1", "fec0::1", "8.8.8.8"] {
            #expect(try !#require(IPAddress(text)).isLinkLocal, "\(text)")
        }
    }

    @Test("what is no host is no entry of the allow list", arguments: ["", "a b", "http://x", "x:99999", "a/b", "u@h"])
    func noEntry(_ text: String) { #expect(AllowedHost(text) == nil) }

    @Test("a refused call reaches nobody")
    func refusedCall() async throws {
        let reached = Guarded(0)
        let server = try RawServer { _ in reached.update { $0 += 1 } }
        let transport = AsyncHTTPTransport()
        let guarded = GuardedTransport(transport, addresses: AddressGuard(allowing: []))
        await #expect(throws: OutboundError(.addressRefused, "")) {
            try await guarded.send(OutboundRequest(.get, server.url))
        }
        await transport.shutdown()
        #expect(reached.value == 0)
    }

    @Test("INP-06: a name that answers differently the second time gets a connection, but no request")
    func rebinding() async throws {
        let received = Guarded<[RawRequest?]>([])
        let server = try RawServer { peer in
            let request = try peer.request()
            received.update { $0.append(request) }
        }
        // First it is said to stand in the Internet; the system's own look-up, for the connection, says otherwise.
        let addresses = AddressGuard(allowing: [], resolver: FixedResolver(["localhost": ["8.8.8.8"]]))
        let transport = AsyncHTTPTransport(options: AsyncHTTPTransport.Options(connections: addresses))
        let guarded = GuardedTransport(transport, addresses: addresses)
        await #expect(throws: OutboundError(.addressRefused, "")) {
            try await guarded.send(OutboundRequest(.get, "http://localhost:\(server.port)/"))
        }
        try await eventually("the connection's end") { received.value.count == 1 }
        #expect(received.value.first ?? nil == nil)
        await transport.shutdown()
    }

    @Test("an allowed host passes both looks")
    func allowedCall() async throws {
        let server = try RawServer { peer in
            _ = try peer.request()
            try peer.reply(200, "{}")
        }
        let addresses = AddressGuard(allowing: [AllowedHost(host: "127.0.0.1", port: server.port)])
        let transport = AsyncHTTPTransport(options: AsyncHTTPTransport.Options(connections: addresses))
        let reply = try await GuardedTransport(transport, addresses: addresses).send(OutboundRequest(.get, server.url))
        #expect(reply.status == 200)
        await transport.shutdown()
    }

    @Test(
        "that stand in an allowed network may be called, others of this machine's not",
        arguments: [
            ("127.0.0.1", true), ("127.1.2.3", false), ("10.1.255.255", true), ("10.2.0.0", false),
            ("fd00:1::9", true), ("fd00:2::9", false), ("::ffff:127.0.0.1", false), ("169.254.169.254", false),
        ]
    )
    func networks(_ address: String, _ isAllowed: Bool) async throws {
        let allowed = ["127.0.0.1/32", "10.1.7.7/16", "fd00:1::/32"].compactMap { AllowedHost($0) }
        #expect(allowed.count == 3)
        let found = try #require(IPAddress(address))
        let addresses = AddressGuard(allowing: allowed)
        let host = found.isVersion6 ? "[\(address)]" : address
        let isPermitted = addresses.permitsConnection(to: found, port: 80)
        #expect(isPermitted == isAllowed)
        let url = try OutboundAddress("http://\(host)/")
        if isAllowed {
            try await addresses.check(url)
        } else {
            await #expect(throws: OutboundError(.addressRefused, "")) { try await addresses.check(url) }
        }
    }

    @Test("of clouds' metadata are opened by no network that is wider than theirs")
    func wideNetworks() throws {
        let metadata = try #require(IPAddress("169.254.169.254"))
        let wide = AddressGuard(allowing: ["0.0.0.0/0", "::/0"].compactMap { AllowedHost($0) })
        #expect(wide.permitsConnection(to: try #require(IPAddress("10.0.0.1")), port: 80))
        #expect(!wide.permitsConnection(to: metadata, port: 80))
        #expect(!wide.permitsConnection(to: try #require(IPAddress("fe80::1")), port: 80))
        let meant = AddressGuard(allowing: ["169.254.0.0/16"].compactMap { AllowedHost($0) })
        #expect(meant.permitsConnection(to: metadata, port: 80))
    }

    @Test("are networks with as many bits as their addresses have, and nothing else")
    func networkTexts() {
        #expect(IPNetwork("10.1.7.7/16")?.description == "10.1.0.0/16")
        #expect(IPNetwork("0.0.0.0/0").map { $0.contains(IPAddress("203.0.113.9")!) } == true)
        #expect(IPNetwork("fd00::/8")?.contains(IPAddress("fdff::1")!) == true)
        #expect(IPNetwork("10.0.0.128/25")?.contains(IPAddress("10.0.0.127")!) == false)
        for bad in [
            "10.0.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8", "fd00::/129", "/8", "10.0.0.0/+8", "a/8",
            "1.2.3.4/8/8",
        ] {
            #expect(IPNetwork(bad) == nil && (bad == "10.0.0.0" || AllowedHost(bad) == nil), "\(bad)")
        }
    }

    @Test("that users give are called by https, unless the allow list names them")
    func plainText() async throws {
        struct Fixed: HostResolver {
            let found: String
            func addresses(of host: String) async throws -> [IPAddress] { [IPAddress(found)!] }
        }
        let allowed = ["10.0.0.0/8", "files.internal"].compactMap { AllowedHost($0) }
        func check(_ url: String, at address: String) async throws {
            let addresses = AddressGuard(allowing: allowed, requiresTLS: true, resolver: Fixed(found: address))
            try await addresses.check(try OutboundAddress(url))
        }
        try await check("https://example.org/", at: "93.184.216.34")
        try await check("http://files.internal/", at: "192.168.0.9")
        try await check("http://any.example/", at: "10.9.9.9")
        await #expect(throws: OutboundError(.addressRefused, "")) {
            try await check("http://example.org/", at: "93.184.216.34")
        }
        await #expect(throws: OutboundError(.addressRefused, "")) {
            try await check("https://example.org/", at: "192.168.0.9")
        }
    }
}

struct FixedResolver: HostResolver {
    private let known: [String: [IPAddress]]

    init(_ known: [String: [String]]) { self.known = known.mapValues { $0.compactMap { IPAddress($0) } } }

    func addresses(of host: String) async throws -> [IPAddress] {
        if let literal = IPAddress(host) { return [literal] }
        guard let found = known[host] else { throw OutboundError(.cannotConnect, "no such host") }
        return found
    }
}
