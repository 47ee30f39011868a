import Access
import Airtable
import Domain

/// What a resource holds for one caller, and what it was made from.
struct ResourceContent: Sendable {
    let json: JSONValue
    /// What it is about, or in.
    let table: TableID?
    /// Other records whose names stand in it.
    var linked: Set<RecordID> = []
}

/// Reads what addresses name, with the caller's rights: the answers of the tools that read the same.
struct ResourceReader: Sendable {
    let airtable: AirtableService

    /// - Throws: `ResourceError.notFound` for what is not there, what the caller may not see, and what is no address, alike;
    ///   `AccessError.forbidden` for whom no address of this form is open.
    func content(of uri: String, context: RequestContext) async throws -> ResourceContent {
        try await found(uri, context) { try await content(of: $0, context: context) }
    }

    /// What is compared to find out whether a resource has changed for the caller.
    ///
    /// - Throws: as `content`; `ResourceError.notFound` also for what changes where nobody here is told of it.
    func watched(_ uri: String, context: RequestContext) async throws -> ResourceContent {
        try await found(uri, context) { address in
            switch address {
            case .base, .table: break
            case .record:
                guard try await reads.home(of: address.base, context: context) != .hosted else {
                    throw ResourceError.notFound(
                        uri,
                        hint:
                            "records that live at the hosted service can be read, not watched, unless they are mirrored"
                    )
                }
            case .view(let view, let table, let base, _):
                // One more record than a page shows stands for the page's way on. Nothing is kept for a next page.
                var query = RecordQuery()
                query.pageSize = Limits.resourceViewRecords + 1
                query.maxRecords = query.pageSize
                return try await page(query, of: view, table, base, context).content
            }
            return try await content(of: address, context: context)
        }
    }

    func content(of address: ResourceAddress, context: RequestContext) async throws -> ResourceContent {
        switch address {
        case .base(let base): try await schema(of: base, context)
        case .table(let table, let base): try await schema(of: table, base, context)
        case .record(let record, let table, let base): try await self.record(record, table, base, context)
        case .view(let view, let table, let base, let offset):
            try await self.view(view, table, base, offset: offset, context)
        }
    }

    private var reads: GatedReads { airtable.reads(by: .recordsRead) }

    private func found<T>(
        _ uri: String,
        _ context: RequestContext,
        _ body: (ResourceAddress) async throws -> T
    ) async throws -> T {
        guard let address = ResourceAddress(uri) else { throw ResourceError.notFound(uri) }
        try context.require(address.permission)
        do {
            return try await body(address)
        } catch let error as AirtableError where error.isAboutAddress {
            throw ResourceError.notFound(uri)
        }
    }

    // MARK: Schemas

    private func schema(of base: BaseID, _ context: RequestContext) async throws -> ResourceContent {
        let tool = ListTablesTool(airtable: airtable)
        var arguments: JSONObject = [
            "base": .string(base.description), "limit": .number(JSONNumber(Limits.pageRecords)),
        ]
        var (members, tables): (JSONObject?, [JSONValue]) = (nil, [])
        repeat {
            let page = try await answer(of: tool, arguments, at: base, context)
            tables += page["tables"]?.arrayValue ?? []
            members = members ?? page
            arguments["cursor"] = page["cursor"]
        } while arguments["cursor"] != nil && tables.count < Limits.tablesPerBase
        members?["tables"] = .array(tables)
        members?.removeValue(forKey: "cursor")
        return ResourceContent(json: JSONValue.object(members ?? [:]).withoutCounts, table: nil)
    }

    private func schema(of table: String, _ base: BaseID, _ context: RequestContext) async throws -> ResourceContent {
        var members = try await answer(
            of: DescribeTableTool(airtable: airtable),
            ["base": .string(base.description), "table": .string(table), "detail": "full"],
            at: base,
            context
        )
        guard let id = Self.table(in: members) else { throw AirtableError(.corrupt, "A description has no table.") }
        members["views"] = try await views(of: id, base, context)
        return ResourceContent(json: JSONValue.object(members).withoutCounts, table: id)
    }

    /// Those that can be read as resources; nil where there are none.
    private func views(of table: TableID, _ base: BaseID, _ context: RequestContext) async throws -> JSONValue? {
        guard context.principal.permissions.contains(.recordsRead) else { return nil }
        do {
            guard try await reads.home(of: base, context: context) == .embedded else { return nil }
            let views = try await reads.views(of: table, context: context)
            return .array(views.map { ["id": .string($0.id.description), "name": .string($0.name)] })
        } catch let error as AirtableError where error.isAboutAddress {
            // Their schema is open to this caller, and not their records.
            return nil
        }
    }

    // MARK: Records

    private func record(
        _ record: RecordID,
        _ table: String,
        _ base: BaseID,
        _ context: RequestContext
    ) async throws -> ResourceContent {
        let members = try await answer(
            of: GetRecordTool(airtable: airtable),
            [
                "base": .string(base.description), "table": .string(table), "recordId": .string(record.description),
            ],
            at: base,
            context
        )
        let linked = members["linkedNames"]?.objectValue?.keys.lazy.compactMap { RecordID($0) }
        return ResourceContent(
            json: .object(members),
            table: Self.table(in: members),
            linked: Set(linked?.prefix(Limits.watchedLinks).map(\.self) ?? [])
        )
    }

    /// The structured answer of a tool.
    ///
    /// - Parameter base: where it has to be from: one found by its name is not the one at the address.
    private func answer<T: Tool>(
        of tool: T,
        _ arguments: JSONObject,
        at base: BaseID,
        _ context: RequestContext
    ) async throws -> JSONObject {
        let arguments = try JSONCoder.decode(T.Arguments.self, from: .object(arguments))
        let answer = try await tool.run(arguments, caller: SilentCaller(), context: context)
        let members = try JSONCoder.value(of: answer).objectValue ?? [:]
        let found = members["baseId"] ?? members["base"]?["id"]
        try Self.require(base, found?.stringValue)
        return members
    }

    private static func table(in members: JSONObject) -> TableID? {
        (members["tableId"] ?? members["table"]?["id"])?.stringValue.flatMap { TableID($0) }
    }

    // MARK: Views

    /// One page of a view, and the address of the next one.
    private func view(
        _ view: String,
        _ table: String,
        _ base: BaseID,
        offset: String?,
        _ context: RequestContext
    ) async throws -> ResourceContent {
        var query = RecordQuery()
        query.offset = offset
        query.pageSize = Limits.resourceViewRecords
        let page = try await page(query, of: view, table, base, context)
        guard page.recordsThatFit < query.pageSize else { return page.content }
        query.pageSize = page.recordsThatFit
        return try await self.page(query, of: view, table, base, context).content
    }

    private struct Page {
        let content: ResourceContent
        /// How many records the page should have had, by their size.
        let recordsThatFit: Int
    }

    private func page(
        _ query: RecordQuery,
        of view: String,
        _ table: String,
        _ base: BaseID,
        _ context: RequestContext
    ) async throws -> Page {
        let place = try await reads.place(table, in: base.description, context)
        try Self.require(base, place.base.id.description)
        // The views of other bases are at the hosted service, which gives each record but not which views there are.
        guard try await reads.home(of: base, context: context) == .embedded else {
            throw AirtableError(.viewNotFound, "The views of this base are not known here.")
        }
        let shown = try await reads.view(view, of: place.table.id, context: context)
        var query = query
        query.view = shown.id.description
        let listing = try await airtable.list(query, in: place.table.id, context: context)
        var columns = place.table
        columns.fields = shown.visibleFields?.compactMap { place.table.field(id: $0) } ?? listing.fields
        let records = try listing.records.map { try JSONCoder.value(of: RecordEntry($0, in: columns)) }
        var members: JSONObject = [
            "base": .string(place.base.name), "baseId": .string(base.description),
            "table": .string(place.table.name), "tableId": .string(place.table.id.description),
            "view": .string(shown.name), "viewId": .string(shown.id.description), "records": .array(records),
        ]
        if let offset = listing.offset {
            members["next"] = .string(ResourceAddress.view(shown.id, of: place.table, offset: offset).uri)
        }
        return Page(
            content: ResourceContent(json: .object(members), table: place.table.id),
            recordsThatFit: Self.countThatFits(records, atMost: query.pageSize)
        )
    }

    /// At least one.
    private static func countThatFits(_ records: [JSONValue], atMost limit: Int) -> Int {
        var bytes = 0
        for (count, record) in records.enumerated() {
            bytes += record.encoded().count
            if bytes > Limits.resourceViewBytes { return max(count, 1) }
        }
        return limit
    }

    private static func require(_ base: BaseID, _ found: String?) throws {
        guard found == base.description else {
            throw AirtableError(.modelNotFound, "There is no such base, or you may not see it.")
        }
    }
}

extension AirtableError {
    /// Whether it says no more than that an address leads to nothing that the caller may see.
    var isAboutAddress: Bool {
        switch code {
        case .notFound, .modelNotFound, .noSuchView, .viewNotFound, .invalidRecordID, .invalidOffset,
            .iteratorNotAvailable:
            true
        default: false
        }
    }
}

extension JSONValue {
    /// A schema says what there can be; how many records there are changes with each of them.
    fileprivate var withoutCounts: JSONValue {
        guard var members = objectValue else { return self }
        members.removeValue(forKey: "recordCount")
        if let tables = members["tables"]?.arrayValue { members["tables"] = .array(tables.map(\.withoutCounts)) }
        return .object(members)
    }
}
