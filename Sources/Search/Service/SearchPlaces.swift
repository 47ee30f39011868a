import Access
import Airtable
import Domain

/// The bases, tables and fields that one search looks in, as named by the caller, found among what they may see.
struct SearchPlaces: Sendable {
    /// Without what tells of what is hidden.
    let visible: VisibleScope
    /// All that may be seen.
    let bases: [BaseID: Base]
    /// Nil for all.
    private(set) var onlyBases: Set<BaseID>?
    private(set) var onlyTables: Set<TableID>?
    private(set) var onlyFields: Set<FieldID>?
    /// The only records to look at, of tables of which the caller sees a part.
    private(set) var limits: [TableID: Set<RecordID>] = [:]

    /// - Throws: `unknownBase`, `unknownTable`, `unknownField`.
    init(
        bases wantedBases: [String]?,
        tables wantedTables: [String]? = nil,
        fields wantedFields: [String]? = nil,
        visible: VisibleScope,
        reads: GatedReads,
        context: RequestContext
    ) async throws {
        let visible = try await reads.widened(visible, context: context)
        let all = try await reads.bases(context: context).filter { visible.allows(base: $0.id) }
        self.visible = visible
        self.bases = Dictionary(all.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        var bases = all
        if let wantedBases {
            bases = try wantedBases.map { name in
                guard let base = all.first(where: { Self.names(name, $0.id.description, $0.name) }) else {
                    throw SearchError.unknown(.unknownBase, name, among: all.map(\.name))
                }
                return base
            }
            onlyBases = Set(bases.map(\.id))
        }
        if wantedTables == nil, wantedFields == nil {
            try await limit(reads, context)
            return
        }
        var tables: [Table] = []
        for base in bases {
            tables += try await reads.tables(in: base.id, context: context).filter { visible.allows(table: $0) }
        }
        if let wantedTables {
            // A name may stand for a table in each of several bases.
            tables = try wantedTables.flatMap { name in
                let found = tables.filter { Self.names(name, $0.id.description, $0.name) }
                if found.isEmpty { throw SearchError.unknown(.unknownTable, name, among: tables.map(\.name)) }
                return found
            }
            onlyTables = Set(tables.map(\.id))
        }
        guard let wantedFields else {
            try await limit(reads, context)
            return
        }
        let fields = tables.flatMap(\.fields)
        onlyFields = []
        for name in wantedFields {
            let found = fields.filter { Self.names(name, $0.id.description, $0.name) }
            if found.isEmpty { throw SearchError.unknown(.unknownField, name, among: fields.map(\.name)) }
            onlyFields?.formUnion(found.map(\.id))
        }
        try await limit(reads, context)
    }

    private mutating func limit(_ reads: GatedReads, _ context: RequestContext) async throws {
        limits = try await reads.limits(bases: onlyBases, tables: onlyTables, scope: visible, context: context)
    }

    func scope(_ all: [Partition]) -> SearchScope {
        SearchScope(all: all, visible: visible, bases: onlyBases, tables: onlyTables, fields: onlyFields)
    }

    /// Whether `wanted` is the id, or the name but for case and white space.
    static func names(_ wanted: String, _ id: String, _ name: String) -> Bool {
        if wanted == id { return true }
        let space = { (character: Character) in character.isWhitespace }
        let words = { (text: String) in text.lowercased().split(whereSeparator: space) }
        return words(wanted) == words(name)
    }
}
