import Domain
import TestSupport
import Testing

@testable import Access

@Suite("Mails that tell people what happened to their account")
struct AccountNoticeTests {
    @Test(
        "AUTH-14: a new key, another secret of one, a new password and a new address are mailed to the owner",
        arguments: DatabaseKind.allCases
    )
    func notices(_ kind: DatabaseKind) async throws {
        try await withAccounts(kind) { fixture in
            let context = try await fixture.context(try #require(try await fixture.register()))
            let access = fixture.service.access
            #expect(try await fixture.mails().isEmpty)

            let key = try await access.createKey(APIKeyDraft(name: "x", scopes: [.search]), context: context)
            let rotated = try await access.rotateKey(key.key.id, context: context)
            let mails = try await fixture.mails()
            #expect(mails.map(\.subject) == ["A new API key", "A new API key"])
            #expect(mails.map(\.recipient) == ["ada@example.com", "ada@example.com"])
            for mail in mails { #expect(!mail.text.contains(key.text) && !mail.text.contains(rotated.text)) }

            // What makes no key worth more is no news, and what is refused neither.
            try await access.setKey(key.key.id, isDisabled: true, context: context)
            try await access.revokeKey(key.key.id, context: context)
            await #expect(throws: AccessError.self) {
                _ = try await access.createKey(APIKeyDraft(name: "x", scopes: []), context: context)
            }
            #expect(try await fixture.mails().isEmpty)

            try await fixture.service.changePassword(
                from: Password(AccountFixture.password),
                to: Password("another walrus entirely"),
                context: context
            )
            #expect(try await fixture.mails().map(\.subject) == ["Your password was changed"])
            _ = try await fixture.service.changeEmail(
                to: "ada@new.example.com",
                password: Password("another walrus entirely"),
                context: context
            )
            let changed = try await fixture.mails()
            #expect(changed.map(\.subject) == ["Your e-mail address was changed"])
            #expect(changed.map(\.recipient) == ["ada@example.com"])
        }
    }

    @Test("AUTH-14: a key of a user that only keys act as is mailed to nobody, not to who made it either")
    func others() async throws {
        try await withAccounts(.sqlite) { fixture in
            let access = fixture.service.access
            let ada = try await fixture.context(try #require(try await fixture.register()))
            let robot = try await access.createUser(name: "Robot", role: .viewer, context: ada)
            let draft = APIKeyDraft(name: "x", scopes: [.search], owner: robot.id)
            _ = try await access.createKey(draft, context: ada)
            #expect(try await fixture.mails().isEmpty)
        }
    }
}
