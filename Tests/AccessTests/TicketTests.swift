import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Tickets")
struct TicketTests {
    @Test("open once, for the caller who drew them", arguments: DatabaseKind.allCases)
    func once(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.authenticate(fixture.firstKey.text)
            let ticket = try fixture.service.issueTicket(context: context)
            #expect(ticket.text.utf8.count == 43)
            let redeemed = try await redeem(ticket.text, fixture)
            #expect(redeemed.principal == context.principal)
            #expect(redeemed.tenant == context.tenant)
            #expect(redeemed.id == "request-2")
            await #expect(throws: AccessError.unauthenticated("")) { try await redeem(ticket.text, fixture) }
        }
    }

    @Test("die after their time, on the moment", arguments: DatabaseKind.allCases)
    func expiry(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.authenticate(fixture.firstKey.text)
            let first = try fixture.service.issueTicket(context: context)
            let second = try fixture.service.issueTicket(context: context)
            fixture.clock.advance(.seconds(Limits.ticketSeconds) - .milliseconds(1))
            _ = try await redeem(first.text, fixture)
            fixture.clock.advance(.milliseconds(1))
            await #expect(throws: AccessError.unauthenticated("")) { try await redeem(second.text, fixture) }
        }
    }

    @Test("are worth nothing when the key behind them died", arguments: DatabaseKind.allCases)
    func revoked(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let owner = try await fixture.owner()
            let key = try await fixture.service.createKey(APIKeyDraft(name: "a", scopes: [.chat]), context: owner)
            let context = try await fixture.authenticate(key.text)
            let ticket = try fixture.service.issueTicket(context: context)
            try await fixture.service.revokeKey(key.key.id, context: owner)
            await #expect(throws: AccessError.unauthenticated("")) { try await redeem(ticket.text, fixture) }
            await #expect(throws: AccessError.unauthenticated("")) {
                try await fixture.service.renewed(context, timeout: .seconds(1))
            }
        }
    }

    @Test("a renewed context has the rights of now and a name of its own", arguments: DatabaseKind.allCases)
    func renewed(_ kind: DatabaseKind) async throws {
        try await withAccess(kind) { fixture in
            let context = try await fixture.authenticate(fixture.firstKey.text)
            let renewed = try await fixture.service.renewed(context, timeout: .seconds(5))
            #expect(renewed.principal == context.principal)
            #expect(renewed.id.hasPrefix(context.id + "."))
            let owner = try await fixture.owner()
            #expect(try await fixture.service.renewed(owner, timeout: .seconds(5)).principal == owner.principal)
        }
    }

    @Test("what was never issued opens nothing", arguments: ["", "x", String(repeating: "A", count: 43)])
    func unknown(_ text: String) async throws {
        try await withAccess(.sqlite) { fixture in
            await #expect(throws: AccessError.unauthenticated("")) { try await redeem(text, fixture) }
        }
    }

    @Test("only so many wait, of one user and of all; dead ones make room")
    func bounds() throws {
        let book = TicketBook(capacity: 5, perUser: 3)
        let now = ContinuousClock.now
        func entry(_ user: UserID, _ tenant: TenantID) -> TicketBook.Entry {
            TicketBook.Entry(
                principal: Principal(user: user, key: nil, permissions: []),
                tenant: tenant,
                expires: now + .seconds(30)
            )
        }
        let (tenant, first, second) = (TenantID.random(), UserID.random(), UserID.random())
        var texts: Set<String> = []
        for _ in 0..<3 { texts.insert(try book.issue(entry(first, tenant), at: now)) }
        #expect(throws: AccessError(.limitReached, "")) { try book.issue(entry(first, tenant), at: now) }
        for _ in 0..<2 { texts.insert(try book.issue(entry(second, tenant), at: now)) }
        #expect(throws: AccessError(.limitReached, "")) { try book.issue(entry(second, tenant), at: now) }
        #expect(texts.count == 5)
        _ = try book.issue(entry(first, tenant), at: now + .seconds(30))
        #expect(book.count == 1)
    }

    private func redeem(_ text: String, _ fixture: AccessFixture) async throws -> RequestContext {
        try await fixture.service.redeemTicket(
            text,
            timeout: .seconds(60),
            requestID: "request-2",
            logger: fixture.logger
        )
    }
}
