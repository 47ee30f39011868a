import Access
import Airtable
import Database
import Domain
import Logging

extension SearchService {
    /// The texts of `partitions`, groups of short fields of which some are hidden from the caller.
    func maskedTexts(
        _ partitions: [Partition],
        places: SearchPlaces,
        context: RequestContext
    ) async throws -> MaskedTexts {
        var texts = MaskedTexts()
        if partitions.isEmpty { return texts }
        let feed = airtable.changes
        let sequence = try await feed.latestSequence(tenant: context.tenant)
        let indexed = try await feed.checkpoint(of: Indexer.consumer, tenant: context.tenant) ?? 0
        var left = Limits.maskedRecords
        for partition in partitions.sorted(by: { $0.number < $1.number }) {
            let records = places.limits[partition.table]
            // A record has one unit of short fields, but for very long ones.
            guard records?.count ?? partition.units <= left else {
                context.logger.debug(
                    "a table of which a field is hidden is too long to be searched by its short fields"
                )
                continue
            }
            let key = MaskedTextCache.Key(
                scope: places.visible,
                sequence: sequence,
                indexed: indexed,
                records: records
            )
            let units: [MaskedTexts.Unit]
            if let known = masked.units(of: partition.number, key) {
                units = known
            } else {
                units = try await maskedUnits(partition, visible: places.visible, limit: left, context: context)
                masked.keep(units, of: partition.number, key)
            }
            left -= units.count
            texts.add(units, of: partition)
        }
        return texts
    }

    /// The texts of a table's records, of some of them when it has grown beyond `limit` since it was indexed.
    private func maskedUnits(
        _ partition: Partition,
        visible: VisibleScope,
        limit: Int,
        context: RequestContext
    ) async throws -> [MaskedTexts.Unit] {
        let reader = reader(stems: [], context).reader
        let (store, tenant, renderer) = (store, context.tenant, IndexingServices.renderer(embedder))
        var units: [MaskedTexts.Unit] = []
        do {
            let table = Self.table(
                try await reader.airtable.table(id: partition.table, context: context),
                of: partition,
                visible
            )
            var after: RecordCursor?
            repeat {
                try Task.checkCancellation()
                let request = RecordPageRequest(limit: Limits.internalPageRecords, after: after)
                let page = try await reader.airtable.records(in: table.id, page: request, context: context)
                let shown = try await reader.shown(page.records, in: table, context: context)
                let keys = try await database.read(of: .tenant(context.tenant), deadline: context.deadline) {
                    transaction in
                    try store.units(of: page.records.map(\.id), in: [partition.number], tenant: tenant, transaction)
                }
                let first = Dictionary(keys.map { ($0.record, $0) }) { $0.window <= $1.window ? $0 : $1 }
                for record in page.records {
                    guard let key = first[record.id]?.key,
                        let text = shown.texts(of: record).first(where: { $0.group == .short })
                    else { continue }
                    let whole = renderer.units(of: text).map(\.text).joined(separator: "\n")
                    let words = WordAnalyzer.counts(of: whole)
                    units.append(MaskedTexts.Unit(key: key, record: record.id, words: words))
                }
                after = page.next
            } while after != nil && units.count < limit
        } catch let error as AirtableError where error.code == .modelNotFound {
            // Deleted since it was indexed.
            return []
        }
        return units
    }

    /// The table with the fields that may be read: without links whose records' names are hidden.
    private static func table(_ table: Table, of partition: Partition, _ visible: VisibleScope) -> Table {
        var unnamed: Set<TableID> = []
        for source in partition.sources.split(separator: " ").compactMap({ TableLayout.Source(text: $0) })
        where source.table != partition.table {
            let isSeen =
                visible.allows(table: source.table, in: partition.base) && visible.rule(table: source.table) == nil
            if !isSeen || visible.hiddenFields(table: source.table).contains(source.field) {
                unnamed.insert(source.table)
            }
        }
        let hidden = visible.hiddenFields(table: table.id)
        var table = table
        table.fields.removeAll { field in
            hidden.contains(field.id) || field.options.linkedTable.map { unnamed.contains($0) } ?? false
        }
        return table
    }
}
