public import Domain

extension RequestContext {
    /// Passes when this request may do what `permission` names.
    ///
    /// - Throws: `AccessError.forbidden`, naming the permission.
    public func require(_ permission: Permission) throws(AccessError) {
        guard Policy.allows(permission, to: principal) else { throw AccessError.forbidden(permission) }
    }
}
