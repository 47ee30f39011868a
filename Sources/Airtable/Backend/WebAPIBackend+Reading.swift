import Domain

/// Reads of a hosted base that is not mirrored.
extension WebAPIBackend {
    func list(_ query: RecordQuery) async throws -> RecordListing {
        let now = service.now()
        let (listing, fields, conditions) = try await prepared { backend in
            // Checked by our own rules first: a filter or sort by a hidden field must not get out.
            var known = query
            known.offset = nil
            known.view = nil
            let plan = try ListingPlan(
                known,
                model: backend.model,
                scope: scope,
                filters: service.filters,
                now: now
            )
            var listing = HostedListing()
            if query.fields?.isEmpty == false || !backend.hidden.isEmpty {
                let read = Set(plan.conditions.map(\.field.id)).subtracting(plan.fields.map(\.id))
                listing.fields = (plan.fields.map(\.id) + read).map(\.description)
            }
            listing.filterByFormula = query.filter.flatMap { $0.isEmpty ? nil : $0 }
            listing.sort = try query.sort.map { key in
                HostedListing.Sort(field: try backend.field(key.field).id.description, isDescending: key.isDescending)
            }
            listing.view = query.view
            listing.maxRecords = query.maxRecords
            listing.pageSize = query.pageSize
            listing.timeZone = query.timeZone
            listing.userLocale = query.locale
            listing.returnFieldsByFieldID = true
            listing.offset = query.offset.flatMap { $0.isEmpty ? nil : $0 }
            return (listing, plan.fields, plan.conditions)
        }
        let (records, offset) = try await fitting(conditions, listing)
        return RecordListing(records: records, fields: fields, offset: offset)
    }

    /// The first page of which a record fits, of those that the service gives: of some pages it is asked at a time, so that a
    /// page may be empty and others after it.
    private func fitting(
        _ conditions: [ConditionPredicate],
        _ listing: HostedListing
    ) async throws -> (records: [Record], offset: String?) {
        var listing = listing
        for asked in 1... {
            let page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            var records = try await records(page.records)
            if !conditions.isEmpty {
                let links = try await linkTexts(of: records, fields: conditions.map(\.field))
                records.removeAll { record in !conditions.allSatisfy { $0.holds(for: record, links: links) } }
            }
            if !records.isEmpty || page.offset == nil || asked == Self.pagesPerQuestion {
                return (records, page.offset)
            }
            listing.offset = page.offset
        }
        return ([], nil)
    }

    /// What people read where these records link to others, as far as the caller may see it.
    func linkTexts(of records: [Record], fields: [Field]) async throws -> LinkTexts {
        var wanted: [TableID: Set<RecordID>] = [:]
        for field in fields {
            guard let linked = field.options.linkedTable else { continue }
            for record in records {
                if case .links(let ids) = record.cells[field.id] { wanted[linked, default: []].formUnion(ids) }
            }
        }
        var texts: [RecordID: String] = [:]
        for (linked, ids) in wanted {
            do {
                let names = try await service.reads(by: .recordsRead)
                    .primaryValues(of: ids.sorted(), in: linked, context: context)
                texts.merge(names) { first, _ in first }
            } catch let error as AirtableError where error.code == .modelNotFound {
                // A table that this caller may not see: its records have no names for them.
                continue
            }
        }
        return LinkTexts(texts)
    }

    /// A page in the service's own order; at most a hundred records, whatever `request` asks for.
    func page(_ request: RecordPageRequest) async throws -> RecordPage {
        var listing = listing
        listing.pageSize = min(request.limit, Limits.pageRecords)
        if let after = request.after {
            guard let offset = after.hostedOffset else { throw AirtableError.offsetNotOfThisList }
            listing.offset = offset
        }
        let page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
        return RecordPage(
            records: try await records(page.records),
            next: page.offset.map { RecordCursor(hostedOffset: $0) }
        )
    }

    /// The records with these identifiers, in their order; unknown ones are left out.
    func records(_ ids: [RecordID]) async throws -> [Record] {
        if ids.count == 1 {
            do {
                let record = try await upstream.client.record(
                    ids[0],
                    of: table.description,
                    in: base.id,
                    returnFieldsByFieldID: true,
                    try await call()
                )
                return try await records([record])
            } catch let error as AirtableError where error.code == .notFound { return [] }
        }
        var found: [RecordID: Record] = [:]
        var rest = ids.distinct()[...]
        while !rest.isEmpty {
            let part = rest.prefix(Self.recordsPerQuestion)
            rest = rest.dropFirst(part.count)
            for record in try await records(fresh: Array(part)) { found[record.id] = record }
        }
        return ids.compactMap { found[$0] }
    }

    /// The primary value of each record as text.
    func primaryValues(of ids: [RecordID]) async throws -> [RecordID: String] {
        guard let primary = model.field(id: model.table.primaryField), !hidden.contains(primary.id) else { return [:] }
        var texts: [RecordID: String] = [:]
        for record in try await records(ids) {
            guard let value = record.cells[primary.id] else { continue }
            texts[record.id] = CellCodec.displayText(of: value, field: primary) { _ in nil }
        }
        return texts
    }

    private func records(fresh ids: [RecordID]) async throws -> [Record] {
        try await records(try await hosted(ids, try await call()))
    }

    func hosted(_ ids: [RecordID], _ call: HostedCall) async throws -> [HostedRecord] {
        var listing = listing
        listing.filterByFormula = Self.question(ids)
        return try await upstream.client.page(listing, of: table.description, in: base.id, call).records
    }

    /// How many records the table has, as far as ten pages tell: the service has no call for it.
    func recordCount() async throws -> Int {
        var (listing, count) = (listing, 0)
        listing.fields = [model.table.primaryField.description]
        for _ in 0..<Self.countedPages {
            let page = try await upstream.client.page(listing, of: table.description, in: base.id, try await call())
            count += page.records.count
            guard let offset = page.offset else { break }
            listing.offset = offset
        }
        return count
    }

    private var listing: HostedListing {
        var listing = HostedListing()
        listing.pageSize = Limits.pageRecords
        listing.returnFieldsByFieldID = true
        return listing
    }

    static let recordsPerQuestion = MirrorRules().recordsPerQuestion
    private static let countedPages = 10
    private static let pagesPerQuestion = 10

    /// Whether a record is one of these.
    static func question(_ ids: [RecordID]) -> String {
        "OR(" + ids.map { "RECORD_ID()='\($0)'" }.joined(separator: ",") + ")"
    }
}
