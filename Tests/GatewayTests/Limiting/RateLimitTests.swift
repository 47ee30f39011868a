import Domain
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Synchronization
import Testing

@testable import Gateway

@Suite("Token buckets")
struct TokenBucketTests {
    private static let second: UInt64 = 1_000_000_000
    private let buckets = TokenBuckets()
    private let quota = RateQuota(count: 5, seconds: 10)!
    private let subject = RateSubject.address(RemoteAddress("192.0.2.1")!)

    @Test("a full bucket gives all at once, and then one for each part of its window")
    func refill() {
        let start = 1_000 * Self.second
        for left in [4, 3, 2, 1, 0] {
            let standing = buckets.take(subject, .read, quota, now: start)
            #expect(standing.isAdmitted)
            #expect(standing.remaining == left)
            #expect(standing.resetSeconds == (5 - left) * 2)
        }
        let refused = buckets.take(subject, .read, quota, now: start)
        #expect(!refused.isAdmitted)
        #expect(refused.remaining == 0)
        #expect(refused.retryAfterSeconds == 2)
        #expect(!buckets.take(subject, .read, quota, now: start + 2 * Self.second - 1).isAdmitted)
        #expect(buckets.take(subject, .read, quota, now: start + 2 * Self.second).isAdmitted)
        #expect(!buckets.take(subject, .read, quota, now: start + 2 * Self.second).isAdmitted)
        #expect(buckets.take(subject, .read, quota, now: start + 1_000 * Self.second).remaining == 4)
    }

    @Test("whoever waits as long as they are told is admitted, and no sooner", arguments: [UInt64](0..<20))
    func told(_ seed: UInt64) {
        var generator = Sequence(state: seed)
        var now = 5_000 * Self.second
        let quota = RateQuota(
            count: Int.random(in: 1...50, using: &generator),
            seconds: Int.random(in: 1...90, using: &generator)
        )!
        for _ in 0..<200 {
            let standing = buckets.take(subject, .write, quota, now: now)
            if standing.isAdmitted {
                now += UInt64.random(in: 0...Self.second, using: &generator)
            } else {
                #expect(standing.retryAfterSeconds >= 1)
                now += UInt64(standing.retryAfterSeconds) * Self.second
                #expect(buckets.take(subject, .write, quota, now: now).isAdmitted, "seed \(seed)")
            }
        }
    }

    /// SplitMix64.
    private struct Sequence: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }

    @Test("no window admits more than its quota and what comes back meanwhile")
    func bound() {
        let quota = RateQuota(count: 30, seconds: 60)!
        var admitted: [UInt64] = []
        for step in 0..<6_000 {
            let now = 9_000 * Self.second + UInt64(step) * 100_000_000
            if buckets.take(subject, .search, quota, now: now).isAdmitted { admitted.append(now) }
        }
        for (place, start) in admitted.enumerated() {
            let inside = admitted[place...].prefix { $0 < start + 60 * Self.second }.count
            #expect(inside <= 60)
        }
        #expect((300...331).contains(admitted.count))
    }

    @Test("a machine that started less than a window ago counts as any other")
    func young() {
        for _ in 0..<5 { #expect(buckets.take(subject, .read, quota, now: 1).isAdmitted) }
        let refused = buckets.take(subject, .read, quota, now: 1)
        #expect(!refused.isAdmitted)
        #expect(refused.retryAfterSeconds == 2)
    }

    @Test("subjects and classes are counted apart, addresses of one /64 together")
    func apart() {
        let one = RateQuota(count: 1, seconds: 60)!
        let take = { (subject: RateSubject, cost: CostClass) in
            buckets.take(subject, cost, one, now: Self.second).isAdmitted
        }
        #expect(take(subject, .read))
        #expect(!take(subject, .read))
        #expect(take(subject, .write))
        #expect(take(.failures(RemoteAddress("192.0.2.1")!), .read))
        #expect(take(.address(RemoteAddress("2001:db8::1")!.group), .read))
        #expect(!take(.address(RemoteAddress("2001:db8::2")!.group), .read))
        #expect(take(.address(RemoteAddress("2001:db8:0:1::2")!.group), .read))
    }

    @Test("memory is bounded whoever comes, and those who flood are remembered longest")
    func bounded() {
        let buckets = TokenBuckets(limit: 1_000)
        let quota = RateQuota(count: 10, seconds: 60)!
        let flooder = RateSubject.address(RemoteAddress("198.51.100.1")!)
        for _ in 0..<10 { _ = buckets.take(flooder, .read, quota, now: Self.second) }
        for number in 0..<20_000 {
            let address = RemoteAddress(high: 0x2001_0DB8_0000_0000 + UInt64(number), low: 0)
            #expect(buckets.take(.address(address), .read, quota, now: Self.second).isAdmitted)
            #expect(buckets.count <= 1_000)
        }
        #expect(!buckets.take(flooder, .read, quota, now: Self.second).isAdmitted)
    }
}

@Suite("Limits of requests")
struct RateLimitTests {
    @Test("are read from a setting, and written as they are read")
    func settings() throws {
        let limits = try #require(RequestLimits("standard, read=5/10, tenant.model=off, address=off"))
        #expect(limits.caller[.read] == RateQuota(count: 5, seconds: 10))
        #expect(limits.caller[.write] == RequestLimits.standard.caller[.write])
        #expect(limits.tenant[.model] == nil)
        #expect(limits.address == nil)
        #expect(RequestLimits(limits.description) == limits)
        #expect(RequestLimits("off")?.description == "off")
        for wrong in [
            "", "x", "read", "read=", "read=5", "read=0/1", "read=5/0", "read=5/1/1", "free=1/1", "tenant.auth=1/1",
            "read=5/10,standard", "tenants.read=1/1",
        ] {
            #expect(RequestLimits(wrong) == nil, "\(wrong)")
        }
    }

    @Test("every route has a class, and only what machines ask again and again is free")
    func classes() {
        for route in RouteTable.standard.routes {
            let path = route.pattern.description
            #expect((route.cost == .free) == ["/health", "/ready"].contains(path), "\(path)")
            if path.hasPrefix("/api/v1/auth/") { #expect(route.cost == .auth) }
        }
        let cost = { (method: HTTPRequest.Method, path: String) in
            RouteTable.standard.routes.first { $0.method == method && $0.pattern.description == path }?.cost
        }
        #expect(cost(.post, "/api/v1/search") == .search)
        #expect(cost(.get, "/api/v1/airtable/bases") == .read)
        #expect(cost(.patch, "/v0/{baseId}/{tableIdOrName}") == .write)
        #expect(cost(.post, "/v1/chat/completions") == .model)
        #expect(cost(.get, "/v1/models") == .read)
        #expect(cost(.post, "/mcp") == .search)
    }

    @Test("GW-04: a caller beyond their limit is told so and when to come back, in the shape of the address")
    func caller() async throws {
        try await withServer {
            $0.limits = RequestLimits("read=3/600,write=1/600")!
        } _: { fixture, port in
            func get(_ path: String, _ key: String) async throws -> WireAnswer {
                let connection = try await ByteConnection(port: port)
                try await connection.send(
                    "GET \(path) HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\nConnection: close\r\n\r\n"
                )
                return try #require(WireAnswer.all(in: await connection.readToEnd()).first)
            }
            for left in [2, 1, 0] {
                let answer = try await get("/api/v1/airtable/bases", fixture.key)
                #expect(answer.status == 200)
                #expect(answer.field("ratelimit-policy") == "\"read\";q=3;w=600")
                #expect(answer.field("ratelimit") == "\"read\";r=\(left);t=\((3 - left) * 200)")
                #expect(answer.field("retry-after") == nil)
            }
            let refused = try await get("/api/v1/airtable/bases", fixture.key)
            #expect(refused.status == 429)
            #expect(refused.field("content-type") == "application/problem+json")
            #expect(refused.field("ratelimit")?.hasPrefix("\"read\";r=0;t=") == true)
            #expect(refused.field("retry-after").flatMap { Int($0) }.map { (199...200).contains($0) } == true)
            #expect(refused.text.contains("\"tooManyRequests\""))
            let airtable = try await get("/v0/meta/bases", fixture.key)
            #expect(airtable.status == 429)
            #expect(airtable.text.contains("RATE_LIMIT_REACHED"))
            #expect(airtable.field("retry-after") != nil)
            let openai = try await get("/v1/models", fixture.key)
            #expect(openai.status == 429)
            #expect(openai.text.contains("rate_limit_exceeded"))
            // Another key has a bucket of its own, and nobody is kept from asking for the server's health.
            let other = try await fixture.key([.basesRead])
            #expect(try await get("/api/v1/airtable/bases", other).status == 200)
            #expect(try await get("/health", other).status == 200)
            #expect(fixture.metrics.text().contains("pyairtable_rate_limited_total{limit=\"read\"} 3\n"))
        }
    }

    @Test("GW-04: all keys of a tenant share its limit")
    func tenant() async throws {
        try await withServer {
            $0.limits = RequestLimits("read=100/600,tenant.read=2/600")!
        } _: { fixture, port in
            var statuses: [Int] = []
            for _ in 0..<3 {
                let key = try await fixture.key([.basesRead])
                let connection = try await ByteConnection(port: port)
                try await connection.send(
                    "GET /api/v1/airtable/bases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n"
                        + "Connection: close\r\n\r\n"
                )
                statuses += WireAnswer.all(in: await connection.readToEnd()).map(\.status)
            }
            #expect(statuses == [200, 200, 429])
        }
    }

    @Test("GW-04: an address is limited before anybody is asked who they are, by what a trusted proxy says")
    func address() async throws {
        try await withServer {
            $0.limits = RequestLimits("address=2/600")!
            $0.trustedProxies = [AddressBlock("127.0.0.1")!]
        } _: { _, port in
            func ask(_ client: String) async throws -> Int? {
                let connection = try await ByteConnection(port: port)
                try await connection.send(
                    "GET /openapi.json HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: \(client)\r\nConnection: close\r\n\r\n"
                )
                return WireAnswer.all(in: await connection.readToEnd()).first?.status
            }
            var statuses: [Int?] = []
            for client in ["203.0.113.1", "6.6.6.6, 203.0.113.1", "203.0.113.1", "203.0.113.2"] {
                statuses.append(try await ask(client))
            }
            #expect(statuses == [200, 200, 429, 200])
        }
    }

    @Test("GW-04: an address that fails to prove who it is too often has to wait; who can prove it has not")
    func failures() async throws {
        try await withServer {
            $0.limits = RequestLimits("auth=3/600")!
        } _: { fixture, port in
            func ask(_ key: String) async throws -> WireAnswer? {
                let connection = try await ByteConnection(port: port)
                try await connection.send(
                    "GET /api/v1/airtable/bases HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \(key)\r\n"
                        + "Connection: close\r\n\r\n"
                )
                return WireAnswer.all(in: await connection.readToEnd()).first
            }
            var statuses: [Int?] = []
            for number in 0..<5 { statuses.append(try await ask("nonsense\(number)")?.status) }
            #expect(statuses == [401, 401, 401, 429, 429])
            #expect(try await ask(fixture.key)?.status == 200)
        }
    }
}
