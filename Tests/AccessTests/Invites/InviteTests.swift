import Database
import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Invites")
struct InviteTests {
    @Test("whoever was invited joins with their role, once, within seven days", arguments: DatabaseKind.allCases)
    func joining(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings(registration: .invite)) { fixture in
            let token = try await fixture.invite("Lise@example.com", .editor)
            let late = try await fixture.invite("late@example.com", .editor)
            fixture.clock.advance(.seconds(7 * 86_400 - 1))
            let lise = try await fixture.accept(token)
            #expect(lise.tenant == fixture.base.first.tenant)
            #expect(lise.user.role == .editor && lise.user.name == "Lise" && lise.user.email == "lise@example.com")
            #expect(lise.account.email.text == "Lise@example.com")
            // The token was in the inviter's hands: it shows nothing of whose the address is.
            #expect(lise.account.verifiedTime == nil)
            let context = try await fixture.context(lise)
            #expect(context.principal.permissions == Role.editor.permissions)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(token) }
            fixture.clock.advance(.seconds(1))
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(late) }
            _ = try await fixture.signIn("lise@example.com")
            let actions = try await fixture.audited(fixture.base.first.tenant)
            #expect(actions.count { $0 == "invite.created" } == 2)
            #expect(actions.count { $0 == "invite.accepted" } == 1)
            #expect(actions.count { $0 == "user.created" } == 1)
            #expect(try await fixture.service.sweep() >= 1)
            #expect(try await fixture.rows("access_invites") == 0)
        }
    }

    @Test("the token is in no row, and those who wait are listed without it", arguments: DatabaseKind.allCases)
    func stored(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let token = try await fixture.invite("lise@example.com")
            let owner = try await fixture.base.owner()
            let open = try await fixture.service.openInvites(context: owner)
            #expect(open.map(\.email.text) == ["lise@example.com"])
            let dump = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT * FROM access_invites").map { "\($0.values)" }.joined()
            }
            #expect(token.count == 33 && !dump.contains(token))
            let stranger = try await fixture.base.secondTenant()
            #expect(try await fixture.service.openInvites(context: stranger).isEmpty)
            await expectRefusal(.notFound) { try await fixture.service.revokeInvite(open[0].id, context: stranger) }
            try await fixture.service.revokeInvite(open[0].id, context: owner)
            await expectRefusal(.notFound) { try await fixture.service.revokeInvite(open[0].id, context: owner) }
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(token) }
            // Of two to one address by one person the later counts.
            let first = try await fixture.invite("lise@example.com")
            let second = try await fixture.invite("LISE@example.com")
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(first) }
            _ = try await fixture.accept(second)
        }
    }

    @Test("a person of another tenant joins with the password they have", arguments: DatabaseKind.allCases)
    func second(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let home = try #require(try await fixture.register("lise@example.com", name: "Lise"))
            fixture.clock.advance(.seconds(1))
            let token = try await fixture.invite("LISE@example.com", .viewer)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(token, "another word of hers") }
            let joined = try await fixture.accept(token, name: nil)
            #expect(joined.account.id == home.account.id && joined.user.id != home.user.id)
            #expect(joined.user.name == "LISE")
            let context = try await fixture.context(joined)
            let tenants = try await fixture.service.tenants(context: context)
            #expect(tenants.map(\.tenant) == [home.tenant, joined.tenant])
            let back = try await fixture.service.enter(home.tenant, context: context, caller: fixture.caller())
            #expect(back.user.id == home.user.id)
            await expectRefusal(.notFound) {
                _ = try await fixture.service.enter(.random(), context: context, caller: fixture.caller())
            }
            let key = try await fixture.base.authenticate(fixture.base.firstKey.text)
            await expectRefusal(.sessionRequired) {
                _ = try await fixture.service.enter(home.tenant, context: key, caller: fixture.caller())
            }
            await expectRefusal(.sessionRequired) { _ = try await fixture.service.tenants(context: key) }
        }
    }

    @Test("who is signed in accepts without a password what is for their address", arguments: DatabaseKind.allCases)
    func signedIn(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let lise = try #require(try await fixture.register("lise@example.com", name: "Lise"))
            let eve = try #require(try await fixture.register("eve@example.com", name: "Eve"))
            let token = try await fixture.invite("lise@example.com", .viewer)
            let (hers, evil) = (try await fixture.context(lise), try await fixture.context(eve))
            let hashes = fixture.service.hasher.load.finished
            await expectRefusal(.tokenRefused) {
                _ = try await fixture.service.acceptInvite(token: token, context: evil, caller: fixture.caller())
            }
            let joined = try await fixture.service.acceptInvite(token: token, context: hers, caller: fixture.caller())
            #expect(joined.user.name == "Lise" && joined.tenant == fixture.base.first.tenant)
            #expect(fixture.service.hasher.load.finished == hashes)
            let key = try await fixture.base.authenticate(fixture.base.firstKey.text)
            await expectRefusal(.sessionRequired) {
                _ = try await fixture.service.acceptInvite(token: token, context: key, caller: fixture.caller())
            }
        }
    }

    @Test("AUTH-06: who has an account is told by neither inviting nor failing to accept")
    func silent() async throws {
        try await withAccounts(.sqlite) { fixture in
            _ = try await fixture.register("lise@example.com", name: "Lise")
            let (known, unknown) = (
                try await fixture.invite("lise@example.com"), try await fixture.invite("nobody@example.com")
            )
            let rows = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT role, places, mailed FROM access_invites").map { "\($0.values)" }
            }
            #expect(rows.count == 2 && Set(rows).count == 1)

            /// What an attempt said, and how many passwords were hashed for it.
            func attempt(_ token: String, _ password: String) async throws -> String {
                let before = fixture.service.hasher.load.finished
                do {
                    _ = try await fixture.accept(token, password)
                    return "accepted"
                } catch let error as AccessError {
                    return "\(error.code) \(error.message) \(fixture.service.hasher.load.finished - before)"
                }
            }
            // What nobody could choose is refused in one way, with an account or without.
            #expect(try await attempt(known, "12345678") == attempt(unknown, "12345678"))
            let refused = [
                try await attempt(known, "not her password at all"),
                try await attempt("000000000000000000000000000000000", "not her password at all"),
                try await attempt("nonsense", "not her password at all"),
            ]
            #expect(Set(refused).count == 1 && refused[0].hasPrefix("tokenRefused") && refused[0].hasSuffix(" 1"))
        }
    }

    @Test(
        "AUTH-07: guesses with an invite count as those at signing in, with an account or without",
        arguments: DatabaseKind.allCases
    )
    func guessing(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            _ = try await fixture.register("lise@example.com", name: "Lise", from: "203.0.113.9")
            for email in ["lise@example.com", "nobody@example.com"] {
                let token = try await fixture.invite(email)
                for _ in 0..<Limits.freeFailures {
                    _ = try? await fixture.accept(token, "12345678", from: "198.51.100.7")
                }
                await #expect(throws: AttemptRefusal.self) {
                    _ = try await fixture.accept(token, from: "198.51.100.7")
                }
            }
        }
    }

    @Test("with a relay the token goes to the address alone, and proves it", arguments: DatabaseKind.allCases)
    func mailed(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind, AccountSettings(registration: .invite, sendsMail: true)) { fixture in
            let owner = try await fixture.base.owner()
            func invite(_ email: String) async throws -> IssuedInvite {
                try await fixture.service.invite(
                    InviteDraft(email: email, role: .viewer),
                    checking: AnyPlace(),
                    context: owner
                )
            }
            let issued = try await invite("lise@example.com")
            #expect(issued.token == nil && issued.invite.isMailed)
            // A mail that is sent again holds another token, and the one before is dead.
            let due = try await fixture.service.dueMails(limit: 9, logger: fixture.logger)
            fixture.clock.advance(.seconds(130))
            let mails = try await fixture.mails()
            #expect(mails.map(\.recipient) == ["lise@example.com"])
            let old = try AccountFixture.token(in: due.first)
            await expectRefusal(.tokenRefused) { _ = try await fixture.accept(old) }
            let lise = try await fixture.accept(try AccountFixture.token(in: mails.first))
            #expect(lise.account.verifiedTime != nil)

            let revoked = try await invite("gone@example.com")
            try await fixture.service.revokeInvite(revoked.invite.id, context: owner)
            #expect(try await fixture.mails().isEmpty)
            // Nobody's mailbox is flooded.
            for _ in 0..<2 { _ = try await invite("gone@example.com") }
            await expectRefusal(.limitReached) { _ = try await invite("gone@example.com") }
        }
    }

    @Test("with registration off only who has an account accepts", arguments: DatabaseKind.allCases)
    func closed(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { open in
            _ = try await open.register("lise@example.com", name: "Lise")
            let (known, unknown) = (
                try await open.invite("lise@example.com"), try await open.invite("nobody@example.com")
            )
            let closed = AccountFixture(
                base: open.base,
                service: AccountService(
                    access: open.base.service,
                    hasher: open.service.hasher,
                    settings: AccountSettings(registration: .off)
                )
            )
            await expectRefusal(.tokenRefused) { _ = try await closed.accept(unknown) }
            _ = try await closed.accept(known)
            _ = try await open.accept(unknown)
        }
    }
}

extension AccountFixture {
    /// An invite by the owner, or whoever has a context; its token.
    func invite(
        _ email: String,
        _ role: Role = .viewer,
        _ places: [InvitedPlace] = [],
        by context: RequestContext? = nil
    ) async throws -> String {
        var inviter = context
        if inviter == nil { inviter = try await base.owner() }
        let issued = try await service.invite(
            InviteDraft(email: email, role: role, places: places),
            checking: AnyPlace(),
            context: try #require(inviter)
        )
        return try #require(issued.token).revealed
    }

    func accept(
        _ token: String,
        _ password: String = Self.password,
        name: String? = "Lise",
        from address: String? = "192.0.2.1"
    ) async throws -> SignIn {
        try await service.acceptInvite(
            token: token,
            name: name,
            password: Password(password),
            caller: caller(address)
        )
    }

    func rows(_ table: String) async throws -> Int {
        try await database.read(of: .everyTenant) { transaction in
            Int(try transaction.firstRow("SELECT COUNT(*) FROM \(table)")?.integer(0) ?? 0)
        }
    }
}
