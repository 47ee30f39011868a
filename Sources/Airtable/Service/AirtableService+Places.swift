public import Access
public import Domain

/// Whether a place exists for somebody, whatever they may do there.
extension AirtableService {
    /// Passes when `resource` is there and the caller sees it, by any of the permissions that show it.
    ///
    /// For who has checked that a workspace is seen.
    ///
    /// - Throws: a failure of kind `notFound`, the same whether it is hidden or not there.
    public func checkSeen(_ resource: Resource, context: RequestContext) async throws {
        guard let base = resource.base else { return }
        let sights: [Permission] =
            switch resource {
            case .tenant, .workspace: []
            case .base: [.basesRead, .schemaRead, .recordsRead]
            case .table: [.schemaRead, .recordsRead]
            case .view, .field: [.schemaRead]
            case .record: [.recordsRead]
            }
        var missing = AirtableError.baseNotFound()
        for permission in sights {
            let scope = try await access.visibleScope(for: context, doing: permission)
            do {
                return try await seeing(scope, context) { [filters] sight in
                    guard sight.schema.base(base) != nil, sight.scope.allows(base: base) else {
                        throw AirtableError.baseNotFound()
                    }
                    try Self.check(resource, sight, filters)
                }
            } catch let error as AirtableError where error.kind == .notFound { missing = error }
        }
        throw missing
    }

    private static func check(_ resource: Resource, _ sight: RecordSight, _ filters: any FilterCompiler) throws {
        guard let id = resource.table else { return }
        let model = try sight.table(id)
        guard model.table.base == resource.base else { throw AirtableError.tableNotFound() }
        switch resource {
        case .tenant, .workspace, .base, .table: break
        case .field(let field, _, _):
            guard sight.scope.visible(model.table).field(id: field) != nil else { throw AirtableError.fieldNotFound() }
        case .view(let view, _, _):
            let views = try VisibleViews(
                of: model,
                scope: sight.scope,
                filters: filters,
                tenant: sight.schema.tenant,
                in: sight.transaction
            )
            guard views.views.contains(where: { $0.id == view }) else {
                throw AirtableError.noSuchView()
            }
        case .record(let record, _, _):
            // Records of a hosted base that is not mirrored are stored elsewhere, and taken on trust.
            guard sight.schema.home(of: resource.base ?? model.table.base) != .hosted else { break }
            let rows = try RecordStore().rows([record], of: model, tenant: sight.schema.tenant, in: sight.transaction)
            guard try !sight.seen(rows, of: model).isEmpty else { throw AirtableError.recordNotFound() }
        }
    }
}
