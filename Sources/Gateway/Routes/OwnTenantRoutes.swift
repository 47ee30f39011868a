import Access
import Domain
import HTTPTypes

/// The tenants that somebody who signed in is a user of.
enum OwnTenantRoutes {
    static let all = [list, enter]

    private static let list = Route(
        .get,
        "/api/v1/tenants",
        name: "listTenants",
        summary: "The tenants that you are a user of.",
        reply: .json(OwnTenantListWire.self, "The tenants, the one you have been in longest first."),
        handler: .signedIn { call, context in
            let found = try await call.services.accounts.tenants(context: context)
            return try .json(
                OwnTenantListWire(
                    tenants: found.map { OwnTenantWire(id: $0.tenant, name: $0.tenantName, user: $0.user.id) }
                )
            )
        }
    )

    private static let enter = Route(
        .post,
        "/api/v1/tenants/{tenantId}/sessions",
        name: "enterTenant",
        summary: "Signs you in to another of your tenants, beside the session you have.",
        reply: .json(SignedInWire.self, "The tokens, and who they are for.", status: .created),
        cost: .auth,
        handler: .signedIn { call, context in
            let signIn = try await call.services.accounts.enter(
                try call.identifier(.tenantId),
                context: context,
                caller: call.accountCaller
            )
            return try .json(SignedInWire(signIn), status: .created)
        }
    )
}

struct OwnTenantWire: DocumentedWireType, Hashable {
    let id: TenantID
    let name: String
    let user: UserID

    static let schemaName = "OwnTenant"
    static let schema = JSONSchema.object(
        properties: [
            "id": PathParameter.tenantId.schema,
            "name": .string(),
            "user": PathParameter.userId.schema.described("Who you are there."),
        ],
        required: ["id", "name", "user"]
    )
    static let sample = OwnTenantWire(id: TenantID("tenChemistry00001")!, name: "Chemistry", user: Sample.user)
}

struct OwnTenantListWire: DocumentedWireType, Hashable {
    let tenants: [OwnTenantWire]

    static let schemaName = "OwnTenantList"
    static let schema = JSONSchema.object(
        properties: ["tenants": .array(of: OwnTenantWire.schema)],
        required: ["tenants"]
    )
    static let sample = OwnTenantListWire(tenants: [.sample])
}
