import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Registering and signing in")
struct AccountSignInTests {
    @Test("a person registers, owns a tenant of their own, and signs in again", arguments: DatabaseKind.allCases)
    func register(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let first = try #require(try await fixture.register("Ada@Example.com"))
            #expect(first.user.role == .owner && first.user.name == "Ada")
            #expect(first.user.email == "ada@example.com")
            #expect(first.account.email.text == "Ada@Example.com")
            #expect(first.account.verifiedTime == nil)
            let context = try await fixture.context(first)
            #expect(context.tenant == first.tenant && context.tenant != fixture.base.first.tenant)
            #expect(context.principal.user == first.user.id && context.principal.session == first.tokens.session.id)
            #expect(try await fixture.service.access.workspaces(context: context).map(\.name) == ["default"])
            let again = try await fixture.signIn("ADA@example.com")
            #expect(again.user == first.user && again.tenant == first.tenant)
            #expect(again.tokens.session.id != first.tokens.session.id)
            let audited = try await fixture.audited(first.tenant)
            #expect(audited == ["tenant.created", "auth.register", "auth.login", "auth.login"])
        }
    }

    @Test(
        "AUTH-05: no account, another password, no address at all: one error, and the same work",
        arguments: DatabaseKind.allCases
    )
    func refusals(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            var seen: Set<String> = []
            for (email, password) in [
                ("ada@example.com", "another password"), ("nobody@example.com", AccountFixture.password),
                ("no address", AccountFixture.password), ("", ""),
                ("ada@example.com", String(repeating: "x", count: 900)),
            ] {
                let before = fixture.service.hasher.load.finished
                do {
                    _ = try await fixture.signIn(email, password)
                    Issue.record("\(email) signed in")
                } catch let error as AccessError {
                    #expect(error.code == .signInRefused && error.kind == .unauthenticated)
                    seen.insert("\(error.message) \(error.hint ?? "")")
                }
                #expect(fixture.service.hasher.load.finished == before + 1, "\(email)")
            }
            #expect(seen.count == 1)
            await fixture.service.access.audit.settle()
            #expect(try await fixture.audited(nil).contains("auth.login"))
        }
    }

    @Test(
        "AUTH-06: without verification a taken address is told, at a rate that makes no list",
        arguments: DatabaseKind.allCases
    )
    func taken(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            for _ in 0..<4 {
                await expectRefusal(.addressTaken) { _ = try await fixture.register("ADA@example.com", name: "Eve") }
            }
            await #expect(throws: AttemptRefusal(wait: .seconds(600))) {
                _ = try await fixture.register("x@example.com")
            }
            // Nothing is left of those who were refused.
            let tenants = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM access_tenants")?.integer(0)
            }
            #expect(tenants == 2)
        }
    }

    @Test(
        "AUTH-06: with verification both cases look the same, cost the same, and differ in the mail alone",
        arguments: DatabaseKind.allCases
    )
    func verified(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings(registration: .open, verifiesEmail: true)) { fixture in
            #expect(try await fixture.register() == nil)
            #expect(fixture.service.hasher.load.finished == 1)
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn() }
            let mail = try #require(try await fixture.mails().first)
            #expect(mail.recipient == "ada@example.com" && mail.subject == "Confirm your e-mail address")
            let token = try AccountFixture.token(in: mail)
            await expectRefusal(.tokenRefused) {
                try await fixture.service.verify(token: String(token.reversed()), caller: fixture.caller())
            }
            try await fixture.service.verify(token: token, caller: fixture.caller())
            await expectRefusal(.tokenRefused) {
                try await fixture.service.verify(token: token, caller: fixture.caller())
            }
            let signedIn = try await fixture.signIn()
            #expect(signedIn.account.verifiedTime == fixture.clock.instant)

            let before = fixture.service.hasher.load.finished
            #expect(try await fixture.register("ADA@example.com", "something else entirely") == nil)
            #expect(fixture.service.hasher.load.finished == before + 1)
            let second = try #require(try await fixture.mails().first)
            #expect(second.subject == "You have an account already" && second.recipient == "ADA@example.com")
            #expect(!second.text.split(separator: "\n").contains { MailedToken.digest(of: String($0)) != nil })
            _ = try await fixture.signIn()
        }
    }

    @Test(
        "a registration is good for an hour after its mail; the address then belongs to who answered first",
        arguments: DatabaseKind.allCases
    )
    func registrationLife(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings(registration: .open, verifiesEmail: true)) { fixture in
            _ = try await fixture.register("ada@example.com", "the first password", name: "First")
            let first = try AccountFixture.token(in: try await fixture.mails().first)
            fixture.clock.advance(.seconds(3_601))
            await expectRefusal(.tokenRefused) {
                try await fixture.service.verify(token: first, caller: fixture.caller())
            }
            _ = try await fixture.register("ada@example.com", "the second password", name: "Second")
            let second = try AccountFixture.token(in: try await fixture.mails().first)
            _ = try await fixture.register("ada@example.com", "the third password", name: "Third")
            let third = try AccountFixture.token(in: try await fixture.mails().first)
            try await fixture.service.verify(token: second, caller: fixture.caller())
            await expectRefusal(.tokenRefused) {
                try await fixture.service.verify(token: third, caller: fixture.caller())
            }
            #expect(try await fixture.signIn("ada@example.com", "the second password").user.name == "Second")
        }
    }

    @Test("closed registration refuses, whoever asks", arguments: [AccountSettings.Registration.off, .invite])
    func closed(_ registration: AccountSettings.Registration) async throws {
        try await withAccounts(.sqlite, AccountSettings(registration: registration)) { fixture in
            await expectRefusal(.registrationClosed) { _ = try await fixture.register() }
            #expect(fixture.service.hasher.load.finished == 0)
        }
        #expect(AccountSettings().registration == .invite)
    }

    @Test("AUTH-04: registering refuses a password that is guessed first, or made of one's own name")
    func policy() async throws {
        try await withAccounts(.sqlite) { fixture in
            for password in ["password1", "Ada Byron 1", "lovelace.77", "pyairtable", "short"] {
                await expectRefusal(.weakPassword) {
                    _ = try await fixture.register("lovelace.77@example.com", password, name: "Ada Byron")
                }
            }
            fixture.clock.advance(.seconds(3_600))
            for (email, name) in [("no address", "Ada"), ("ada@example.com", ""), ("ada@example.com", " Ada")] {
                await expectRefusal(.invalid) { _ = try await fixture.register(email, name: name) }
            }
        }
    }

    @Test(
        "AUTH-07: after five failures the account waits, for the right password too, but not for a known client",
        arguments: DatabaseKind.allCases
    )
    func lockout(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register(from: "192.0.2.1")
            for _ in 0..<5 {
                await expectRefusal(.signInRefused) {
                    _ = try await fixture.signIn("ada@example.com", "guess", from: "198.51.100.9")
                }
            }
            let before = fixture.service.hasher.load.finished
            await #expect(throws: AttemptRefusal(wait: .seconds(10))) {
                _ = try await fixture.signIn(from: "198.51.100.9")
            }
            await #expect(throws: AttemptRefusal(wait: .seconds(10))) {
                _ = try await fixture.signIn(from: "203.0.113.5")
            }
            #expect(fixture.service.hasher.load.finished == before, "a refused attempt costs no hash")
            _ = try await fixture.signIn(from: "192.0.2.200")
            // An address without an account waits alike.
            for _ in 0..<5 {
                await expectRefusal(.signInRefused) { _ = try await fixture.signIn("nobody@x.y", "guess") }
            }
            await #expect(throws: AttemptRefusal(wait: .seconds(10))) {
                _ = try await fixture.signIn("nobody@x.y", "guess")
            }
            fixture.clock.advance(.seconds(10))
            _ = try await fixture.signIn(from: "203.0.113.5")
        }
    }

    @Test(
        "AUTH-01: a hash that is old, or bcrypt, is replaced when its password was right, and no session ends",
        arguments: DatabaseKind.allCases
    )
    func rehash(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let first = try #require(try await fixture.register())
            let bcrypt = "$2b$05$abcdefghijklmnopqrstuuWHxnxkyNt6AHCwFMQaY6auyqJA8E98a"
            try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute("UPDATE access_accounts SET password = $1", [.text(bcrypt)])
            }
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn("ada@example.com", "hellO") }
            _ = try await fixture.signIn("ada@example.com", "hello")
            let stored = try #require(try await fixture.service.store.account(first.account.id))
            #expect(stored.password?.hasPrefix("$argon2id$") == true)
            #expect(stored.account.passwordTime == first.account.passwordTime)
            _ = try await fixture.context(first)
            _ = try await fixture.signIn("ada@example.com", "hello")
        }
    }

    @Test("a person of several tenants says where, and a disabled user is nobody", arguments: DatabaseKind.allCases)
    func tenants(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let ada = try #require(try await fixture.register())
            let owner = try await fixture.base.owner()
            let member = try await fixture.service.access.createUser(name: "ada", role: .viewer, context: owner)
            try await fixture.database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    "UPDATE access_users SET account = $1 WHERE id = $2",
                    [.text(ada.account.id.description), .text(member.id.description)]
                )
            }
            #expect(try await fixture.service.store.memberships(of: ada.account.id).count == 2)
            let there = try await fixture.signIn(tenant: owner.tenant)
            #expect(there.user.id == member.id && there.tenant == owner.tenant)
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn(tenant: .random()) }
            try await fixture.service.access.setUser(member.id, isDisabled: true, context: owner)
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn(tenant: owner.tenant) }
            #expect(try await fixture.signIn().tenant == ada.tenant)
        }
    }

    @Test("AUTH-14: a sign-in from a new network is mailed to the owner, one from a known one is not")
    func newClient() async throws {
        try await withAccounts(.sqlite) { fixture in
            _ = try await fixture.register(from: "192.0.2.1")
            _ = try await fixture.signIn(from: "192.0.2.9")
            #expect(try await fixture.mails().isEmpty)
            _ = try await fixture.signIn(from: "198.51.100.1")
            #expect(try await fixture.mails().map(\.subject) == ["A new sign-in"])
            _ = try await fixture.signIn(from: "198.51.100.2")
            #expect(try await fixture.mails().isEmpty)
        }
    }
}
