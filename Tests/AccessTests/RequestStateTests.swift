import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Request state")
struct RequestStateTests {
    private let payload = Array(#"{"hash":"c0ffee","answers":{"confirm":true}}"#.utf8)
    private let purpose = Array("user 1, delete_records, digest 9".utf8)

    // MARK: Seals

    @Test("what was sealed opens for its purpose, in every process with the master key")
    func opens() async throws {
        try await withAccess(.sqlite) { fixture in
            let sealer = fixture.service.stateSealer
            for bytes in [payload, [], [UInt8](0...255), [UInt8](repeating: 7, count: Limits.requestStateBytes)] {
                let text = try sealer.seal(bytes, boundTo: purpose)
                #expect(text.hasPrefix("v1."))
                #expect(text.utf8.allSatisfy { Self.isPlain($0) })
                #expect(try fixture.otherProcess().stateSealer.open(text, boundTo: purpose) == bytes)
            }
        }
    }

    @Test("it opens for no other purpose, under no other key, and not by the other implementation")
    func otherPurposes() async throws {
        try await withAccess(.sqlite) { fixture in
            let sealer = fixture.service.stateSealer
            let text = try sealer.seal(payload, boundTo: purpose)
            for other in [[], Array(purpose.dropLast()), purpose + [0], purpose + payload, payload] {
                #expect(throws: StateSealError.broken) { try sealer.open(text, boundTo: other) }
            }
            let stranger = AccessService.sample(fixture.database, MasterKey.random(), fixture.clock)
            #expect(throws: StateSealError.broken) { try stranger.stateSealer.open(text, boundTo: purpose) }
            #expect(throws: StateSealError.broken) { try MemoryStateSealer().open(text, boundTo: purpose) }
        }
    }

    @Test("no byte moves between purpose and payload")
    func border() throws {
        let sealer = MemoryStateSealer()
        let text = try sealer.seal(Array("bc".utf8), boundTo: Array("a".utf8))
        let signature = try #require(text.split(separator: ".").last)
        for (payload, purpose) in [("c", "ab"), ("abc", ""), ("", "abc")] {
            let moved = "v1.\(Base64URL.text(Array(payload.utf8))).\(signature)"
            #expect(throws: StateSealError.broken) { try sealer.open(moved, boundTo: Array(purpose.utf8)) }
        }
    }

    @Test("no change to the text goes unseen: not a bit, not a length, not a second spelling")
    func tampering() throws {
        let sealer = MemoryStateSealer()
        let text = try sealer.seal(payload, boundTo: purpose)
        let bytes = Array(text.utf8)
        for place in bytes.indices {
            for other in [bytes[place] ^ 1, UInt8(ascii: "."), UInt8(ascii: "="), UInt8(ascii: "A")]
            where other != bytes[place] {
                var changed = bytes
                changed[place] = other
                let tampered = String(decoding: changed, as: UTF8.self)
                #expect(throws: StateSealError.broken) { try sealer.open(tampered, boundTo: purpose) }
            }
            let cut = String(decoding: bytes[..<place], as: UTF8.self)
            #expect(throws: StateSealError.broken) { try sealer.open(cut, boundTo: purpose) }
        }
        let parts = text.split(separator: ".").map(String.init)
        for other in [
            "", "v1", "v1.", "v1..", "v2.\(parts[1]).\(parts[2])", "\(text).", "\(text)A", " \(text)", "\(text)=",
            "v1.\(parts[2]).\(parts[1])", "v1..\(parts[2])", "v1.\(parts[1]).", String(repeating: "A", count: 100_000),
        ] {
            #expect(throws: StateSealError.broken) { try sealer.open(other, boundTo: purpose) }
        }
    }

    @Test("more than the bound is not sealed")
    func bound() {
        let bytes = [UInt8](repeating: 0, count: Limits.requestStateBytes + 1)
        #expect(throws: StateSealError.tooLong(byteCount: 0)) {
            try MemoryStateSealer().seal(bytes, boundTo: purpose)
        }
    }

    // MARK: Using up

    @Test("a nonce is used up once, by one of many processes at once", arguments: DatabaseKind.allCases)
    func once(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.owner()
            let until = fixture.clock.instant.adding(seconds: 600)
            let spent = try await withThrowingTaskGroup { group in
                for _ in 0..<16 {
                    let sealer = fixture.otherProcess().stateSealer
                    group.addTask { try await sealer.spend("n1", until: until, context: context) }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(spent == 1)
            #expect(try await fixture.service.stateSealer.spend("n2", until: until, context: context))
        }
    }

    @Test("another tenant's is another one", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let sealer = fixture.service.stateSealer
            let until = fixture.clock.instant.adding(seconds: 600)
            #expect(try await sealer.spend("n", until: until, context: fixture.owner()))
            let other = try await fixture.secondTenant()
            #expect(try await sealer.spend("n", until: until, context: other))
            #expect(try await !sealer.spend("n", until: until, context: other))
        }
    }

    @Test("what is dead, empty or too long is never used up", arguments: DatabaseKind.allCases)
    func unusable(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.owner()
            for sealer in [fixture.service.stateSealer, MemoryStateSealer(now: fixture.clock.now)] {
                let now = fixture.clock.instant
                #expect(try await !sealer.spend("n", until: now, context: context))
                let until = now.adding(seconds: 1)
                for nonce in ["", "a\0b", String(repeating: "x", count: Limits.nonceBytes + 1)] {
                    #expect(try await !sealer.spend(nonce, until: until, context: context))
                }
                let longest = String(repeating: "x", count: Limits.nonceBytes)
                #expect(try await sealer.spend(longest, until: until, context: context))
            }
        }
    }

    @Test(
        "dead ones are cleared away by new ones and by the sweep, but not while a late clock would still take them",
        arguments: DatabaseKind.allCases
    )
    func sweeping(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.owner()
            let (service, tenant) = (fixture.service, context.tenant)
            let until = fixture.clock.instant.adding(seconds: 10)
            for number in 0..<5 {
                #expect(try await service.stateSealer.spend("n\(number)", until: until, context: context))
            }
            // Exactly at its end, and as long after as clocks may differ.
            fixture.clock.advance(.seconds(10 + 2 * Limits.clockSkewSeconds) - .microseconds(1))
            #expect(try await service.sweepNonces(tenant: tenant) == 0)
            fixture.clock.advance(.microseconds(1))
            let store = NonceStore(database: fixture.database)
            let now = fixture.clock.instant
            #expect(try await store.sweep(at: now, limit: 2, tenant: tenant) == 2)
            let next = now.adding(seconds: 600)
            #expect(try await store.spend("next", until: next, at: now, tenant: tenant))
            #expect(try await service.sweepNonces(tenant: tenant) == 0)
        }
    }

    @Test("in memory, a nonce is used up once until it is dead, and no more than the bound are remembered")
    func memory() async throws {
        try await withAccess(.sqlite) { fixture in
            let context = try await fixture.owner()
            let sealer = MemoryStateSealer(now: fixture.clock.now)
            let until = fixture.clock.instant.adding(seconds: 10)
            for number in 0..<Limits.rememberedNonces {
                #expect(try await sealer.spend("n\(number)", until: until, context: context))
            }
            #expect(try await !sealer.spend("n0", until: until, context: context))
            #expect(try await !sealer.spend("more", until: until, context: context))
            fixture.clock.advance(.seconds(10))
            let next = fixture.clock.instant.adding(seconds: 10)
            #expect(try await sealer.spend("more", until: next, context: context))
        }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
