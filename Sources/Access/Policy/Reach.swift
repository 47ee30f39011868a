package import Domain

/// A part of a tenant's data: what somebody's grants cover for one permission, compiled so that each question is a look
/// into a set.
///
/// What is excluded is excluded whatever else covers it.
public struct Reach: Sendable, Hashable {
    /// The only bases in it; nil for all.
    package var bases: Set<BaseID>?
    package var excludedBases: Set<BaseID> = []
    /// Bases of which only some tables are in it; of the others all are.
    package var tables: [BaseID: Set<TableID>] = [:]
    package var excludedTables: Set<TableID> = []
    package var excludedViews: Set<ViewID> = []
    package var excludedFields: [TableID: Set<FieldID>] = [:]
    /// Tables of which only some records are in it.
    package var rules: [TableID: RecordRule] = [:]
    /// The only workspaces that are in it whole, to make bases in; nil for all unless it is limited to some bases.
    package var workspaces: Set<WorkspaceID>?
    package var excludedWorkspaces: Set<WorkspaceID> = []

    /// Everything, unless limited to `bases`.
    package init(bases: Set<BaseID>? = nil) { self.bases = bases }

    package static let everything = Reach()
    package static let nothing = Reach(bases: [])

    package func contains(base: BaseID) -> Bool {
        (bases?.contains(base) ?? true) && !excludedBases.contains(base)
    }

    /// Whether a base is in it with whatever tables it will get, and not for some of its tables only.
    package func containsWhole(base: BaseID) -> Bool { contains(base: base) && tables[base] == nil }

    package func contains(table: TableID, in base: BaseID) -> Bool {
        contains(base: base) && (tables[base]?.contains(table) ?? true) && !excludedTables.contains(table)
    }

    package func contains(workspace: WorkspaceID) -> Bool {
        (workspaces?.contains(workspace) ?? (bases == nil)) && !excludedWorkspaces.contains(workspace)
    }

    // MARK: Both at once

    /// What is in both.
    package func intersection(_ other: Reach) -> Reach {
        if self == .everything { return other }
        if other == .everything { return self }
        var both = Reach()
        both.bases = Self.both(bases, other.bases)
        both.excludedBases = excludedBases.union(other.excludedBases)
        both.tables = tables.merging(other.tables) { $0.intersection($1) }
        both.excludedTables = excludedTables.union(other.excludedTables)
        both.excludedViews = excludedViews.union(other.excludedViews)
        both.excludedFields = excludedFields.merging(other.excludedFields) { $0.union($1) }
        both.rules = rules.merging(other.rules) { $0.and($1) }
        both.workspaces = Self.both(
            workspaces ?? (bases == nil ? nil : []),
            other.workspaces ?? (other.bases == nil ? nil : [])
        )
        both.excludedWorkspaces = excludedWorkspaces.union(other.excludedWorkspaces)
        return both
    }

    private static func both<T>(_ left: Set<T>?, _ right: Set<T>?) -> Set<T>? {
        guard let left, let right else { return left ?? right }
        return left.intersection(right)
    }
}

extension RecordRule {
    /// Both rules; the reader is the same.
    fileprivate func and(_ other: RecordRule) -> RecordRule {
        var both = self
        both.allowances += other.allowances.filter { !allowances.contains($0) }
        both.refused.formUnion(other.refused)
        both.refusing += other.refusing.filter { !refusing.contains($0) }
        return both
    }
}
