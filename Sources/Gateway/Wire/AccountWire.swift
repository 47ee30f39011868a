import Access
import Domain

/// The body of `POST /api/v1/auth/register`.
struct RegisterWire: DocumentedWireType, Hashable {
    let email: String
    let password: String
    let name: String

    static let schemaName = "Register"
    static let schema = JSONSchema.object(
        properties: ["email": AccountField.email, "password": AccountField.newPassword, "name": AccountField.name],
        required: ["email", "password", "name"]
    )
    static let sample = RegisterWire(
        email: "ada@example.com",
        password: "walrus under lavender",
        name: "Ada Lovelace"
    )
}

/// The body of `POST /api/v1/auth/login`.
struct LoginWire: DocumentedWireType, Hashable {
    let email: String
    let password: String
    let newPassword: String?
    let tenant: TenantID?

    static let schemaName = "Login"
    static let schema = JSONSchema.object(
        properties: [
            "email": AccountField.email,
            "password": AccountField.password,
            "newPassword": .string(
                description: "Replaces the password; needed when that was given by somebody else.",
                maxLength: AccountField.passwordLength
            ),
            "tenant": JSONSchema(json: [
                "type": "string", "pattern": "^ten[A-Za-z0-9]{14}$",
                "description":
                    "Where to sign in, for who belongs to several tenants; else where they have been longest.",
            ]),
        ],
        required: ["email", "password"]
    )
    static let sample = LoginWire(
        email: "ada@example.com",
        password: "walrus under lavender",
        newPassword: nil,
        tenant: nil
    )
}

/// What registering and signing in answer.
struct SignedInWire: DocumentedWireType, Hashable {
    struct Person: Codable, Sendable, Hashable {
        let id: UserID
        let tenantId: TenantID
        let name: String
        let email: String
        let emailVerified: Bool
        let role: String
    }

    let accessToken: String
    let tokenType: String
    let expiresIn: Int
    let refreshToken: String
    let sessionId: SessionID
    let sessionExpiresTime: String
    let user: Person

    init(_ signIn: SignIn) {
        self.init(
            TokensWire(signIn.tokens),
            Person(
                id: signIn.user.id,
                tenantId: signIn.tenant,
                name: signIn.user.name,
                email: signIn.account.email.text,
                emailVerified: signIn.account.verifiedTime != nil,
                role: signIn.user.role.rawValue
            )
        )
    }

    private init(_ tokens: TokensWire, _ user: Person) {
        accessToken = tokens.accessToken
        tokenType = tokens.tokenType
        expiresIn = tokens.expiresIn
        refreshToken = tokens.refreshToken
        sessionId = tokens.sessionId
        sessionExpiresTime = tokens.sessionExpiresTime
        self.user = user
    }

    static let schemaName = "SignedIn"
    static let schema: JSONSchema = {
        guard case .object(var members) = TokensWire.schema.json, case .object(var properties)? = members["properties"],
            case .array(let required)? = members["required"]
        else { preconditionFailure("the tokens' schema is no object's") }
        properties["user"] = .object(person)
        members["properties"] = .object(properties)
        members["required"] = .array(required + ["user"])
        members["description"] = "Tokens, and who they are for."
        return JSONSchema(json: .object(members))
    }()
    private static let person: JSONObject = {
        let schema = JSONSchema.object(
            properties: [
                "id": AccountField.user, "tenantId": AccountField.tenant,
                "name": .string(description: "What they are called."),
                "email": .string(description: "As they gave it."),
                "emailVerified": .boolean(description: "Whether they showed that it is theirs."),
                "role": AccountField.role,
            ],
            required: ["id", "tenantId", "name", "email", "emailVerified", "role"]
        )
        guard case .object(let members) = schema.json else { preconditionFailure("a person's schema is no object's") }
        return members
    }()
    static let sample = SignedInWire(
        TokensWire.sample,
        Person(
            id: MeWire.sample.id,
            tenantId: MeWire.sample.tenantId,
            name: "Ada Lovelace",
            email: "ada@example.com",
            emailVerified: true,
            role: "owner"
        )
    )
}

/// The body of what shows a token that came by mail.
struct MailedTokenWire: DocumentedWireType, Hashable {
    let token: String

    static let schemaName = "MailedToken"
    static let schema = JSONSchema.object(properties: ["token": AccountField.token], required: ["token"])
    static let sample = MailedTokenWire(token: "5bLq0Zt9JmXw3Rk7Uv1Yc8Nd2Pf6Gh4Sa")
}

/// The body of `POST /api/v1/auth/password/forgot`.
struct ForgotWire: DocumentedWireType, Hashable {
    let email: String

    static let schemaName = "ForgotPassword"
    static let schema = JSONSchema.object(properties: ["email": AccountField.email], required: ["email"])
    static let sample = ForgotWire(email: "ada@example.com")
}

/// The body of `POST /api/v1/auth/password/reset`.
struct ResetWire: DocumentedWireType, Hashable {
    let token: String
    let password: String

    static let schemaName = "ResetPassword"
    static let schema = JSONSchema.object(
        properties: ["token": AccountField.token, "password": AccountField.newPassword],
        required: ["token", "password"]
    )
    static let sample = ResetWire(token: MailedTokenWire.sample.token, password: "marmalade on tuesday")
}

/// The body of `PUT /api/v1/users/me/password`.
struct ChangePasswordWire: DocumentedWireType, Hashable {
    let currentPassword: String
    let newPassword: String

    static let schemaName = "ChangePassword"
    static let schema = JSONSchema.object(
        properties: ["currentPassword": AccountField.password, "newPassword": AccountField.newPassword],
        required: ["currentPassword", "newPassword"]
    )
    static let sample = ChangePasswordWire(
        currentPassword: "walrus under lavender",
        newPassword: "marmalade on tuesday"
    )
}

/// The body of `PUT /api/v1/users/me/email`.
struct ChangeEmailWire: DocumentedWireType, Hashable {
    let email: String
    let password: String

    static let schemaName = "ChangeEmail"
    static let schema = JSONSchema.object(
        properties: ["email": AccountField.email, "password": AccountField.password],
        required: ["email", "password"]
    )
    static let sample = ChangeEmailWire(email: "countess@example.com", password: "walrus under lavender")
}

/// What is asked of several bodies.
enum AccountField {
    /// Of what is typed: composing may make it shorter, and the policy counts after that.
    static let passwordLength = 1_024
    static let email = JSONSchema.string(description: "An e-mail address.", minLength: 1, maxLength: 254)
    static let password = JSONSchema.string(description: "The password.", maxLength: passwordLength)
    static let newPassword = JSONSchema.string(
        description: "8 to 128 characters of any kind; none of those that are guessed first.",
        maxLength: passwordLength
    )
    static let name = JSONSchema.string(description: "What to be called: one line.", minLength: 1, maxLength: 100)
    static let token = JSONSchema.string(description: "As the mail has it.", minLength: 1, maxLength: 100)
    static let user = JSONSchema(json: ["type": "string", "pattern": "^usr[A-Za-z0-9]{14}$"])
    static let tenant = JSONSchema(json: ["type": "string", "pattern": "^ten[A-Za-z0-9]{14}$"])
    static let role = JSONSchema.string(
        description: "What they are in the whole tenant.",
        enum: Role.allCases.map(\.rawValue)
    )
}
