import Access
import Airtable
import Domain
import TestSupport
import Testing

extension StoreFixture {
    /// The same store for somebody who sees, and may change, less.
    ///
    /// - Parameter action: by permission; nil wherever they see.
    func masked(
        _ sight: Reach,
        action: @escaping @Sendable (Permission) -> Reach? = { _ in nil }
    ) -> AirtableService {
        var access = access
        access.narrowing = { scope, permission in
            VisibleScope(tenant: scope.tenant, sight: sight, action: action(permission))
        }
        return AirtableService(database: database, access: access, now: clock.now, pollInterval: .milliseconds(20))
    }

    /// A rule whose reader is the owner of the store.
    func rule(allowing: [String] = [], refusing: [String] = [], allowsAll: Bool = false, records: Set<RecordID> = [])
        -> RecordRule
    {
        RecordRule(
            allowances: allowsAll ? [] : [.init(records: records, formulas: allowing)],
            refusing: refusing,
            reader: RecordRule.Reader(
                user: context.principal.user,
                name: "owner",
                email: "owner@example.test",
                groups: ["Staff", "Sales"]
            )
        )
    }
}

extension Reach {
    /// Everything, but for this table only records that a rule allows.
    init(_ table: TableID, _ rule: RecordRule) {
        self.init()
        rules = [table: rule]
    }

    init(hiding fields: [FieldID], of table: TableID) {
        self.init()
        excludedFields = [table: Set(fields)]
    }
}

extension [RecordID] {
    var asLinks: JSONValue { .array(map { .string($0.description) }) }
}

func expectForbidden<T>(
    sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () async throws -> T
) async {
    do {
        _ = try await body()
        Issue.record("nothing was refused", sourceLocation: sourceLocation)
    } catch let error as any Failure {
        #expect(error.kind == .forbidden, "\(error)", sourceLocation: sourceLocation)
    } catch {
        Issue.record("\(error)", sourceLocation: sourceLocation)
    }
}
