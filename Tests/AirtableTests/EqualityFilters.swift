import Domain
import Synchronization

@testable import Airtable

/// A language of one sentence, `Field=text`: the cell as people read it is this text. Stands in for formulas where
/// a test is about listing, not about formulas.
struct EqualityFilters: FilterCompiler {
    func predicate(
        _ formula: String,
        table: Table,
        environment: FilterEnvironment
    ) throws(AirtableError) -> any RecordPredicate {
        let parts = formula.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, let field = table.field(parts[0]) else {
            throw .invalidFilter("Unknown field names: \(parts[0].lowercased())")
        }
        return Equality(field: field, text: parts[1])
    }

    func text(of formula: String, table: Table, naming: FieldNaming) throws(AirtableError) -> String { formula }

    private struct Equality: RecordPredicate {
        let field: Field
        let text: String

        var fields: Set<FieldID> { [field.id] }

        func holds(for record: Record, links: LinkTexts) -> Bool {
            guard let value = record.cells[field.id] else { return text.isEmpty }
            return CellCodec.displayText(of: value, field: field) { links[$0] } == text
        }
    }
}

/// A clock of ticks that moves only when told to.
final class TickClock: Sendable {
    private let state = Mutex(ContinuousClock.now)

    var tick: @Sendable () -> ContinuousClock.Instant { { self.state.withLock { $0 } } }

    func advance(_ duration: Duration) { state.withLock { $0 += duration } }
}

extension StoreFixture {
    /// A service on the same data that filters by `EqualityFilters`.
    func listing(tick: TickClock = TickClock()) -> AirtableService {
        AirtableService(
            database: database,
            access: access,
            now: clock.now,
            filters: EqualityFilters(),
            tick: tick.tick
        )
    }

    /// Every page of a listing, and what the pages held.
    func pages(_ query: RecordQuery, _ table: Table, _ service: AirtableService) async throws -> [[Record]] {
        var (query, pages) = (query, [[Record]]())
        while true {
            let page = try await service.list(query, in: table.id, context: context)
            pages.append(page.records)
            guard let offset = page.offset else { return pages }
            query.offset = offset
        }
    }
}

extension RecordQuery {
    init(
        filter: String? = nil,
        sort: [SortKey] = [],
        pageSize: Int = 100,
        maxRecords: Int? = nil,
        fields: [String]? = nil
    ) {
        self.init()
        self.filter = filter
        self.sort = sort
        self.pageSize = pageSize
        self.maxRecords = maxRecords
        self.fields = fields
    }
}
