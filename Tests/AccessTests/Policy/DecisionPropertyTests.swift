import Access
import Domain
import Foundation
import TestSupport
import Testing

/// `PYAIRTABLE_LONG=1` asks a hundred thousand policies; `PYAIRTABLE_SEED` repeats a run.
@Suite("Decisions against the written rules")
struct DecisionPropertyTests {
    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap(UInt64.init) ?? 20_261_129

    @Test("AUTHZ-02: a decision is what the rules say, for random policies and questions")
    func decisions() {
        var generator = SeededGenerator(seed: Self.seed)
        var (questions, allowed) = (0, 0)
        for round in 0..<(Self.isLong ? 100_000 : 3_000) {
            let policy = RandomPolicy(&generator)
            let set = policy.set
            for _ in 0..<4 {
                let (user, key) = asker(policy, &generator)
                let permission = Permission.allCases.randomElement(using: &generator) ?? .search
                let place = policy.places.randomElement(using: &generator) ?? .tenant
                let expected = policy.reference.may(user, key, permission, place) { policy.truth($0, place) }
                let standing = set.standing(of: user, key: key?.limits)
                let decision = standing?.decide(permission, on: place) { truth(policy.truth($0, place)) }
                #expect(decision?.verdict != .conditional)
                let isSame = (decision?.isAllowed ?? false) == expected
                #expect(
                    isSame,
                    "seed \(Self.seed), policy \(round): \(permission) on \(place): \(String(describing: decision))"
                )
                if !isSame { return }
                questions += 1
                allowed += expected ? 1 : 0
            }
        }
        // Neither answer is rare, else this would compare nothing.
        #expect(allowed * 10 > questions && allowed * 2 < questions, "\(allowed) of \(questions) allowed")
    }

    @Test("AUTHZ-02: a compiled scope holds exactly what single decisions allow")
    func scopes() {
        var generator = SeededGenerator(seed: Self.seed &+ 1)
        var questions = 0
        for round in 0..<(Self.isLong ? 3_000 : 100) {
            let policy = RandomPolicy(&generator)
            let set = policy.set
            let (user, key) = asker(policy, &generator)
            guard let standing = set.standing(of: user, key: key.map { unscoped($0) }) else { continue }
            for permission in Permission.allCases {
                let scope = standing.scope(for: permission)
                for place in policy.places {
                    guard let inScope = contains(place, permission, scope, policy) else { continue }
                    questions += 1
                    let expected = policy.reference.may(user, key.map(everyScope), permission, place) {
                        policy.truth($0, place)
                    }
                    #expect(
                        inScope == expected,
                        "seed \(Self.seed), policy \(round): \(permission) on \(place), \(scope)"
                    )
                    if inScope != expected { return }
                }
            }
        }
        #expect(questions > 10_000)
    }

    @Test("AUTHZ-07: what may be asked for at the door is what some place allows, and no refusal adds to it")
    func permissions() {
        var generator = SeededGenerator(seed: Self.seed &+ 2)
        for round in 0..<(Self.isLong ? 5_000 : 200) {
            let policy = RandomPolicy(&generator)
            let (user, key) = asker(policy, &generator)
            guard let standing = policy.set.standing(of: user, key: key?.limits) else { continue }
            for permission in Permission.allCases where !standing.permissions.contains(permission) {
                // In every place that a route for it could be about: what is done to a tenant is about the tenant.
                let isOfTenant = ReferenceEvaluator.administrative.contains(permission)
                for place in isOfTenant ? [.tenant] : policy.places {
                    let isAllowed = policy.reference.may(user, key, permission, place) { policy.truth($0, place) }
                    #expect(!isAllowed, "seed \(Self.seed), policy \(round): \(permission) on \(place)")
                }
            }
            for permission in ReferenceEvaluator.administrative where standing.permissions.contains(permission) {
                // Of these the door is all that is asked, so it must not be wider than the tenant.
                let isAllowed = policy.reference.may(user, key, permission, .tenant) { _ in false }
                #expect(isAllowed, "seed \(Self.seed), policy \(round): \(permission)")
            }
        }
    }

    private func asker(
        _ policy: RandomPolicy,
        _ generator: inout SeededGenerator
    ) -> (UserID, ReferenceEvaluator.Key?) {
        if Bool.random(using: &generator), let key = policy.keys.randomElement(using: &generator) {
            return (key.owner, key.key)
        }
        return (policy.users.randomElement(using: &generator) ?? policy.users[0], nil)
    }

    private func truth(_ value: Bool?) -> Truth { value.map { $0 ? .holds : .fails } ?? .broken }

    /// Scopes of a key are asked at the door, not in what it sees.
    private func unscoped(_ key: ReferenceEvaluator.Key) -> KeyLimits { everyScope(key).limits }

    private func everyScope(_ key: ReferenceEvaluator.Key) -> ReferenceEvaluator.Key {
        var key = key
        key.scopes = Set(Permission.allCases)
        return key
    }

    /// Whether somebody with `scope` gets to do `permission` there, as the services ask it; nil where a scope has no say.
    private func contains(
        _ place: Resource,
        _ permission: Permission,
        _ scope: VisibleScope,
        _ policy: RandomPolicy
    ) -> Bool? {
        if ReferenceEvaluator.administrative.contains(permission) { return nil }
        switch place {
        case .tenant: return nil
        case .workspace(let workspace):
            // Bases are made in workspaces; nothing else is asked of them.
            return permission == .schemaWrite ? scope.permits(workspace: workspace) : nil
        case .base(let base):
            if permission == .schemaWrite { return scope.permits(base: base) }
            return scope.allows(base: base) && scope.action?.contains(base: base) ?? true
        case .table(let table, let base): return scope.permits(table: table, in: base)
        case .view(let view, let table, let base):
            return scope.permits(table: table, in: base) && scope.permits(view: view)
        case .field(let field, let table, let base):
            return scope.permits(table: table, in: base) && !scope.hiddenFields(table: table).contains(field)
                && !scope.lockedFields(table: table).contains(field)
        case .record(let record, let table, let base):
            guard scope.permits(table: table, in: base) else { return false }
            return [scope.rule(table: table), scope.actionRule(table: table)].compactMap(\.self).allSatisfy { rule in
                ReferenceEvaluator.aboutRecords.contains(permission)
                    ? rule.passes(record) { policy.truth($0, place) } : true
            }
        }
    }
}

extension ReferenceEvaluator.Key {
    var limits: KeyLimits { KeyLimits(id: id, scopes: scopes, bases: bases, tables: tables) }
}
