import Domain

extension AccountService {
    /// What registering came to.
    public enum Registered: Sendable {
        /// A mail is on its way; nobody learns whether the address had an account.
        case pending
        case signedIn(SignIn)
    }

    /// Makes an account, and a tenant with a workspace that the person owns.
    ///
    /// With addresses verified, nothing exists until the mail is answered, and an address that has an account gets a
    /// mail that says so. Without, such an address is refused, which tells that it has one.
    ///
    /// - Throws: `registrationClosed`, `invalid`, `weakPassword`, `addressTaken`, `busy`; `AttemptRefusal`.
    public func register(
        email text: String,
        password: Password,
        name: String,
        caller: AccountCaller
    ) async throws -> Registered {
        guard settings.registration == .open else {
            throw AccessError(
                .registrationClosed,
                "Nobody can register here.",
                hint: "ask to be invited, or who runs this server"
            )
        }
        try await begin(.register, address: caller.client.address, deadline: caller.deadline)
        let email = try EmailAddress(text)
        let name = try AccessService.displayName(name, of: "person")
        let time = now
        let registration = Registration(
            id: RunningName.made(),
            email: email,
            name: name,
            password: try await hash(password, for: email, names: [name]),
            createdTime: time
        )
        if settings.verifiesEmail {
            try await store.keep(registration, deadline: caller.deadline)
            return .pending
        }
        let newcomer = newcomer(registration, verified: nil, caller)
        guard try await store.insert(newcomer, deadline: caller.deadline) else {
            throw AccessError(.addressTaken, "This address has an account.", hint: "sign in, or set a new password")
        }
        try await attempts.remember(
            ClientNetwork(caller.client.address),
            of: email.key,
            at: time,
            deadline: caller.deadline
        )
        return .signedIn(try await begin(newcomer.account, newcomer.membership, caller))
    }

    /// Uses up what came by mail to show that an address is one's own: for a registration, or a new address.
    ///
    /// - Throws: `tokenRefused`, `addressTaken`; `AttemptRefusal`.
    public func verify(token: String, caller: AccountCaller) async throws {
        try await begin(.token, address: caller.client.address, deadline: caller.deadline)
        guard let digest = MailedToken.digest(of: token) else { throw Self.tokenRefused }
        let time = now
        if let registration = try await store.registration(digest, at: time, deadline: caller.deadline) {
            let newcomer = newcomer(registration, verified: time, caller)
            guard try await store.admit(registration, as: newcomer, deadline: caller.deadline) else {
                throw Self.tokenRefused
            }
            return
        }
        let change = try await store.takeEmail(
            with: digest,
            at: time,
            audit: caller.event(.emailChanged, at: time),
            deadline: caller.deadline
        )
        profiles.clear()
        access.policiesChanged()
        switch change {
        case .changed: return
        case .taken: throw AccessError(.addressTaken, "Another account has this address by now.")
        case .missing: throw Self.tokenRefused
        }
    }

    private func newcomer(_ registration: Registration, verified: Instant?, _ caller: AccountCaller) -> Newcomer {
        let time = now
        let account = Account(
            id: .random(),
            email: registration.email,
            verifiedTime: verified,
            passwordTime: time,
            createdTime: time
        )
        let user = User(
            id: .random(),
            name: registration.name,
            email: registration.email.text.lowercased(),
            role: .owner,
            isDisabled: false,
            createdTime: time
        )
        let tenant = Tenant(id: .random(), name: registration.name, owner: user.id, createdTime: time)
        var made = caller.event(.tenantCreated, at: time, user: user.id)
        made.object = AuditObject(.tenant, tenant.id)
        return Newcomer(
            account: account,
            password: registration.password,
            tenant: tenant,
            workspace: Workspace(id: .random(), name: "default", createdTime: time),
            user: user,
            audit: [made, caller.event(.register, at: time, user: user.id, account: account.id)]
        )
    }
}

extension Newcomer {
    var membership: Membership { Membership(tenant: tenant.id, tenantName: tenant.name, user: user) }
}
