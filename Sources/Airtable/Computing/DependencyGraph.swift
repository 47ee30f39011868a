import Domain
import Formula

/// What the computed fields of one base are made from, and the order in which to compute them.
///
/// Pure and immutable: made with the schema, at each version of it once, formulas compiled. Nodes are fields; an edge
/// leads from a field to one that reads it, in the same record or through links. There is no circle: fields on one
/// are invalid and read nothing.
final class DependencyGraph: Sendable {
    /// A computed field that reads another.
    struct Dependent: Sendable, Hashable {
        /// Its place in `fields`.
        let rank: Int
        /// The links that lead from its records to those that are read; none for the same record.
        let path: [FieldID]
    }

    /// A link field, as it is followed.
    struct Link: Sendable {
        let table: TableID
        let linkedTable: TableID
        /// The field that shows the other side; nil when there is none.
        let inverse: FieldID?
    }

    /// Each after all that it reads.
    let fields: [ComputedField]
    /// Why a computed field gives nothing, by field.
    let problems: [FieldID: String]
    /// The primary field of each table, as it is known here.
    let primaryFields: [TableID: Field]
    /// The fields of each table in order: the slots of its formulas.
    let slots: [TableID: [Field]]
    /// The links that computed fields follow.
    let links: [FieldID: Link]
    /// The fields of each table that are read through links, or lead back from them.
    let farFields: [TableID: Set<FieldID>]
    private let dependents: [FieldID: [Dependent]]
    private let ranks: [FieldID: Int]
    private let ranksByTable: [TableID: [Int]]
    private let sources: [TableID: [FieldID]]

    /// - Parameter tables: all of one base.
    init(tables: [Table]) {
        var builder = GraphBuilder(tables)
        let built = builder.build()
        fields = built.fields
        problems = built.problems
        primaryFields = Dictionary(
            tables.compactMap { table in table.field(id: table.primaryField).map { (table.id, $0) } }
        ) { first, _ in first }
        slots = Dictionary(tables.map { ($0.id, $0.fields) }) { first, _ in first }
        let owners = Dictionary(tables.flatMap { table in table.fields.map { ($0.id, table.id) } }) { first, _ in first
        }
        var (dependents, links, far): ([FieldID: [Dependent]], [FieldID: Link], [TableID: Set<FieldID>]) = (
            [:], [:], [:]
        )
        var known: [FieldID: Field] = [:]
        for field in tables.lazy.flatMap(\.fields) where field.type == .multipleRecordLinks { known[field.id] = field }
        for (rank, field) in built.fields.enumerated() {
            for source in field.sources {
                let dependent = Dependent(rank: rank, path: source.path)
                if dependents[source.field]?.contains(dependent) != true {
                    dependents[source.field, default: []].append(dependent)
                }
                guard !source.path.isEmpty else { continue }
                if let owner = owners[source.field] { far[owner, default: []].insert(source.field) }
                for link in source.path {
                    guard let options = known[link]?.options, let linked = options.linkedTable, let owner = owners[link]
                    else { continue }
                    links[link] = Link(table: owner, linkedTable: linked, inverse: options.inverseLinkField)
                    far[owner, default: []].insert(link)
                    if let inverse = options.inverseLinkField { far[linked, default: []].insert(inverse) }
                }
            }
        }
        self.dependents = dependents
        self.links = links
        farFields = far
        ranks = Dictionary(built.fields.enumerated().map { ($0.element.id, $0.offset) }) { first, _ in first }
        ranksByTable = Dictionary(grouping: built.fields.indices) { built.fields[$0].table }
        sources = Dictionary(grouping: dependents.keys.sorted { $0.description < $1.description }) { owners[$0] }
            .reduce(into: [:]) { tables, entry in if let table = entry.key { tables[table] = entry.value } }
    }

    /// What reads this field's cells.
    func dependents(of field: FieldID) -> [Dependent] { dependents[field] ?? [] }

    /// The place of a computed field in `fields`.
    func rank(of field: FieldID) -> Int? { ranks[field] }

    /// The computed fields of a table, by rank.
    func ranks(in table: TableID) -> [Int] { ranksByTable[table] ?? [] }

    /// The fields of a table that anything reads.
    func sources(in table: TableID) -> [FieldID] { sources[table] ?? [] }

    /// The tables with fields that change with time alone.
    var volatileTables: [TableID] { fields.filter(\.isVolatile).map(\.table).distinct() }

    /// This table with what is known of its computed fields.
    func completing(_ table: Table) -> Table {
        var table = table
        for place in table.fields.indices {
            if let rank = ranks[table.fields[place].id] { table.fields[place] = fields[rank].field }
        }
        return table
    }

    /// All computed fields that read one of these, however far away.
    func closure(of ranks: Set<Int>) -> Set<Int> {
        var found = ranks
        // Whatever reads a field has a higher rank.
        for rank in fields.indices where found.contains(rank) {
            for dependent in dependents(of: fields[rank].id) { found.insert(dependent.rank) }
        }
        return found
    }
}
