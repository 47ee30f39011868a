import Access
import Database
package import Domain

extension LinkTexts {
    /// The primary values of the records that cells of `fields` name, as far as the reader may see them.
    ///
    /// - Parameter fields: links, and what is looked up through them.
    init(
        of records: [Record],
        fields: [Field],
        _ sight: RecordSight
    ) throws {
        var wanted: [TableID: Set<RecordID>] = [:]
        for field in fields {
            guard let linked = field.shown.options.linkedTable else { continue }
            var ids: Set<RecordID> = []
            for record in records { record.cells[field.id]?.collectRecords(into: &ids) }
            wanted[linked, default: []].formUnion(ids)
        }
        var texts: [RecordID: String] = [:]
        for (linked, ids) in wanted where !ids.isEmpty {
            guard let model = sight.schema.table(linked), sight.scope.allows(table: linked, in: model.table.base),
                let primary = model.field(id: model.table.primaryField), !sight.hidden(linked).contains(primary.id)
            else { continue }
            let reader = model.reading([primary.id])
            let tenant = sight.schema.tenant
            let rows = try RecordStore().rows(ids, of: model, tenant: tenant, in: sight.transaction)
            for row in try sight.seen(rows, of: model) {
                guard let value = try row.record(reader).cells[primary.id] else { continue }
                texts[row.id] = CellCodec.displayText(of: value, field: primary) { _ in nil }
            }
        }
        self.init(texts)
    }
}

extension CellValue {
    fileprivate func collectRecords(into ids: inout Set<RecordID>) {
        switch self {
        case .links(let linked): ids.formUnion(linked)
        case .computed(let value): value.collectRecords(into: &ids)
        default: return
        }
    }
}

extension ComputedValue {
    fileprivate func collectRecords(into ids: inout Set<RecordID>) {
        switch self {
        case .record(let id): ids.insert(id)
        case .list(let values): for value in values { value.collectRecords(into: &ids) }
        default: return
        }
    }
}

extension GatedReads {
    /// What people read where these records link to others.
    package func linkTexts(
        of records: [Record],
        fields: [Field],
        context: RequestContext
    ) async throws -> LinkTexts {
        try context.require(permission)
        let scope = try await service.access.visibleScope(for: context, doing: permission)
        return try await service.seeing(scope, context) { sight in
            try LinkTexts(of: records, fields: fields, sight)
        }
    }
}
