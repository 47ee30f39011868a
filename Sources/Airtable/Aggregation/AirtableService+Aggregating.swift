import Access
import Database
public import Domain

/// Counting and adding up, without giving the records.
extension AirtableService {
    /// What `query` computes, exactly and over all records that it chooses, as of one snapshot. Reads only the cells that are
    /// needed, and only rows that SQL could not leave out.
    ///
    /// - Throws: `.unknownFieldName`, `.invalidFilter`, `.invalidRequest` for what a field's type does not have; `.tooLarge` for
    ///   more than `Limits.aggregateGroups` groups or `Limits.aggregateRecords` records.
    public func aggregate(
        _ query: AggregationQuery,
        in table: TableID,
        context: RequestContext
    ) async throws -> AggregationResult {
        try context.require(.recordsRead)
        if let hosted = try await backend(of: table, isWrite: false, doing: .recordsRead, context: context) {
            return try await hosted.aggregate(query)
        }
        let scope = try await access.visibleScope(for: context, doing: .recordsRead)
        return try await seeing(scope, context) { [filters, fieldIndexes] sight in
            let model = try sight.table(table)
            let seen = sight.scope.visible(model.table)
            var aggregation = try RecordAggregation(query, of: seen)
            let plan = try ListingPlan(
                query.listing,
                model: model,
                scope: sight.scope,
                filters: filters,
                now: sight.now,
                reading: Set(aggregation.fields.map(\.id))
            )
            var budget = ListingBudget()
            try RecordScan(plan: plan, sight: sight, keeper: fieldIndexes).forEachMatch(after: nil) {
                _,
                record,
                links,
                _ in
                try aggregation.take(record, links)
                try budget.spend()
                return true
            }
            return aggregation.result(limit: query.limit)
        }
    }
}

extension WebAPIBackend {
    /// From page after page of the service, as long as the caller's deadline lets it.
    func aggregate(_ query: AggregationQuery) async throws -> AggregationResult {
        let (prepared, fields) = try await prepared { backend in
            let aggregation = try RecordAggregation(query, of: backend.scope.visible(backend.model.table))
            return (aggregation, aggregation.fields)
        }
        var (aggregation, listing) = (prepared, query.listing)
        listing.fields = fields.isEmpty ? [model.table.primaryField.description] : fields.map(\.id.description)
        repeat {
            try Task.checkCancellation()
            let page = try await list(listing)
            let links = try await linkTexts(of: page.records, fields: fields)
            for record in page.records { try aggregation.take(record, links) }
            listing.offset = page.offset
        } while listing.offset != nil
        return aggregation.result(limit: query.limit)
    }
}

extension AggregationQuery {
    /// The records it is about.
    fileprivate var listing: RecordQuery {
        var listing = RecordQuery()
        listing.conditions = conditions
        listing.filter = filter
        return listing
    }
}

extension RecordAggregation {
    /// - Parameter table: as its reader sees it.
    fileprivate init(_ query: AggregationQuery, of table: Table) throws {
        try self.init(
            measures: query.measures.map { measure in
                (measure.function, try measure.field.map { try ListingPlan.field($0, table) })
            },
            groupings: query.groupings.map { (try ListingPlan.field($0.field, table), $0.bucket) }
        )
    }

    fileprivate func result(limit: Int) -> AggregationResult {
        AggregationResult(
            recordCount: recordCount,
            groups: groups(limit: limit).map { AggregationResult.Group(keys: $0.keys, values: $0.values) },
            groupCount: groupCount
        )
    }
}
