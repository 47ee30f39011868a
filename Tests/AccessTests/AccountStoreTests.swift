import Database
import Domain
import TestSupport
import Testing

@testable import Access

/// What a person is in a tenant is found with that tenant alone, on both databases.
@Suite("The store of accounts")
struct AccountStoreTests {
    @Test(
        "a user's account, profile and password are not reached by way of another tenant",
        arguments: DatabaseKind.allCases
    )
    func tenants(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let store = fixture.service.store
            let ada = try #require(try await fixture.register())
            let other = fixture.base.first.tenant
            let time = fixture.clock.instant
            let event = AuditEvent(.userChanged, at: time)
            #expect(try await store.account(of: ada.user.id, tenant: ada.tenant)?.account == ada.account)
            #expect(try await store.account(of: ada.user.id, tenant: other) == nil)
            #expect(try await store.profile(of: ada.user.id, tenant: ada.tenant)?.user == ada.user)
            #expect(try await store.profile(of: ada.user.id, tenant: other) == nil)
            let change = try await store.updateProfile(
                of: ada.user.id,
                name: "Eve",
                preferences: "{}",
                tenant: other,
                audit: event
            )
            #expect(change == .missing)
            let given = try await store.give(
                PasswordChange(hash: "hash", time: time),
                to: ada.user.id,
                with: Account(id: .random(), email: try EmailAddress("eve@example.com"), createdTime: time),
                tenant: other,
                audit: event
            )
            #expect(given == .missing)
            #expect(try await store.profile(of: ada.user.id, tenant: ada.tenant)?.user == ada.user)
            #expect(try await store.account(email: "eve@example.com") == nil)
            _ = try await fixture.signIn()
        }
    }

    @Test(
        "a hash is replaced, and a password set, only over the one that was checked",
        arguments: DatabaseKind.allCases
    )
    func compareAndSet(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let store = fixture.service.store
            let ada = try #require(try await fixture.register())
            let time = fixture.clock.instant
            let hash = try #require(try await store.account(ada.account.id)?.password)
            #expect(try await store.upgrade("another", to: "x", of: ada.account.id) == false)
            let event = AuditEvent(.passwordChanged, at: time)
            let stale = PasswordChange(hash: "x", old: "another", time: time)
            #expect(try await store.setPassword(stale, of: ada.account.id, audit: event) == false)
            let unknown = PasswordChange(hash: "x", time: time)
            #expect(try await store.setPassword(unknown, of: .random(), audit: event) == false)
            #expect(try await store.account(ada.account.id)?.password == hash)
            #expect(try await store.upgrade(hash, to: "y", of: ada.account.id))
            #expect(try await store.account(ada.account.id)?.password == "y")
        }
    }

    @Test(
        "mails are taken once, put off longer each time, and given up after ten; a sent one is gone",
        arguments: DatabaseKind.allCases
    )
    func mails(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let queue = fixture.service.mails
            _ = try await fixture.register()
            try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            var tokens: Set<String> = []
            var waits: [Int64] = []
            for attempt in 1...Limits.mailAttempts {
                let taken = try await queue.take(limit: 10, at: fixture.clock.instant)
                #expect(taken.due.map(\.attempts) == [attempt] && taken.given.isEmpty)
                tokens.insert(taken.due[0].token?.text.revealed ?? "")
                #expect(try await queue.take(limit: 10, at: fixture.clock.instant).due.isEmpty)
                let wait = MailQueue.wait(after: attempt)
                waits.append(wait.components.seconds)
                fixture.clock.advance(wait - .seconds(1))
                #expect(try await queue.take(limit: 10, at: fixture.clock.instant).due.isEmpty)
                fixture.clock.advance(.seconds(1))
            }
            #expect(tokens.count == Limits.mailAttempts, "each attempt has a token of its own")
            #expect(waits == [120, 240, 480, 960, 1_920, 3_840, 7_680, 14_400, 14_400, 14_400])
            let last = try await queue.take(limit: 10, at: fixture.clock.instant)
            #expect(last.due.isEmpty && last.given == [.reset])
            #expect(try await queue.count() == 0)
            try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            let mail = try #require(try await queue.take(limit: 10, at: fixture.clock.instant).due.first)
            try await queue.sent(mail.id)
            #expect(try await queue.count() == 0)
        }
    }

    @Test("what is over is swept, and what is not stays", arguments: DatabaseKind.allCases)
    func sweep(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            _ = try await fixture.mails()
            let store = fixture.service.store
            let soon = fixture.clock.instant.adding(.seconds(3_599))
            #expect(try await store.sweep(at: soon, limit: 100) == 0)
            #expect(try await store.sweep(at: soon.adding(.seconds(1)), limit: 100) == 1)
        }
    }

    @Test(
        "DATA-01: with the last user of a person goes the account, with what was mailed to it",
        arguments: DatabaseKind.allCases
    )
    func orphans(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let store = fixture.service.store
            let ada = try #require(try await fixture.register())
            try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            _ = try await fixture.mails()
            let bob = try #require(try await fixture.register("bob@example.com", name: "Bob"))
            #expect(try await store.sweep(at: fixture.clock.instant, limit: 100) == 0)
            try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute("DELETE FROM access_users WHERE id = $1", [.text(ada.user.id.description)])
            }
            #expect(try await store.sweep(at: fixture.clock.instant, limit: 100) == 1)
            #expect(try await store.account(ada.account.id) == nil)
            #expect(try await store.account(bob.account.id) != nil)
            let left = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM access_account_tokens")?.integer(0)
            }
            #expect(left == 0)
            // The address is free again.
            fixture.clock.advance(.seconds(3_600))
            #expect(try await fixture.register() != nil)
        }
    }

    @Test(
        "AUTHZ-07: nobody signs in to a tenant that is suspended, and its sessions are dead",
        arguments: DatabaseKind.allCases
    )
    func suspended(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let ada = try #require(try await fixture.register())
            _ = try await fixture.context(ada)
            try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE access_tenants SET state = 'suspended' WHERE id = $1",
                    [.text(ada.tenant.description)]
                )
            }
            fixture.clock.advance(.seconds(1))
            await expectRefusal(.unauthenticated) { _ = try await fixture.context(ada) }
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn() }
        }
    }
}
