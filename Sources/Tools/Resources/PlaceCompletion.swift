import Airtable
import Domain

/// Fills in names and identifiers of what a caller may see by one permission.
///
/// What was typed is looked for in names, in any case, and at the beginning of identifiers: first those that begin with it, then
/// names that have it inside, each in the order people see them. Where the rest of what was filled in leads to nothing, nothing is found.
struct PlaceCompletion: Sendable {
    enum Form { case name, identifier }

    let airtable: AirtableService
    let permission: Permission

    private var reads: GatedReads { airtable.reads(by: permission) }

    /// - Parameter form: what is given.
    func bases(_ typed: String, by form: Form, _ context: RequestContext) async throws -> Completion {
        let bases = try await reads.bases(context: context)
        return Self.completion(
            of: typed,
            among: bases.map { base in
                let id = base.id.description
                return Candidate(value: form == .name ? base.name : id, name: base.name, id: id)
            }
        )
    }

    /// Names of tables.
    ///
    /// - Parameter base: name or identifier; nil for all bases, for programs that don't say what else is filled in.
    func tables(_ typed: String, in base: String?, _ context: RequestContext) async throws -> Completion {
        try await whereSeen {
            let bases =
                if let base { [try await reads.base(base, context: context)] } else {
                    try await reads.bases(context: context)
                }
            var candidates: [Candidate] = []
            for base in bases {
                for table in try await reads.tables(in: base.id, context: context) {
                    candidates.append(Candidate(value: table.name, name: table.name, id: table.id.description))
                }
            }
            return Self.completion(of: typed, among: candidates)
        }
    }

    /// Names of views; none until a table is filled in.
    func views(
        _ typed: String,
        of table: String?,
        in base: String?,
        _ context: RequestContext
    ) async throws -> Completion {
        guard let table, let base else { return Self.nothing }
        return try await whereSeen {
            let place = try await reads.place(table, in: base, context)
            guard try await reads.home(of: place.base.id, context: context) == .embedded else { return Self.nothing }
            let views = try await reads.views(of: place.table.id, context: context)
            return Self.completion(
                of: typed,
                among: views.map { Candidate(value: $0.name, name: $0.name, id: $0.id.description) }
            )
        }
    }

    /// Names of fields; none until a table is filled in.
    func fields(
        _ typed: String,
        of table: String?,
        in base: String?,
        _ context: RequestContext
    ) async throws -> Completion {
        guard let table, let base else { return Self.nothing }
        return try await whereSeen {
            let fields = try await reads.place(table, in: base, context).table.fields
            return Self.completion(
                of: typed,
                among: fields.map { Candidate(value: $0.name, name: $0.name, id: $0.id.description) }
            )
        }
    }

    /// Identifiers of records, found by their primary value; none until a table is filled in.
    ///
    /// Looks at the table's first records only, and at the one whose identifier was typed: there is no index by the beginnings
    /// of texts, and this is asked for at every letter. Of a base whose records are elsewhere, none are known.
    func records(
        _ typed: String,
        of table: String?,
        in base: String?,
        _ context: RequestContext
    ) async throws -> Completion {
        guard let table, let base else { return Self.nothing }
        return try await whereSeen {
            let stored = airtable.storedReads(by: permission)
            let table = try await reads.place(table, in: base, context).table
            if let id = RecordID(typed) {
                let found = try await stored.records([id], in: table.id, context: context)
                return Completion(values: found.map(\.id.description), total: found.count)
            }
            let request = RecordPageRequest(limit: Limits.completionRecords)
            let page = try await stored.records(in: table.id, page: request, context: context)
            let primary = table.field(id: table.primaryField)
            let candidates = page.records.map { record in
                let name = primary.flatMap { field in
                    record.cells[field.id].map { CellCodec.displayText(of: $0, field: field) { _ in nil } }
                }
                let id = record.id.description
                return Candidate(value: id, name: name ?? "", id: id)
            }
            let found = Self.completion(of: typed, among: candidates)
            guard page.next != nil else { return found }
            return Completion(values: found.values, hasMore: true)
        }
    }

    // MARK: Choosing

    struct Candidate {
        let value: String
        let name: String
        let id: String
    }

    static let nothing = Completion(values: [], total: 0)

    static func completion(of typed: String, among candidates: [Candidate]) -> Completion {
        let wanted = folded(typed)
        var (first, second): ([String], [String]) = ([], [])
        var seen: Set<String> = []
        for candidate in candidates {
            let name = folded(candidate.name)
            let begins = name.hasPrefix(wanted) || candidate.id.lowercased().hasPrefix(wanted)
            guard begins || name.contains(wanted), seen.insert(candidate.value).inserted else { continue }
            if begins { first.append(candidate.value) } else { second.append(candidate.value) }
        }
        let found = first + second
        return Completion(
            values: Array(found.prefix(Limits.completionValues)),
            total: found.count,
            hasMore: found.count > Limits.completionValues
        )
    }

    private static func folded(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    }

    private func whereSeen(_ body: () async throws -> Completion) async throws -> Completion {
        do { return try await body() } catch let error as AirtableError where error.isAboutAddress {
            return Self.nothing
        }
    }
}

extension Completion {
    var shown: JSONValue { .array(values.map { .string($0) }) }
}
