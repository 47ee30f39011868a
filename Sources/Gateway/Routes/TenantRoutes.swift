import Access
import Domain
import HTTPTypes

/// One's own tenant, and all of them for operators of the server.
enum TenantRoutes {
    static let all = [show, change, list, create, manage, delete]

    private static let tenant = "/api/v1/tenants/{tenantId}"
    private static let managed = "/api/v1/admin/tenants"
    private static let managedOne = managed + "/{tenantId}"

    // MARK: One's own

    private static let show = Route(
        .get,
        tenant,
        name: "getTenant",
        summary: "Your tenant.",
        reply: .json(TenantWire.self, "The tenant."),
        handler: .authenticated { call, context in
            try call.requireOwnTenant(context)
            return try .json(TenantWire(try await call.services.access.ownTenant(context: context)))
        }
    )

    private static let change = Route(
        .patch,
        tenant,
        name: "updateTenant",
        summary: "Renames your tenant, or gives it to another owner.",
        body: RouteBody(TenantChangeWire.self),
        reply: .json(TenantWire.self, "The tenant as it is now."),
        problems: [.conflict],
        handler: .requires(.admin) { call, context in
            try call.requireOwnTenant(context)
            let access = call.services.access
            let owner = try call.body["owner"]?.stringValue.map { text in
                guard let owner = UserID(text) else {
                    throw GatewayError(.invalidBody, "The owner is no identifier of a user.")
                }
                return owner
            }
            if let name = call.body["name"]?.stringValue { try await access.renameTenant(name, context: context) }
            if let owner { try await access.giveTenant(to: owner, context: context) }
            return try .json(TenantWire(try await access.ownTenant(context: context)))
        }
    )

    // MARK: Operators

    private static let list = Route(
        .get,
        managed,
        name: "listManagedTenants",
        summary: "Every tenant of the server.",
        reply: .json(ManagedTenantListWire.self, "The tenants, oldest first."),
        handler: .operates { call, context in
            let tenants = try await call.services.access.tenants(context: context)
            return try .json(ManagedTenantListWire(tenants: tenants.map(ManagedTenantWire.init)))
        }
    )

    private static let create = Route(
        .post,
        managed,
        name: "createTenant",
        summary: "Makes a tenant with a workspace and an owner, whose first key is in this answer and nowhere else.",
        body: RouteBody(TenantDraftWire.self),
        reply: .json(MadeTenantWire.self, "The tenant and its owner's key.", status: .created),
        problems: [.conflict],
        handler: .operates { call, context in
            let draft: TenantDraftWire = try call.decodedBody()
            let made = try await call.services.access.createTenant(
                name: draft.name,
                ownerName: draft.ownerName,
                ownerEmail: draft.ownerEmail,
                context: context
            )
            return try .json(
                MadeTenantWire(tenant: ManagedTenantWire(made.tenant), key: IssuedAPIKeyWire(made.key)),
                status: .created
            )
        }
    )

    private static let manage = Route(
        .patch,
        managedOne,
        name: "updateManagedTenant",
        summary: "Suspends a tenant or lets it in again, and sets its limits.",
        body: RouteBody(ManagedTenantChangeWire.self),
        reply: .json(ManagedTenantWire.self, "The tenant as it is now."),
        problems: [.conflict],
        handler: .operates { call, context in
            let change: ManagedTenantChangeWire = try call.decodedBody()
            let tenant = try await call.services.access.changeTenant(
                try call.identifier(.tenantId),
                isSuspended: call.body["suspended"]?.boolValue,
                limits: try change.limits(),
                context: context
            )
            return try .json(ManagedTenantWire(tenant))
        }
    )

    private static let delete = Route(
        .delete,
        managedOne,
        name: "eraseTenant",
        summary: "Erases a tenant with all its data, for good. Nobody of it is let in from now on.",
        reply: .json(ManagedTenantWire.self, "The tenant, which is being erased.", status: .accepted),
        problems: [.conflict],
        handler: .operates { call, context in
            let id: TenantID = try call.identifier(.tenantId)
            let tenant = try await call.services.access.eraseTenant(id, context: context)
            return try .json(ManagedTenantWire(tenant), status: .accepted)
        }
    )
}

extension RouteCall {
    /// - Throws: `notFound` for another tenant than the caller's, as for one that does not exist.
    fileprivate func requireOwnTenant(_ context: Domain.RequestContext) throws {
        let id: TenantID = try identifier(.tenantId)
        guard id == context.tenant else { throw GatewayError.notFound }
    }
}
