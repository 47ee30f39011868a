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

    /// Everything, unless limited to `bases`.
    package init(bases: Set<BaseID>? = nil) { self.bases = bases }

    package static let everything = Reach()

    package func contains(base: BaseID) -> Bool {
        (bases?.contains(base) ?? true) && !excludedBases.contains(base)
    }

    package func contains(table: TableID, in base: BaseID) -> Bool {
        contains(base: base) && (tables[base]?.contains(table) ?? true) && !excludedTables.contains(table)
    }
}
