public import Domain

/// What one request may see: a filter that goes into the query, before anything is searched or ranked.
///
/// Everything in the tenant, or only some bases when the key says so. Hidden fields are asked for on every path
/// already, though nobody can hide one yet. Equal scopes see the same, so a scope may key a cache.
public struct VisibleScope: Sendable, Hashable {
    public let tenant: TenantID
    /// The only bases that exist for this request; nil when all of the tenant's do.
    public let bases: Set<BaseID>?
    private let hidden: [TableID: Set<FieldID>]

    package init(tenant: TenantID, bases: Set<BaseID>? = nil, hidden: [TableID: Set<FieldID>] = [:]) {
        self.tenant = tenant
        self.bases = bases
        self.hidden = hidden.filter { !$0.value.isEmpty }
    }

    /// Whether nothing of the tenant is kept back, so that no filter but the tenant's is needed.
    public var isWholeTenant: Bool { bases == nil && hidden.isEmpty }

    /// Whether any field is kept back.
    package var hidesFields: Bool { !hidden.isEmpty }

    /// This scope without more fields, by table.
    package func hiding(_ fields: [TableID: Set<FieldID>]) -> VisibleScope {
        VisibleScope(tenant: tenant, bases: bases, hidden: hidden.merging(fields) { $0.union($1) })
    }

    public func allows(base: BaseID) -> Bool { bases?.contains(base) ?? true }

    public func allows(table: Table) -> Bool { allows(table: table.id, in: table.base) }

    public func allows(table: TableID, in base: BaseID) -> Bool { allows(base: base) }

    /// The fields of a table that do not exist for this request: not in reads, filters, snippets or ranking.
    public func hiddenFields(table: TableID) -> Set<FieldID> { hidden[table] ?? [] }
}
