import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Passwords changed and forgotten")
struct AccountPasswordTests {
    private static let next = "marmalade on tuesday"

    @Test(
        "AUTH-09: a change needs the current password, and ends every session but its own",
        arguments: DatabaseKind.allCases
    )
    func change(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let first = try #require(try await fixture.register())
            let second = try await fixture.signIn()
            let context = try await fixture.context(first)
            await expectRefusal(.wrongPassword) {
                try await fixture.service.changePassword(
                    from: Password("guess"),
                    to: Password(Self.next),
                    context: context
                )
            }
            _ = try await fixture.context(second)
            try await fixture.service.changePassword(
                from: Password(AccountFixture.password),
                to: Password(Self.next),
                context: context
            )
            _ = try await fixture.context(first)
            await expectRefusal(.unauthenticated) { _ = try await fixture.context(second) }
            await expectRefusal(.unauthenticated) {
                _ = try await fixture.service.access.refresh(
                    second.tokens.refreshToken,
                    client: SessionClient(userAgent: "test", address: nil)
                )
            }
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn() }
            _ = try await fixture.signIn("ada@example.com", Self.next)
            #expect(try await fixture.mails().map(\.subject) == ["Your password was changed"])
            #expect(try await fixture.audited(first.tenant).contains("password.changed"))
        }
    }

    @Test("AUTH-04, AUTH-09: a change is held to the policy, to being one, and to coming with a session")
    func changeRefusals() async throws {
        try await withAccounts(.sqlite) { fixture in
            let context = try await fixture.context(try #require(try await fixture.register()))
            let current = Password(AccountFixture.password)
            for weak in ["password123", "short", "ada@example.com", "pyairtable1", AccountFixture.password] {
                await expectRefusal(.weakPassword) {
                    try await fixture.service.changePassword(from: current, to: Password(weak), context: context)
                }
            }
            let owner = try await fixture.base.owner()
            await expectRefusal(.sessionRequired) {
                try await fixture.service.changePassword(from: current, to: Password(Self.next), context: owner)
            }
            for _ in 0..<5 {
                await expectRefusal(.wrongPassword) {
                    try await fixture.service.changePassword(
                        from: Password("x"),
                        to: Password(Self.next),
                        context: context
                    )
                }
            }
            await #expect(throws: AttemptRefusal.self) {
                try await fixture.service.changePassword(from: current, to: Password(Self.next), context: context)
            }
        }
    }

    @Test("AUTH-10: a reset token works once, within an hour, and ends every session", arguments: DatabaseKind.allCases)
    func reset(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let first = try #require(try await fixture.register())
            try await fixture.service.forgot(email: "ADA@example.com", caller: fixture.caller())
            let mail = try #require(try await fixture.mails().first)
            #expect(mail.subject == "Set a new password" && mail.recipient == "ada@example.com")
            let token = try AccountFixture.token(in: mail)
            // 33 letters of 62 are 196 bits; what is stored is not the token.
            #expect(token.utf8.count == 33)
            let stored = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT digest FROM access_account_tokens").map { try $0.bytes(0) }
            }
            #expect(stored.count == 1 && stored[0].count == 32 && stored[0] != Array(token.utf8))

            await expectRefusal(.weakPassword) {
                try await fixture.service.reset(token: token, password: Password("password1"), caller: fixture.caller())
            }
            try await fixture.service.reset(token: token, password: Password(Self.next), caller: fixture.caller())
            await expectRefusal(.tokenRefused) {
                try await fixture.service.reset(token: token, password: Password(Self.next), caller: fixture.caller())
            }
            await expectRefusal(.unauthenticated) { _ = try await fixture.context(first) }
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn() }
            let again = try await fixture.signIn("ada@example.com", Self.next)
            #expect(again.account.verifiedTime == fixture.clock.instant, "who reads the mail has the address")
            #expect(try await fixture.audited(first.tenant).contains("password.reset"))
        }
    }

    @Test(
        "AUTH-10: a token is dead after an hour, after a newer mail, and after a change of password",
        arguments: DatabaseKind.allCases
    )
    func deadTokens(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let context = try await fixture.context(try #require(try await fixture.register()))
            func token() async throws -> String {
                fixture.clock.advance(.seconds(1_200))
                try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
                return try AccountFixture.token(
                    in: try await fixture.mails().last { $0.subject == "Set a new password" }
                )
            }
            func expectDead(_ token: String) async {
                await expectRefusal(.tokenRefused) {
                    try await fixture.service.reset(
                        token: token,
                        password: Password(Self.next),
                        caller: fixture.caller()
                    )
                }
            }
            let old = try await token()
            let new = try await token()
            await expectDead(old)
            fixture.clock.advance(.seconds(3_600))
            await expectDead(new)
            let unused = try await token()
            let current = try await fixture.signIn()
            try await fixture.service.changePassword(
                from: Password(AccountFixture.password),
                to: Password(Self.next),
                context: try await fixture.context(current)
            )
            await expectDead(unused)
            for nonsense in ["", "x", String(repeating: "a", count: 33), unused + "a"] { await expectDead(nonsense) }
            _ = context
        }
    }

    @Test("AUTH-10: of two who show one reset token at once, one sets the password", arguments: DatabaseKind.allCases)
    func race(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            let token = try AccountFixture.token(in: try await fixture.mails().first)
            let winners = await withTaskGroup(of: Int?.self) { group in
                for number in 0..<6 {
                    group.addTask {
                        let password = Password("marmalade on day \(number)")
                        let caller = fixture.caller()
                        do {
                            try await fixture.service.reset(token: token, password: password, caller: caller)
                            return number
                        } catch { return nil }
                    }
                }
                return await group.reduce(into: []) { $0 += [$1].compactMap(\.self) }
            }
            #expect(winners.count == 1)
            if let winner = winners.first {
                _ = try await fixture.signIn("ada@example.com", "marmalade on day \(winner)")
            }
        }
    }

    @Test(
        "AUTH-06: forgotten: an address without an account is told nothing, and gets no mail; no address gets many",
        arguments: DatabaseKind.allCases
    )
    func forgotten(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            try await fixture.service.forgot(email: "nobody@example.com", caller: fixture.caller())
            // The same row is written for both.
            #expect(try await fixture.service.mailsWaiting() == 1)
            #expect(try await fixture.mails().isEmpty)
            #expect(try await fixture.service.mailsWaiting() == 0)
            for _ in 0..<5 { try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller()) }
            #expect(try await fixture.mails().count == 3)
            for number in 0..<4 {
                try await fixture.service.forgot(email: "x\(number)@example.com", caller: fixture.caller())
            }
            await #expect(throws: AttemptRefusal(wait: .seconds(60))) {
                try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            }
            await expectRefusal(.invalid) {
                try await fixture.service.forgot(email: "no address", caller: fixture.caller("198.51.100.1"))
            }
        }
    }

    @Test(
        "AUTH-07: who sets a new password by mail is not held up by others' failures",
        arguments: DatabaseKind.allCases
    )
    func resetForgives(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register()
            for _ in 0..<5 {
                await expectRefusal(.signInRefused) {
                    _ = try await fixture.signIn("ada@example.com", "x", from: "10.1.1.1")
                }
            }
            try await fixture.service.forgot(email: "ada@example.com", caller: fixture.caller())
            let token = try AccountFixture.token(in: try await fixture.mails().first)
            try await fixture.service.reset(token: token, password: Password(Self.next), caller: fixture.caller())
            _ = try await fixture.signIn("ada@example.com", Self.next, from: "10.1.1.1")
        }
    }

    @Test(
        "AUTH-09: another address needs the password; unverified it is taken at once, and both are told",
        arguments: DatabaseKind.allCases
    )
    func email(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register("bob@example.com", name: "Bob", from: "10.0.0.1")
            let context = try await fixture.context(try #require(try await fixture.register()))
            let password = Password(AccountFixture.password)
            await expectRefusal(.wrongPassword) {
                _ = try await fixture.service.changeEmail(
                    to: "new@example.com",
                    password: Password("x"),
                    context: context
                )
            }
            await expectRefusal(.addressTaken) {
                _ = try await fixture.service.changeEmail(to: "BOB@example.com", password: password, context: context)
            }
            let changed = try await fixture.service.changeEmail(
                to: "New@example.com",
                password: password,
                context: context
            )
            guard case .done = changed else { return #expect(Bool(false), "\(changed)") }
            #expect(try await fixture.mails().map(\.recipient) == ["ada@example.com"])
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn() }
            let again = try await fixture.signIn("new@example.com")
            #expect(again.user.email == "new@example.com" && again.account.verifiedTime == nil)
        }
    }

    @Test(
        "AUTH-09: with verification the new address counts once its mail is answered",
        arguments: DatabaseKind.allCases
    )
    func verifiedEmail(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings(registration: .open, verifiesEmail: true)) { fixture in
            for email in ["ada@example.com", "bob@example.com"] {
                _ = try await fixture.register(email)
                let token = try AccountFixture.token(in: try await fixture.mails().first)
                try await fixture.service.verify(token: token, caller: fixture.caller())
            }
            let context = try await fixture.context(try await fixture.signIn())
            let password = Password(AccountFixture.password)
            // One that another has: the same answer, and nobody gets a mail.
            _ = try await fixture.service.changeEmail(to: "bob@example.com", password: password, context: context)
            #expect(try await fixture.mails().isEmpty)
            let changed = try await fixture.service.changeEmail(
                to: "new@example.com",
                password: password,
                context: context
            )
            guard case .pending = changed else { return #expect(Bool(false), "\(changed)") }
            let mail = try #require(try await fixture.mails().first)
            #expect(mail.recipient == "new@example.com")
            _ = try await fixture.signIn()
            try await fixture.service.verify(token: try AccountFixture.token(in: mail), caller: fixture.caller())
            await expectRefusal(.signInRefused) { _ = try await fixture.signIn() }
            #expect(try await fixture.signIn("new@example.com").account.verifiedTime == fixture.clock.instant)
        }
    }

    @Test(
        "AUTH-08: no account is there by itself; the first comes from the machine, and its password signs in only to be changed",
        arguments: DatabaseKind.allCases
    )
    func firstAccount(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings()) { fixture in
            let count = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.firstRow("SELECT COUNT(*) FROM access_accounts")?.integer(0)
            }
            #expect(count == 0)
            let owner = try await fixture.base.owner()
            let given = Password("from the terminal 77")
            await expectRefusal(.invalid) {
                try await fixture.service.givePassword(given, to: owner.principal.user, context: owner)
            }
            try await fixture.service.access.setEmail("root@example.com", of: owner.principal.user, context: owner)
            let byKey = try await fixture.base.authenticate(fixture.base.firstKey.text)
            await expectRefusal(.forbidden) {
                try await fixture.service.givePassword(given, to: owner.principal.user, context: byKey)
            }
            try await fixture.service.givePassword(given, to: owner.principal.user, context: owner)
            await expectRefusal(.passwordExpired) {
                _ = try await fixture.signIn("root@example.com", "from the terminal 77")
            }
            await expectRefusal(.weakPassword) {
                _ = try await fixture.signIn("root@example.com", "from the terminal 77", new: "from the terminal 77")
            }
            let signedIn = try await fixture.signIn("root@example.com", "from the terminal 77", new: Self.next)
            #expect(signedIn.user.id == owner.principal.user && signedIn.tenant == owner.tenant)
            #expect(!signedIn.account.mustChangePassword)
            await expectRefusal(.signInRefused) {
                _ = try await fixture.signIn("root@example.com", "from the terminal 77", new: "and yet another one")
            }
            _ = try await fixture.signIn("root@example.com", Self.next)
            // The address is now the person's to change, not an admin's.
            await expectRefusal(.invalid) {
                try await fixture.service.access.setEmail("evil@example.com", of: owner.principal.user, context: owner)
            }
            try await fixture.service.givePassword(given, to: owner.principal.user, context: owner)
            await expectRefusal(.unauthenticated) { _ = try await fixture.context(signedIn) }
        }
    }

    @Test("a profile is one's own: name and preferences, and nothing else moves", arguments: DatabaseKind.allCases)
    func profile(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let ada = try #require(try await fixture.register())
            let context = try await fixture.context(ada)
            let before = try await fixture.service.profile(context: context)
            #expect(before.user == ada.user && before.tenant.id == ada.tenant && before.preferences.isEmpty)
            let preferences: JSONObject = JSONObject([(key: "theme", value: "dark")])
            let after = try await fixture.service.updateProfile(
                name: "Countess",
                preferences: preferences,
                context: context
            )
            #expect(after.user.name == "Countess" && after.preferences == preferences)
            #expect(after.user.role == before.user.role && after.account == before.account)
            let kept = try await fixture.service.updateProfile(name: nil, preferences: nil, context: context)
            #expect(kept.preferences == preferences && kept.user.name == "Countess")
            let long = JSONObject([(key: "x", value: .string(String(repeating: "y", count: 17_000)))])
            await expectRefusal(.invalid) {
                _ = try await fixture.service.updateProfile(name: nil, preferences: long, context: context)
            }
            let owner = try await fixture.base.owner()
            _ = try await fixture.service.access.createUser(name: "grace", context: owner)
            await expectRefusal(.invalid) {
                _ = try await fixture.service.updateProfile(name: "grace", preferences: nil, context: owner)
            }
            #expect(try await fixture.service.profile(context: owner).account == nil)
        }
    }
}
