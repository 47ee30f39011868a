import Access
import Airtable
import Database
import Domain
import VectorIndex

/// Where one search may look, decided before anything is searched.
struct SearchScope: Sendable {
    /// By base, so that each base's index is searched for its own.
    let partitions: [BaseID: [Partition]]
    let byNumber: [UInt32: Partition]
    /// The only units to find, of partitions of which the caller sees a part.
    let seen: SeenUnits
    /// Groups of short fields that would be looked in, were not something hidden that they show.
    let closed: [Partition]

    /// - Parameters:
    ///   - all: every partition of the tenant.
    ///   - bases: the only bases to look in; nil for all.
    ///   - tables: the only tables to look in; nil for all.
    ///   - fields: the only fields to look in; nil for all. A group that may show one of them is looked in.
    init(
        all: [Partition],
        visible: VisibleScope,
        bases: Set<BaseID>? = nil,
        tables: Set<TableID>? = nil,
        fields: Set<FieldID>? = nil
    ) {
        var (allowed, closed): ([BaseID: [Partition]], [Partition]) = ([:], [])
        for (base, partitions) in Dictionary(grouping: all, by: \.base) {
            guard visible.allows(base: base), bases?.contains(base) ?? true else { continue }
            let wanted = partitions.filter { partition in
                (tables?.contains(partition.table) ?? true) && (fields.map { Self.shows($0, partition) } ?? true)
                    && visible.allows(table: partition.table, in: base)
            }
            let kept = wanted.filter { Self.allows($0, visible) }
            if kept.count < wanted.count { closed += wanted.filter { $0.group == .short && !Self.allows($0, visible) } }
            if !kept.isEmpty { allowed[base] = kept }
        }
        partitions = allowed
        byNumber = Dictionary(
            allowed.values.joined().map { ($0.number, $0) },
            uniquingKeysWith: { first, _ in first }
        )
        seen = SeenUnits()
        self.closed = closed
    }

    /// - Parameter partitions: as if they had no units but `seen` ones.
    private init(_ partitions: [BaseID: [Partition]], seen: SeenUnits, closed: [Partition]) {
        self.partitions = partitions
        self.seen = seen
        self.closed = closed
        byNumber = Dictionary(
            partitions.values.joined().map { ($0.number, $0) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    /// The same where nothing but some records of some tables is there: what others say has no influence, not by a count either.
    func limited(
        to limits: [TableID: Set<RecordID>],
        store: SearchStore,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> SearchScope {
        if limits.isEmpty { return self }
        var (limited, seen) = (partitions, SeenUnits())
        for (base, list) in partitions {
            for (place, partition) in list.enumerated() {
                guard let records = limits[partition.table] else { continue }
                let found = try store.keys(of: records, in: partition, tenant: tenant, transaction)
                seen.limit(partition.number, to: found.keys)
                limited[base]?[place] = partition.holding(units: found.keys.count, words: found.words)
            }
        }
        return SearchScope(limited, seen: seen, closed: closed)
    }

    private static func shows(_ fields: Set<FieldID>, _ partition: Partition) -> Bool {
        switch partition.group {
        case .long(let field): fields.contains(field)
        case .short:
            partition.sources.split(separator: " ").contains { text in
                TableLayout.Source(text: text).map { $0.table == partition.table && fields.contains($0.field) } ?? false
            }
        }
    }

    /// Whether nothing that a unit in `partition` may show is hidden. What can't be read is hidden.
    private static func allows(_ partition: Partition, _ visible: VisibleScope) -> Bool {
        guard visible.allows(table: partition.table, in: partition.base) else { return false }
        if visible.isWholeTenant { return true }
        return partition.sources.split(separator: " ").allSatisfy { text in
            guard let source = TableLayout.Source(text: text) else { return false }
            // Of records of which the caller sees a part, none is to be found by name.
            if source.table != partition.table, visible.rule(table: source.table) != nil { return false }
            // A base's links stay inside the base.
            return visible.allows(table: source.table, in: partition.base)
                && !visible.hiddenFields(table: source.table).contains(source.field)
        }
    }
}
