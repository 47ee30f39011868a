import Access
import Domain
import Testing

@testable import Chat

@Suite("Who sees a conversation")
struct ChatReachTests {
    @Test("LLM-12: whoever sees as much as those who asked in it, inside its bases as well")
    func covers() {
        let (base, other) = (BaseID.random(), BaseID.random())
        let whole = ChatReach(bases: nil)
        let part = ChatReach(bases: nil, narrowing: "a")
        let limited = ChatReach(bases: [base])
        for reach in [whole, part, limited] {
            #expect(reach.covers(bases: [], narrowing: ""), "nobody has asked yet")
            #expect(reach.covers(bases: [base], narrowing: "a"))
            #expect(reach.covers(bases: nil, narrowing: nil) == (reach == whole))
        }
        #expect(!limited.covers(bases: [base, other], narrowing: nil) && limited.covers(bases: [base], narrowing: nil))
        #expect(!ChatReach(bases: nil, narrowing: "b").covers(bases: nil, narrowing: "a"))
    }

    @Test("LLM-12: scopes that keep back the same are the same, others are not")
    func narrowing() {
        let (tenant, table, field) = (TenantID.random(), TableID.random(), FieldID.random())
        let reader = RecordRule.Reader(user: .random(), name: "a")
        var scopes: [VisibleScope] = []
        func add(_ change: (inout Reach) -> Void) {
            var sight = Reach()
            change(&sight)
            scopes.append(VisibleScope(tenant: tenant, sight: sight))
        }
        add { $0.excludedFields = [table: [field]] }
        add { $0.excludedTables = [table] }
        add { $0.tables = [.random(): [table]] }
        add { $0.excludedViews = [.random()] }
        for formulas in [["a", "bc"], ["ab", "c"], ["abc"], []] {
            add { $0.rules = [table: RecordRule(allowances: [.init(formulas: formulas)], reader: reader)] }
        }
        add { $0.rules = [table: RecordRule(refusing: ["abc"], reader: reader)] }
        add { $0.rules = [table: RecordRule(refusing: ["abc"], reader: .init(user: .random(), name: "a"))] }
        let texts = scopes.compactMap(\.narrowing)
        #expect(texts.count == scopes.count && Set(texts).count == scopes.count)
        #expect(VisibleScope(tenant: tenant, bases: [.random()]).narrowing == nil)
        #expect(scopes[0].narrowing == VisibleScope(tenant: .random(), hidden: [table: [field]]).narrowing)
    }
}
