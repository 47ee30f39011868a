import Domain

/// Who may invite whom to what.
extension AccessService {
    /// Passes for who manages members wherever the invite gives something, and gives nothing that they have not. A role in
    /// the whole tenant, and an invite to nothing yet, are for those who manage its members.
    ///
    /// - Throws: `forbidden`.
    func requireMayInvite(as role: Role, to places: [InvitedPlace], _ standing: Standing) throws {
        if role != .guest || places.isEmpty {
            guard standing.manages(.tenant) else { throw AccessError.forbidden(.membersManage) }
            try requireHeld(Rights(role.permissions), .tenant, standing)
        }
        for place in places {
            guard standing.manages(place.resource) else { throw AccessError.forbidden(.membersManage) }
            try requireHeld(Rights(place.role.permissions), place.resource, standing)
        }
    }

    /// Whether whoever made an invite could make it now: it gives nothing that they have lost since.
    func isStillGiven(_ invite: Invite, in tenant: TenantID) async throws -> Bool {
        policies.forget(tenant)
        let subject = PolicyBook.Subject(tenant: tenant, user: invite.invitedBy, key: nil)
        guard let standing = try await policies.standing(of: subject) else { return false }
        do {
            try requireMayInvite(as: invite.role, to: invite.places, standing)
            return true
        } catch is AccessError {
            return false
        }
    }
}
