import Access
import Database
import Domain
import Foundation
import TestSupport
import Testing

@testable import Airtable

/// What SQL decides of a filter is what the evaluator decides. Random filters over random records; a failure names its
/// seed, which `PYAIRTABLE_SEED` runs again; `PYAIRTABLE_LONG=1` compares more than 100,000 pairs on each database.
@Suite("Filters pushed down into SQL")
struct PushdownTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let isLong = environment["PYAIRTABLE_LONG"] == "1"
    private static let seed =
        environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 1...999_999_999)
    private static let now = Instant(microseconds: 1_750_000_000_000_000)

    @Test("agree with the evaluator for every record", arguments: DatabaseKind.allCases)
    func agreement(_ kind: DatabaseKind) async throws {
        let (records, formulas) = Self.isLong ? (300, 500) : (100, 120)
        let seed = Self.seed
        try await withDatabase(kind, migrations: storeMigrations) { database in
            let tenant = TenantID.random()
            var generator = FilterGenerator(seed: seed)
            let model = FilterGenerator.model(number: 7)
            let first = model.positionRange.lowerBound + 1
            let rows = (0..<records).map { generator.row(position: first + Int64($0), model: model) }
            try await Self.store(rows, model, tenant, database)
            var (pairs, pushed, narrowed, found) = (0, 0, 0, 0)
            for _ in 0..<formulas {
                let formula = generator.formula()
                let trial = try FilterTrial(formula, model: model, tenant: tenant, now: Self.now)
                let expected = try trial.accepted(rows)
                let outcome = try await database.read(of: .everyTenant) { try trial.outcome(in: $0) }
                if let bySQL = outcome.bySQL {
                    let isRight = outcome.isExact ? bySQL == expected : bySQL.isSuperset(of: expected)
                    #expect(isRight, "seed \(seed): \(formula): SQL \(bySQL.count), evaluator \(expected.count)")
                }
                #expect(outcome.listed == expected.sorted(), "seed \(seed): \(formula) by the list's way")
                pairs += records
                pushed += outcome.isExact ? records : 0
                narrowed += outcome.bySQL != nil && !outcome.isExact ? records : 0
                found += expected.isEmpty || expected.count == records ? 0 : 1
            }
            #expect(Double(pushed) >= 0.3 * Double(pairs), "seed \(seed): \(pushed) of \(pairs)")
            // Else nothing is compared but nothing with nothing.
            #expect(found > formulas / 4, "seed \(seed): \(found) filters accept some and refuse some")
            if Self.isLong { #expect(pairs >= 100_000 && narrowed > 0) }
        }
    }

    @Test(
        "what is decided by SQL alone, what is narrowed, and what is not",
        arguments: [
            ("{Text}='a'", "exact"), ("AND({Number}>1, {Flag})", "exact"), ("NOT({Size}='S')", "exact"),
            ("OR({Text}='a', {Number}<=2)", "exact"), ("{Day}>='2024-05-01'", "exact"), ("FIND('a', {Text})", "exact"),
            ("RECORD_ID()='recAAAAAAAAAAAAAA'", "exact"), ("{Moment}<NOW()", "exact"), ("{Number}>{Whole}", "exact"),
            ("SWITCH({Size}, 'S', 1, 0)", "exact"), ("FIND('red', {Tags})", "exact"), ("{Text}=BLANK()", "exact"),
            ("IS_AFTER({Day}, TODAY())", "exact"), ("SEARCH('12', {Text})", "exact"),
            ("AND({Text}='a', LOWER({Other})='b')", "narrowed"), ("{Calc}='a'", "narrowed"),
            ("NOT(AND({Text}='a', LOWER({Other})='b'))", "no"), ("OR({Text}='a', LOWER({Other})='b')", "no"),
            ("SEARCH('a', {Text})", "no"), ("{Text}=1", "no"), ("{Number}+1=2", "no"), ("{Touched}<NOW()", "no"),
            ("NOT(IS_AFTER({Day}, TODAY()))", "no"),
        ]
    )
    func extent(_ formula: String, _ expected: String) throws {
        let model = FilterGenerator.model(number: 1)
        let trial = try FilterTrial(formula, model: model, tenant: .random(), now: Self.now)
        let extent = trial.plan.pushdown.map { $0.isExact ? "exact" : "narrowed" } ?? "no"
        #expect(extent == expected, "\(formula)")
    }

    @Test("a filter of any size and depth is taken", arguments: DatabaseKind.allCases)
    func sizes(_ kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: storeMigrations) { database in
            let tenant = TenantID.random()
            var generator = FilterGenerator(seed: 1)
            let model = FilterGenerator.model(number: 7)
            let rows = (0..<20).map { generator.row(position: model.positionRange.lowerBound + 1 + $0, model: model) }
            try await Self.store(rows, model, tenant, database)
            let many = (0..<900).map { "{Number}=\($0)" }.joined(separator: ",")
            let names = rows.prefix(5).map { "RECORD_ID()='\($0.id)'" }
            let deep = String(repeating: "NOT(", count: 200) + "{Flag}" + String(repeating: ")", count: 200)
            let ids = (0..<900).map { "RECORD_ID()='rec\($0)'" }
            for formula in ["OR(\(many))", "AND(\(many))", deep, "OR(\((ids + names).joined(separator: ",")))"] {
                let trial = try FilterTrial(formula, model: model, tenant: tenant, now: Self.now)
                let listed = try await database.read(of: .everyTenant) { try trial.outcome(in: $0).listed }
                #expect(listed == (try trial.accepted(rows)).sorted(), "\(formula.prefix(40))")
            }
        }
    }

    static func store(
        _ rows: [StoredRow],
        _ model: TableModel,
        _ tenant: TenantID,
        _ database: any SQLDatabase
    ) async throws {
        try await database.write(of: .everyTenant) { transaction in
            try RecordStore().insert(rows, tableNumber: model.number, tenant: tenant, in: transaction)
            for field in FilterGenerator.fields where ["Text", "Number", "Size", "Day", "Calc"].contains(field.name) {
                try FieldIndexStore().begin(field, of: model, tenant: tenant, in: transaction)
            }
            for index in try FieldIndexStore().indexes(ofTable: model.number, tenant: tenant, in: transaction) {
                _ = try FieldIndexStore().build(index, of: model, rows: 1_000, tenant: tenant, in: transaction)
            }
        }
    }
}

/// One filter, judged in every way there is.
struct FilterTrial: Sendable {
    let plan: ListingPlan
    let tenant: TenantID

    struct Outcome: Sendable {
        /// Places that SQL alone gives; nil when it is not asked.
        var bySQL: Set<Int64>?
        var isExact = false
        /// By whatever way a list takes.
        var listed: [Int64] = []
    }

    init(_ formula: String, model: TableModel, tenant: TenantID, now: Instant) throws {
        try self.init(RecordQuery(filter: formula), model: model, tenant: tenant, now: now)
    }

    init(_ query: RecordQuery, model: TableModel, tenant: TenantID, now: Instant) throws {
        self.tenant = tenant
        plan = try ListingPlan(
            query,
            model: model,
            scope: VisibleScope(tenant: tenant),
            filters: FormulaFilters(),
            now: now
        )
    }

    func accepted(_ rows: [StoredRow]) throws -> Set<Int64> {
        let predicate = try #require(plan.predicate)
        return Set(
            try rows.filter { predicate.holds(for: try $0.record(plan.judged), links: LinkTexts()) }.map(\.position)
        )
    }

    func outcome(in transaction: any Transaction) throws -> Outcome {
        var outcome = Outcome()
        if let pushdown = plan.pushdown {
            var writer = ConditionWriter(transaction.dialect, firstParameter: 3)
            let condition = writer.write(pushdown.condition)
            let range = plan.model.positionRange
            let rows = try transaction.rows(
                "SELECT position FROM records WHERE position >= $1 AND position <= $2 AND \(condition)",
                [SQLValue(range.lowerBound), SQLValue(range.upperBound)] + writer.arguments
            )
            outcome.bySQL = Set(try rows.map { try $0.integer(0) })
            outcome.isExact = pushdown.isExact
        }
        var candidates = try ListingCandidates(
            plan: plan,
            tenant: tenant,
            after: nil,
            keeper: nil,
            transaction: transaction
        )
        while let rows = try candidates.next() { outcome.listed += try accepted(rows).sorted() }
        return outcome
    }
}
