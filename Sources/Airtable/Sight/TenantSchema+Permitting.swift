import Access
import Domain

/// What is to be changed: not there for whom it does not exist, refused to whom it does.
extension TenantSchema {
    /// The base, in the whole of which `permission` may be exercised.
    ///
    /// - Throws: `.modelNotFound`; `AccessError.forbidden`.
    func base(_ id: BaseID, changing scope: VisibleScope, _ permission: Permission) throws -> Base {
        let base = try base(id, scope)
        guard scope.permits(base: id) else { throw AccessError.forbidden(permission) }
        return base
    }

    /// The base, when nothing of it is kept back from who wants to change or delete it whole.
    ///
    /// - Throws: `.modelNotFound`; `AccessError.forbidden`, also for whom a part of it is hidden: what they do would
    ///   tell of that part, or take it away.
    func base(_ id: BaseID, changingWhole scope: VisibleScope, _ permission: Permission) throws -> Base {
        let base = try base(id, changing: scope, permission)
        let isWhole = tables(in: id).allSatisfy { scope.permits(table: $0.table.id, in: id) }
        guard isWhole else { throw AccessError.forbidden(permission, forWhole: "base \"\(base.name)\"") }
        return base
    }

    /// For who writes rows that are not looked at one by one.
    ///
    /// - Throws: `AccessError.forbidden`, also for whom a field or a record of the table is kept back.
    func requireWhole(_ table: Table, _ scope: VisibleScope, _ permission: Permission) throws {
        guard scope.permits(table: table.id, in: table.base) else { throw AccessError.forbidden(permission) }
        guard scope.permitsWhole(table: table.id, in: table.base) else {
            throw AccessError.forbidden(permission, forWhole: "table \"\(table.name)\"")
        }
    }

    /// - Throws: `.modelNotFound`; `AccessError.forbidden`.
    func table(_ id: TableID, changing scope: VisibleScope, _ permission: Permission) throws -> TableModel {
        let model = try table(id, scope)
        guard scope.permits(table: id, in: model.table.base) else { throw AccessError.forbidden(permission) }
        return model
    }

    /// The table, for who wants to change its fields: names are unique in it and formulas name them, so that who does
    /// not see all of them would learn of the others.
    ///
    /// - Parameter scope: widened.
    /// - Throws: `.modelNotFound`; `AccessError.forbidden`.
    func table(_ id: TableID, changingFields scope: VisibleScope, _ permission: Permission) throws -> TableModel {
        let model = try table(id, changing: scope, permission)
        guard scope.hiddenFields(table: id).isEmpty else { throw AccessError.forbidden(permission) }
        return model
    }
}
