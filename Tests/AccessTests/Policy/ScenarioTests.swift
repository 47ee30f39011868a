import Access
import Domain
import Testing

@Suite("Permission scenarios")
struct ScenarioTests {
    @Test("AUTHZ-01, AUTHZ-02, KEY-02: decide as the table says", arguments: try Scenario.all())
    func decides(_ scenario: Scenario) throws {
        let set = scenario.set
        #expect(!scenario.questions.isEmpty)
        for question in scenario.questions {
            guard let standing = try standing(question.subject, scenario, set) else {
                #expect(question.expected == .denied, "line \(question.line)")
                continue
            }
            let decision = standing.decide(question.permission, on: question.place) { formula in
                if question.broken.contains(formula) { return .broken }
                if !question.isLooked { return .unknown }
                return question.holding.contains(formula) ? .holds : .fails
            }
            #expect(decision.verdict == question.expected, "line \(question.line): \(decision)")
            if let reason = question.reason {
                #expect(text(decision.reason, scenario) == reason, "line \(question.line)")
            }
        }
    }

    @Test("the table is large, and has as many refusals as allowances")
    func balance() throws {
        let questions = try Scenario.all().flatMap(\.questions)
        let refusals = questions.count { $0.expected == .denied }
        #expect(questions.count >= 130, "\(questions.count)")
        #expect((questions.count / 3...questions.count * 2 / 3).contains(refusals), "\(refusals) of \(questions.count)")
    }

    private func standing(_ name: String, _ scenario: Scenario, _ set: PolicySet) throws -> Standing? {
        switch try scenario.subject(name) {
        case .user(let user): return set.standing(of: user)
        case .key:
            guard let key = scenario.keys[name] else { return nil }
            return set.standing(of: key.owner, key: key.limits)
        case .group, .everybody: return set.standing(ofAll: try scenario.subject(name), reader: named("nobody"))
        }
    }

    private func text(_ reason: Decision.Reason, _ scenario: Scenario) -> String {
        func number(_ id: GrantID) -> Int { (scenario.grants.firstIndex { $0.id == id } ?? -1) + 1 }
        return switch reason {
        case .role(let role): role.rawValue
        case .grant(let id): "grant \(number(id))"
        case .part(let id): "part \(number(id))"
        case .nothing: "nothing"
        case .keyScopes: "scopes"
        case .keyPlaces: "places"
        case .keyGrants: "limits"
        }
    }
}
