import Access
import Airtable
import Domain

/// The formula of a search, with the tables that it is one for.
struct SearchFilter: Sendable {
    private let formula: String
    private let tables: [TableID]
    private let scope: VisibleScope

    /// - Throws: `AirtableError.invalidFilter` for what is no formula, and for one that no table in scope has the fields
    ///   for; with several tables, those that lack some are left out.
    init?(_ request: SearchRequest, places: SearchPlaces, reads: GatedReads, context: RequestContext) async throws {
        guard let formula = request.filter, formula.contains(where: { !$0.isWhitespace }) else { return nil }
        self.formula = formula
        let scope = places.visible
        self.scope = scope
        var tables: [Table] = []
        for base in places.bases.keys.sorted() where places.onlyBases?.contains(base) ?? true {
            tables += try await reads.tables(in: base, context: context).filter { table in
                scope.allows(table: table) && places.onlyTables?.contains(table.id) ?? true
            }
        }
        var fitting: [TableID] = []
        for table in tables where try reads.isFilter(formula, for: table, scope: scope, context: context) {
            fitting.append(table.id)
        }
        self.tables = fitting
        if fitting.isEmpty, let first = tables.first {
            // Says which name is unknown: by the table that has one like it, if any has.
            for table in tables.prefix(Limits.searchPlaces) where FormulaCheck.isNearly(formula, of: table) {
                try FormulaCheck.check(formula, of: table)
            }
            try FormulaCheck.check(formula, of: first)
            // A field that is there, and hidden from this search.
            _ = try await reads.matches(formula, in: first.id, limit: 0, scope: scope, context: context)
        }
    }

    /// The records it accepts, of all its tables.
    func records(_ reads: GatedReads, context: RequestContext) async throws -> Set<RecordID> {
        var found: Set<RecordID> = []
        for table in tables {
            let limit = Limits.searchFilterRecords - found.count
            found.formUnion(try await reads.matches(formula, in: table, limit: limit, scope: scope, context: context))
        }
        return found
    }
}
