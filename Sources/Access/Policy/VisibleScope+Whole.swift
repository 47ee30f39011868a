package import Domain

/// Whether something is seen without anything in it being kept back.
extension VisibleScope {
    /// Whether a workspace exists for this request, as far as making bases in it goes.
    package func allows(workspace: WorkspaceID) -> Bool {
        sight.contains(workspace: workspace)
    }

    /// Whether every field and every record of a table is seen.
    package func isWhole(table: TableID, in base: BaseID) -> Bool {
        allows(table: table, in: base) && sight.excludedFields[table] == nil && sight.rules[table] == nil
    }

    /// Whether the request may do what it asks to with every field and every record of a table.
    package func permitsWhole(table: TableID, in base: BaseID) -> Bool {
        isWhole(table: table, in: base) && permits(table: table, in: base)
            && action?.excludedFields[table]?.isEmpty ?? true && action?.rules[table] == nil
    }

    /// Whether inside the bases that are seen nothing is kept back, but perhaps views.
    package var isWholeInBases: Bool {
        sight.tables.isEmpty && sight.excludedTables.isEmpty && sight.excludedFields.isEmpty && sight.rules.isEmpty
    }

    /// Whether of any table only some records are seen.
    package var hasRules: Bool { !sight.rules.isEmpty }
}
