import Access
import Domain
import Foundation
import TestSupport
import Testing

/// One policy of Scenarios/decisions.txt with its questions.
struct Scenario: Sendable, CustomTestStringConvertible {
    struct Question: Sendable {
        let line: Int
        let subject: String
        let expected: Decision.Verdict
        let permission: Permission
        let place: Resource
        let reason: String?
        let holding: Set<String>
        let broken: Set<String>
        let isLooked: Bool
    }

    struct Unreadable: Error, CustomStringConvertible {
        let description: String
    }

    let title: String
    var people: [UserID: PolicySet.Person] = [:]
    var groups: [GroupID: (name: String, members: [UserID])] = [:]
    var roles: [RoleID: Set<Permission>] = [:]
    var placements: [BaseID: WorkspaceID] = [:]
    var keys: [String: (owner: UserID, limits: KeyLimits)] = [:]
    var grants: [Grant] = []
    var questions: [Question] = []

    var testDescription: String { title }

    var set: PolicySet {
        PolicySet(
            tenant: named("tenant"),
            version: 1,
            people: people,
            groups: groups,
            roles: roles,
            placements: placements,
            grants: grants
        )
    }

    static func all() throws -> [Scenario] {
        let file = repositoryRoot.appendingPathComponent("Tests/AccessTests/Scenarios/decisions.txt")
        var scenarios: [Scenario] = []
        let lines = try String(contentsOf: file, encoding: .utf8).split(
            separator: "\n",
            omittingEmptySubsequences: false
        )
        for (number, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            if line.hasPrefix("== ") {
                scenarios.append(Scenario(title: String(line.dropFirst(3))))
                continue
            }
            guard !scenarios.isEmpty else { throw Unreadable(description: "line \(number + 1): before any title") }
            do {
                try scenarios[scenarios.count - 1].read(line, number + 1)
            } catch {
                throw Unreadable(description: "line \(number + 1): \(line): \(error)")
            }
        }
        return scenarios
    }

    private mutating func read(_ line: Substring, _ number: Int) throws {
        let words = line.split(separator: " ").map(String.init)
        switch words[0] {
        case "in":
            for base in words.dropFirst(2) { placements[named(base)] = named(String(words[1].dropLast())) }
        case "user":
            guard let role = Role(rawValue: words[2]) else { throw Unreadable(description: "no role") }
            people[named(words[1])] = PolicySet.Person(role: role, isDisabled: words.last == "disabled", name: words[1])
        case "group":
            let name = String(words[1].dropLast())
            groups[named(name)] = (name, words.dropFirst(2).map { named($0) })
        case "role":
            roles[named(String(words[1].dropLast()))] = Set(try words.dropFirst(2).map(Self.permission))
        case "key":
            try readKey(words)
        case "allow", "deny":
            try readGrant(words, line)
        default:
            try readQuestion(words, line, number)
        }
    }

    private mutating func readKey(_ words: [String]) throws {
        let rest = words.dropFirst(4)
        let scopes = rest.prefix { $0 != "in" }
        var limits = KeyLimits(id: named(words[1]), scopes: Set(try scopes.map(Self.permission)))
        for place in rest.dropFirst(scopes.count + 1) {
            switch try Self.place(place) {
            case .base(let base): limits.bases = (limits.bases ?? []).union([base])
            case .table(let table, let base): limits.tables[base, default: []].insert(table)
            default: throw Unreadable(description: "a key is limited to bases and tables")
            }
        }
        keys[words[1]] = (named(String(words[3].dropLast())), limits)
    }

    private mutating func readGrant(_ words: [String], _ line: Substring) throws {
        guard words.count >= 5, words[3] == "on" else { throw Unreadable(description: "expected WHO WHAT on WHERE") }
        let bundle: Grant.Bundle
        if let role = Role(rawValue: words[2]) {
            bundle = .role(role)
        } else if roles[named(words[2])] != nil {
            bundle = .customRole(named(words[2]))
        } else {
            var permissions: Set<Permission> = []
            for part in words[2].split(separator: ",").map(String.init) {
                if let role = Role(rawValue: part) {
                    permissions.formUnion(role.permissions)
                } else {
                    permissions.insert(try Self.permission(part))
                }
            }
            bundle = .permissions(permissions)
        }
        grants.append(
            Grant(
                id: named("grant \(grants.count + 1)"),
                subject: try subject(words[1]),
                effect: words[0] == "allow" ? .allow : .deny,
                bundle: bundle,
                resource: try Self.place(words[4]),
                condition: line.firstRange(of: " where ").map { String(line[$0.upperBound...]) },
                createdBy: named("maker"),
                createdTime: Instant(microseconds: 0)
            )
        )
    }

    private mutating func readQuestion(_ words: [String], _ line: Substring, _ number: Int) throws {
        guard words.count >= 5, words[1] == "may" else { throw Unreadable(description: "no question") }
        let adverb = words[2]
        let rest = Array(words.dropFirst(adverb == "not" || adverb == "perhaps" ? 3 : 2))
        guard rest.count >= 3, rest[1] == "on" else { throw Unreadable(description: "no place") }
        let conditions = line.firstRange(of: " when ").map { line[$0.upperBound...].components(separatedBy: " and ") }
        let head = line.prefix(upTo: line.firstRange(of: " when ")?.lowerBound ?? line.endIndex)
        questions.append(
            Question(
                line: number,
                subject: words[0],
                expected: adverb == "not" ? .denied : adverb == "perhaps" ? .conditional : .allowed,
                permission: try Self.permission(rest[0]),
                place: try Self.place(rest[2]),
                reason: head.firstRange(of: " because ").map { String(head[$0.upperBound...]) },
                holding: Set((conditions ?? []).filter { !$0.hasPrefix("broken ") }),
                broken: Set((conditions ?? []).filter { $0.hasPrefix("broken ") }.map { String($0.dropFirst(7)) }),
                isLooked: conditions != nil
            )
        )
    }

    func subject(_ name: String) throws -> Grant.Subject {
        if name == "everybody" { return .everybody }
        if people[named(name)] != nil { return .user(named(name)) }
        if groups[named(name)] != nil { return .group(named(name)) }
        if keys[name] != nil { return .key(named(name)) }
        throw Unreadable(description: "nobody is called \(name)")
    }

    private static func permission(_ word: String) throws -> Permission {
        guard let permission = Permission(rawValue: word) else {
            throw Unreadable(description: "no permission \(word)")
        }
        return permission
    }

    private static func place(_ text: String) throws -> Resource {
        if text == "tenant" { return .tenant }
        let parts = text.split(separator: "/").map(String.init)
        if parts[0].hasPrefix("workspace:") { return .workspace(named(String(parts[0].dropFirst(10)))) }
        let base: BaseID = named(parts[0])
        guard parts.count > 1 else { return .base(base) }
        let table: TableID = named(parts[1])
        guard parts.count > 2 else { return .table(table, base) }
        let leaf = parts[2].split(separator: ":").map(String.init)
        switch leaf[0] {
        case "field": return .field(named(leaf[1]), table, base)
        case "view": return .view(named(leaf[1]), table, base)
        case "record": return .record(named(leaf[1]), table, base)
        default: throw Unreadable(description: "no place \(text)")
        }
    }
}

/// The same identifier for the same name.
func named<Kind>(_ name: String) -> Identifier<Kind> {
    var generator = SeededGenerator(
        seed: name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    )
    return .random(using: &generator)
}
