import Access
import Database
import Domain

/// The views of one table as one reader may see them.
///
/// A view that filters or sorts by a field hidden from the reader does not exist for them: which records it shows, and in
/// which order, would tell what is in that field.
struct VisibleViews: Sendable {
    let model: TableModel
    let scope: VisibleScope
    let filters: any FilterCompiler
    /// All of the table's, in the order they were made, with formulas that name fields by identifier.
    let stored: [TableView]
    /// The table as the reader sees it.
    let table: Table

    init(model: TableModel, scope: VisibleScope, filters: any FilterCompiler, stored: [TableView]) {
        self.model = model
        self.scope = scope
        self.filters = filters
        self.stored = stored
        table = scope.visible(model.table)
    }

    init(
        of model: TableModel,
        scope: VisibleScope,
        filters: any FilterCompiler,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let stored = try ViewStore().views(of: model, tenant: tenant, in: transaction)
        self.init(model: model, scope: scope, filters: filters, stored: stored)
    }

    /// With formulas that name fields as people do.
    var views: [TableView] { stored.compactMap(shown) }

    /// The view with this identifier, or else this name, as it is stored.
    ///
    /// - Throws: `.viewNotFound`.
    func view(_ nameOrID: String) throws(AirtableError) -> TableView {
        let key = nameKey(nameOrID)
        let found =
            ViewID(nameOrID).flatMap { id in stored.first { $0.id == id } }
            ?? stored.first { nameKey($0.name) == key }
        if let found, shown(found) != nil { return found }
        throw .viewNotFound(nearest: Spelling.nearest(to: nameOrID, among: views.map(\.name)))
    }

    /// The view with this identifier, as it is stored.
    ///
    /// - Throws: `.noSuchView`.
    func view(_ id: ViewID) throws(AirtableError) -> TableView {
        guard let view = stored.first(where: { $0.id == id }), shown(view) != nil else { throw .noSuchView() }
        return view
    }

    /// A view as the reader sees it; nil when it does not exist for them.
    func shown(_ view: TableView) -> TableView? {
        guard scope.allows(view: view.id) else { return nil }
        var view = view
        guard view.sort.allSatisfy({ table.field(id: $0.field) != nil }) else { return nil }
        if let filter = view.filter {
            do { view.filter = try filters.text(of: filter, table: table, naming: .names) } catch {
                // It names a field that is hidden or was deleted since; which of both, who sees all can tell.
                guard table.fields.count == model.table.fields.count else { return nil }
            }
        }
        view.visibleFields = view.visibleFields?.filter { table.field(id: $0) != nil }
        return view
    }

    /// A view as it is stored, as far as the reader sees it; nil when it does not exist for them.
    func kept(_ view: TableView) -> TableView? {
        guard let shown = shown(view) else { return nil }
        var kept = view
        kept.visibleFields = shown.visibleFields
        return kept
    }
}
