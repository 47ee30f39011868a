import Access
import Airtable
import Domain

/// Where one search may look, decided before anything is searched.
struct SearchScope: Sendable {
    /// By base, so that each base's index is searched for its own.
    let partitions: [BaseID: [Partition]]
    let byNumber: [UInt32: Partition]

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
        var allowed: [BaseID: [Partition]] = [:]
        for (base, partitions) in Dictionary(grouping: all, by: \.base) {
            guard visible.allows(base: base), bases?.contains(base) ?? true else { continue }
            let kept = partitions.filter { partition in
                (tables?.contains(partition.table) ?? true) && (fields.map { Self.shows($0, partition) } ?? true)
                    && Self.allows(partition, visible)
            }
            if !kept.isEmpty { allowed[base] = kept }
        }
        partitions = allowed
        byNumber = Dictionary(
            allowed.values.joined().map { ($0.number, $0) },
            uniquingKeysWith: { first, _ in first }
        )
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
            // A base's links stay inside the base.
            return visible.allows(table: source.table, in: partition.base)
                && !visible.hiddenFields(table: source.table).contains(source.field)
        }
    }
}
