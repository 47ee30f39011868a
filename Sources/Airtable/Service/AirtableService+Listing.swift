import Access
public import Domain

/// Listing records: filtered, sorted, by pages.
extension AirtableService {
    /// A page of the records that `query` asks for.
    ///
    /// Without a sort, pages are read straight from the table: the offset says a place in it, never expires,
    /// and each record is on one page at most, whatever is made or deleted meanwhile. A sorted list is made when its first page is
    /// asked for, and kept for the next pages as it was then, as a list of places: records made later are not in it, deleted ones
    /// are left out, and cells are given as they are when their page is read.
    ///
    /// - Throws: `.unknownFieldName`, `.invalidFilter`, `.invalidRequest`; `.invalidOffset` for an offset that is none of this
    ///   query's; `.iteratorNotAvailable` for one that has expired: begin again without it.
    public func list(
        _ query: RecordQuery,
        in table: TableID,
        context: RequestContext
    ) async throws -> RecordListing {
        try context.require(.recordsRead)
        // Views are the service's own, also those of a mirror.
        if let hosted = try await backend(of: table, isWrite: query.view != nil, doing: .recordsRead, context: context)
        {
            return try await hosted.list(query)
        }
        return try await list(
            query,
            in: table,
            scope: try await access.visibleScope(for: context, doing: .recordsRead),
            context: context
        )
    }

    func list(
        _ query: RecordQuery,
        in table: TableID,
        scope: VisibleScope,
        context: RequestContext
    ) async throws -> RecordListing {
        let offset = try Self.offset(query)
        let key = KeptListing.Key(scope: scope, table: table, query: query)
        var kept: KeptListing?
        if case .kept(let id, let index) = offset {
            kept = keptListings.listing(id, for: key)
            guard let kept else { throw AirtableError.iteratorNotAvailable }
            guard kept.positions.indices.contains(index) else { throw AirtableError.offsetNotOfThisList }
        }
        let (filters, list, keeper) = (filters, kept, fieldIndexes)
        let result = try await seeing(scope, context) { sight -> SortedPage in
            let (model, scope) = (try sight.table(table), sight.scope)
            let view = try query.view.map { name in
                try VisibleViews(
                    of: model,
                    scope: scope,
                    filters: filters,
                    tenant: context.tenant,
                    in: sight.transaction
                ).view(name)
            }
            let plan = try ListingPlan(
                query,
                model: model,
                view: view,
                scope: scope,
                filters: filters,
                now: sight.now
            )
            let scan = RecordScan(plan: plan, sight: sight, keeper: keeper)
            switch offset {
            case .table(let position, let given):
                guard model.positionRange.contains(position), plan.sort.isEmpty else {
                    throw AirtableError.offsetNotOfThisList
                }
                return .whole(try scan.page(after: position, given: given))
            case .kept(_, let index):
                let page = try scan.page(of: list?.positions ?? [], from: index)
                return .part(page.records, plan.fields, next: page.next, of: nil)
            case nil:
                if plan.sort.isEmpty { return .whole(try scan.page(after: nil, given: 0)) }
                let positions = try scan.sortedPositions()
                let page = try scan.page(of: positions, from: 0)
                return .part(page.records, plan.fields, next: page.next, of: positions)
            }
        }
        switch (result, offset) {
        case (.whole(let listing), _): return listing
        case (.part(let records, let fields, nil, _), _):
            return RecordListing(records: records, fields: fields, offset: nil)
        case (.part(let records, let fields, let next?, let positions?), _):
            let id = try keptListings.keep(KeptListing(key: key, positions: positions))
            let offset = ListingOffset.kept(id, index: next)
            return RecordListing(records: records, fields: fields, offset: offset.description)
        case (.part(let records, let fields, let next?, nil), .kept(let id, _)):
            let offset = ListingOffset.kept(id, index: next)
            return RecordListing(records: records, fields: fields, offset: offset.description)
        case (.part, _): preconditionFailure("a page of a kept list without its offset")
        }
    }

    /// An empty offset is none, as clients send it.
    private static func offset(_ query: RecordQuery) throws(AirtableError) -> ListingOffset? {
        guard let text = query.offset, !text.isEmpty else { return nil }
        guard let offset = ListingOffset(text) else { throw .offsetNotOfThisList }
        return offset
    }

    /// What one read gave.
    private enum SortedPage: Sendable {
        case whole(RecordListing)
        /// - Parameter of: the list to keep, when it is new.
        case part([Record], [Field], next: Int?, of: [Int64]?)
    }
}
