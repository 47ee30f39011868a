import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Access
@testable import Gateway

@Suite("Forged access tokens")
struct TokenForgeryTests {
    /// A server, a live session, and what a forger would need.
    private func withForge(
        _ body: @escaping @Sendable (Forge, any TestClientProtocol) async throws -> Void
    ) async throws {
        let now = Guarded(Instant.now())
        try await withGateway(now: { now.value }) { fixture in
            let pair = try await fixture.access.beginSession(
                user: fixture.owner.principal.user,
                tenant: fixture.owner.tenant,
                client: SessionClient()
            )
            let forge = Forge(
                signer: try await fixture.access.keyRing.signer(deadline: nil),
                good: pair.accessToken,
                now: Int(now.value.wholeSeconds)
            )
            try await fixture.server().publicApplication.test(.router) { try await body(forge, $0) }
        }
    }

    private func ask(_ client: any TestClientProtocol, _ token: String) async throws -> Answer {
        try await client.send(
            .get,
            "/api/v1/users/me/sessions",
            key: token,
            headers: [RequestIdentifier.header: "forgery-0000001"]
        )
    }

    @Test("TOK-01, TOK-03, TOK-04, TOK-05, TOK-06: each is refused with 401, and all with the same words")
    func table() async throws {
        #expect(Forgery.all.count >= 60)
        #expect(Set(Forgery.all.map(\.name)).count == Forgery.all.count)
        try await withForge { forge, client in
            // The control: the forge makes good tokens from the parts that the forgeries change.
            #expect(try await ask(client, forge.good).status == 200)
            #expect(try await ask(client, forge.signed(forge.goodHeader, forge.goodClaims)).status == 200)
            #expect(try await ask(client, forge.signed(forge.goodHeader, forge.changed { _, _ in })).status == 200)
            let refusal = try await ask(client, "nonsense")
            for forgery in Forgery.all {
                let answer = try await ask(client, forgery.make(forge))
                #expect(answer.status == 401, "\(forgery.name)")
                #expect(answer.text == refusal.text, "\(forgery.name)")
                #expect(answer.headers == refusal.headers, "\(forgery.name)")
            }
            // None of them did anything to the session.
            #expect(try await ask(client, forge.good).status == 200)
        }
    }

    @Test("TOK-04: a token from a clock that is a little ahead is good, and claims we do not know are let be")
    func allowed() async throws {
        try await withForge { forge, client in
            let ahead = try forge.changed { members, now in
                members["iat"] = .number(JSONNumber(now + 25))
                members["nbf"] = .number(JSONNumber(now + 25))
                members["exp"] = .number(JSONNumber(now + 25 + 900))
                members["x"] = "unknown"
            }
            #expect(try await ask(client, forge.signed(forge.goodHeader, ahead)).status == 200)
        }
    }

    @Test(
        "random changes of a good token open nothing",
        .enabled(if: ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1")
    )
    func fuzz() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        try await withForge { forge, client in
            var generator = SeededGenerator(seed: seed)
            for round in 0..<200_000 {
                var bytes = Array(forge.good.utf8)
                for _ in 0...Int.random(in: 0..<4, using: &generator) {
                    let position = Int.random(in: 0..<bytes.count, using: &generator)
                    switch Int.random(in: 0..<4, using: &generator) {
                    case 0: bytes[position] = UInt8.random(in: 0x21...0x7E, using: &generator)
                    case 1: bytes.remove(at: position)
                    case 2: bytes.insert(UInt8.random(in: 0x21...0x7E, using: &generator), at: position)
                    default: bytes.swapAt(position, Int.random(in: 0..<bytes.count, using: &generator))
                    }
                }
                let text = String(decoding: bytes, as: UTF8.self)
                guard text != forge.good else { continue }
                let answer = try await ask(client, text)
                #expect(answer.status == 401, "seed \(seed), round \(round)")
            }
        }
    }
}
