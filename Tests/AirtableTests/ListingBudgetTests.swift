import Access
import Database
import Domain
import Synchronization
import TestSupport
import Testing

@testable import Airtable

@Suite("The work of one list")
struct ListingBudgetTests {
    @Test("is bounded: a filter that takes too long is refused, and says what to do")
    func bound() async throws {
        try await withStore(.sqlite) { store in
            let table = try await store.table([FieldDraft(name: "Name", type: .singleLineText)])
            let drafts = (0..<100).map { RecordDraft(fields: ["Name": .string("n\($0)")]) }
            _ = try await store.service.create(drafts, in: table.id, context: store.context)
            let (service, context) = (store.service, store.context)
            let counted = try await service.read(context) {
                transaction,
                schema -> (found: Int, error: AirtableError?) in
                let scope = VisibleScope(tenant: context.tenant)
                let plan = try ListingPlan(
                    RecordQuery(filter: "LOWER({Name})!='x'"),
                    model: try schema.table(table.id, scope),
                    scope: scope,
                    filters: FormulaFilters(),
                    now: service.now()
                )
                var scan = RecordScan(
                    plan: plan,
                    sight: RecordSight(scope, schema, now: service.now(), in: transaction)
                )
                var time: UInt64 = 0
                // A second each time that somebody looks.
                scan.budget = ListingBudget(nanoseconds: 3_500_000_000) {
                    time += 1_000_000_000
                    return time
                }
                var found = 0
                do {
                    try scan.forEachMatch(after: nil) { _, _, _, _ in
                        found += 1
                        return true
                    }
                } catch let error as AirtableError { return (found, error) }
                return (found, nil)
            }
            #expect(counted.found == 63)
            #expect(counted.error?.code == .invalidFilter)
            #expect(counted.error?.hint?.contains("narrow") == true)
        }
    }
}
