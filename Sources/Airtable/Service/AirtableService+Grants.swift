public import Access
public import Domain
import Formula

/// Whether what grants are about is there.
extension AirtableService: GrantPlaces {
    /// Looks at everything that is stored, whatever the caller sees of it: `Access` has asked that before.
    ///
    /// Records of a hosted base that is not mirrored are taken on trust: they are stored elsewhere.
    public func check(_ resource: Resource, condition: String?, context: RequestContext) async throws {
        guard let base = resource.base else { return }
        let scope = try await access.visibleScope(for: context, doing: .schemaRead)
        let now = now()
        try await read(context) { [store] transaction, schema in
            guard schema.base(base) != nil else { throw AirtableError.baseNotFound() }
            guard let table = resource.table else { return }
            guard let model = schema.table(table), model.table.base == base else { throw AirtableError.tableNotFound() }
            switch resource {
            case .tenant, .workspace, .base, .table: break
            case .field(let field, _, _):
                guard model.table.fields.contains(where: { $0.id == field }) else {
                    throw AirtableError(.modelNotFound, "There is no such field, or you may not see it.")
                }
            case .view(let view, _, _):
                let views = try ViewStore().views(of: model, tenant: context.tenant, in: transaction)
                guard views.contains(where: { $0.id == view }) else { throw AirtableError.noSuchView() }
            case .record(let record, _, _):
                guard schema.home(of: base) != .hosted else { break }
                let rows = try store.rows([record], of: model, tenant: context.tenant, in: transaction)
                guard !rows.isEmpty else { throw AirtableError.recordNotFound() }
            }
            guard let condition else { return }
            do throws(FormulaError) {
                // Without what is hidden from who writes it: a formula must not find out what is there.
                _ = try RuleFormula(
                    condition,
                    table: schema.widening(scope).visible(model.table),
                    reader: RecordRule.Reader(user: context.principal.user, name: ""),
                    home: schema.home(of: base),
                    now: now
                )
            } catch {
                throw FormulaFilters.refusal(error)
            }
        }
    }
}
