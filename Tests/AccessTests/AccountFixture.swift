import Database
import Domain
import Logging
import TestSupport
import Testing

@testable import Access

/// People over a database after its first start; hashes cost the least that is accepted.
struct AccountFixture: Sendable {
    let base: AccessFixture
    let service: AccountService
    let logger = Logger(label: "test", factory: { _ in SilentLogHandler() })

    var clock: ManualClock { base.clock }
    var database: any SQLDatabase { base.database }

    static let password = "walrus under lavender"

    func caller(_ address: String? = "192.0.2.1") -> AccountCaller {
        AccountCaller(
            client: SessionClient(userAgent: "test", address: address),
            requestID: "request-1",
            deadline: .now + .seconds(60),
            logger: logger
        )
    }

    func register(
        _ email: String = "ada@example.com",
        _ password: String = Self.password,
        name: String = "Ada",
        from address: String? = "192.0.2.1"
    ) async throws -> SignIn? {
        let registered = try await service.register(
            email: email,
            password: Password(password),
            name: name,
            caller: caller(address)
        )
        guard case .signedIn(let signIn) = registered else { return nil }
        return signIn
    }

    func signIn(
        _ email: String = "ada@example.com",
        _ password: String = Self.password,
        new: String? = nil,
        tenant: TenantID? = nil,
        from address: String? = "192.0.2.1"
    ) async throws -> SignIn {
        try await service.signIn(
            email: email,
            password: Password(password),
            newPassword: new.map(Password.init),
            tenant: tenant,
            caller: caller(address)
        )
    }

    func context(_ signIn: SignIn) async throws -> RequestContext {
        try await base.authenticate(signIn.tokens.accessToken)
    }

    /// The mails that are due, each taken as sent.
    func mails() async throws -> [AccountMail] {
        let mails = try await service.dueMails(limit: 100, logger: logger)
        for mail in mails { try await service.sent(mail) }
        return mails
    }

    /// What a mail asks to be entered.
    static func token(in mail: AccountMail?) throws -> String {
        try #require(mail?.text.split(separator: "\n").map(String.init).first { MailedToken.digest(of: $0) != nil })
    }

    /// Actions in the log of a tenant, or of no tenant, oldest first.
    func audited(_ tenant: TenantID?) async throws -> [String] {
        await service.access.audit.flush()
        let chain = tenant?.description ?? "server"
        return try await database.read(of: .everyTenant) { transaction in
            try transaction.rows("SELECT action FROM access_audit WHERE chain = $1 ORDER BY sequence", [.text(chain)])
                .map { try $0.text(0) }
        }
    }
}

func withAccounts(
    _ kind: DatabaseKind,
    _ settings: AccountSettings = AccountSettings(registration: .open),
    _ body: @escaping @Sendable (AccountFixture) async throws -> Void
) async throws {
    try await withAccess(kind) { base in
        let hasher = PasswordHasher(cost: .least, threads: 2)
        let service = AccountService(access: base.service, hasher: hasher, settings: settings)
        try await body(AccountFixture(base: base, service: service))
    }
}
