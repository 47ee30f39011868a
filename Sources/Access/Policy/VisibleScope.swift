public import Domain

/// What one request may see, and where it may do what it asks to: a filter that goes into the query, before anything is
/// searched or ranked.
///
/// What it may not see does not exist for it (404); what it sees and may not change is refused (403). For a request that
/// only reads, both are the same. Equal scopes see the same, so a scope may key a cache.
public struct VisibleScope: Sendable, Hashable {
    public let tenant: TenantID
    /// What exists for this request.
    package private(set) var sight: Reach
    /// Where it may do what its permission names; nil wherever it sees.
    package private(set) var action: Reach?

    package init(tenant: TenantID, sight: Reach, action: Reach? = nil) {
        self.tenant = tenant
        self.sight = sight
        self.sight.excludedFields = sight.excludedFields.filter { !$0.value.isEmpty }
        self.action = action
    }

    package init(tenant: TenantID, bases: Set<BaseID>? = nil, hidden: [TableID: Set<FieldID>] = [:]) {
        var sight = Reach(bases: bases)
        sight.excludedFields = hidden
        self.init(tenant: tenant, sight: sight)
    }

    /// The only bases that exist for this request; nil when all of the tenant's do.
    public var bases: Set<BaseID>? { sight.bases }

    /// Whether nothing of the tenant is kept back, so that no filter but the tenant's is needed.
    public var isWholeTenant: Bool { sight == .everything }

    /// Whether any field is kept back.
    package var hidesFields: Bool { !sight.excludedFields.isEmpty }

    /// This scope without more fields, by table.
    package func hiding(_ fields: [TableID: Set<FieldID>]) -> VisibleScope {
        var scope = self
        scope.sight.excludedFields.merge(fields) { $0.union($1) }
        return scope
    }

    // MARK: What exists

    public func allows(base: BaseID) -> Bool { sight.contains(base: base) }

    public func allows(table: Table) -> Bool { allows(table: table.id, in: table.base) }

    public func allows(table: TableID, in base: BaseID) -> Bool { sight.contains(table: table, in: base) }

    public func allows(view: ViewID) -> Bool { !sight.excludedViews.contains(view) }

    /// The fields of a table that do not exist for this request: not in reads, filters, snippets or ranking.
    public func hiddenFields(table: TableID) -> Set<FieldID> { sight.excludedFields[table] ?? [] }

    /// Which records of a table exist for this request; nil for all.
    public func rule(table: TableID) -> RecordRule? { sight.rules[table] }

    // MARK: What may be done

    /// Whether the request may do what it asks to in the whole of a base, such as rename it or make a table.
    public func permits(base: BaseID) -> Bool { allows(base: base) && (action ?? sight).containsWhole(base: base) }

    public func permits(table: TableID, in base: BaseID) -> Bool {
        allows(table: table, in: base) && action?.contains(table: table, in: base) ?? true
    }

    /// Whether bases may be made in a workspace.
    public func permits(workspace: WorkspaceID) -> Bool {
        sight.contains(workspace: workspace) && action?.contains(workspace: workspace) ?? true
    }

    public func permits(view: ViewID) -> Bool { allows(view: view) && !(action?.excludedViews.contains(view) ?? false) }

    /// The fields of a table that may be seen but not changed.
    public func lockedFields(table: TableID) -> Set<FieldID> {
        (action?.excludedFields[table] ?? []).subtracting(hiddenFields(table: table))
    }

    /// Which of the records that exist may be changed; nil for all of them.
    public func actionRule(table: TableID) -> RecordRule? { action?.rules[table] }
}
