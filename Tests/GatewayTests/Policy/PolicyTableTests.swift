import Domain
import Embeddings
import Foundation
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

/// The same dialogue as everybody, in both eras, against what the policy says.
///
/// A cell is what an act tells of the secrets, and how it ends:
/// - letters: of the field, the record, the table, the base; `-` for none of them. What is done ends in `done`, a dry run
///   in `proposed`.
/// - `?f`: refused, with a hint that names something.
/// - `missing`: refused in the same words as for something that is not there.
/// - `denied`: refused for want of a permission, whatever it is about; `scope`: by the door, for a token's want of one.
/// - `asks`: refused since nobody can be asked, by a client that cannot be.
/// - `unoffered`: there is no such prompt or template for this caller.
@Suite("MCP and who is asking", .timeLimit(.minutes(5)))
struct PolicyTableTests {
    private typealias Person = PolicyWorld.Person

    @Test("AUTHZ-05: what reading tools tell", arguments: PolicyEra.allCases)
    func reading(_ era: PolicyEra) async throws { try await hold(PolicyTables.reading, era, \.reading) }

    @Test("AUTHZ-05: what writing tools do", arguments: PolicyEra.allCases)
    func writing(_ era: PolicyEra) async throws { try await hold(PolicyTables.writing, era, \.writing) }

    @Test("AUTHZ-05: what resources, prompts and completion tell", arguments: PolicyEra.allCases)
    func offers(_ era: PolicyEra) async throws { try await hold(PolicyTables.offers, era, \.offers) }

    @Test("AUTHZ-05: who is offered what", arguments: PolicyEra.allCases)
    func catalogue(_ era: PolicyEra) async throws {
        let table = try PolicyTable(PolicyTables.catalogue)
        try await withPolicy { world in
            try await world.server().publicApplication.test(.router) { client in
                for person in Person.allCases {
                    let bearer = try #require(world.bearers[person])
                    let session = try await PolicyClient(client, bearer: bearer, era: era)
                    var offered: Set<String> = []
                    for (method, member) in [
                        ("tools/list", "tools"), ("prompts/list", "prompts"),
                        ("resources/templates/list", "resourceTemplates"),
                    ] {
                        let listed = try await session.ask(method).result?[member]?.arrayValue
                        offered.formUnion(try #require(listed).compactMap { $0["name"]?.stringValue })
                    }
                    let wanted = Set(table.rows.filter { $0.cells[person] == "yes" }.map(\.act))
                    #expect(offered == wanted, "\(person)")
                }
            }
        }
    }

    private func hold(
        _ text: String,
        _ era: PolicyEra,
        _ acts: @escaping @Sendable (PolicyActs) -> [String: PolicyAct]
    ) async throws {
        let table = try PolicyTable(text)
        try await withPolicy { world in
            try await world.server().publicApplication.test(.router) { client in
                for person in Person.allCases {
                    let bearer = try #require(world.bearers[person])
                    let session = try await PolicyClient(client, bearer: bearer, era: era)
                    let acts = acts(PolicyActs(world: world, salt: "\(person) \(era)"))
                    #expect(Set(acts.keys) == Set(table.rows.map(\.act)))
                    for row in table.rows {
                        guard let act = acts[row.act], let wanted = row.cells[person] else { continue }
                        let found = try await Self.outcome(of: act, session, world, person)
                        #expect(found.cell == wanted, "\(row.act), \(person): \(found.text)")
                    }
                }
            }
        }
    }

    private static func outcome(
        of act: PolicyAct,
        _ session: PolicyClient,
        _ world: PolicyWorld,
        _ person: Person
    ) async throws -> (cell: String, text: String) {
        let params = act.params(act.named)
        let reply = try await session.ask(act.method, params)
        let told = world.told(by: reply.text, asked: JSONValue.object(params).text)
        #expect(told.allSatisfy(person.sight.contains), "\(person) is told of \(told): \(reply.text)")
        if reply.status == 403, reply.challenge?.contains("insufficient_scope") == true { return ("scope", "") }
        guard reply.isRefusal else {
            let tells = told.isEmpty ? "-" : told
            switch reply.result?["structuredContent"]?["status"]?.stringValue {
            case nil: return (tells, reply.text)
            case let status?: return ([told, status].filter { !$0.isEmpty }.joined(separator: " "), reply.text)
            }
        }
        for (cell, words) in [
            ("denied", "This needs the permission"), ("asks", "needs its user's word"),
            ("unoffered", "There is no prompt named"), ("unoffered", "There is no resource template"),
        ] where reply.text.contains(words) {
            return (cell, reply.text)
        }
        let missing = try await session.ask(act.method, act.params(act.twin))
        let same = act.named != act.twin && plain(reply, act.named) == plain(missing, act.twin)
        return (same ? "missing" : "?\(told)", "\(reply.text) \(missing.text)")
    }

    /// What a refusal says of whatever it was asked about.
    private static func plain(_ reply: PolicyClient.Reply, _ name: String) -> String {
        "\(reply.status) " + reply.text.replacing(name, with: "…").replacing(name.lowercased(), with: "…")
    }
}

/// What is wanted of each act for each person.
struct PolicyTable {
    struct Row {
        let act: String
        let cells: [PolicyWorld.Person: String]
    }

    let rows: [Row]

    /// Columns stand two spaces or more apart.
    init(_ text: String) throws {
        let lines = text.split(separator: "\n").map { line in
            line.split(separator: /\s{2,}/).map(String.init)
        }
        let people = try #require(lines.first).map { PolicyWorld.Person(rawValue: $0) }
        #expect(people == PolicyWorld.Person.allCases)
        rows = try lines.dropFirst().map { words in
            try #require(words.count == people.count + 1, "\(words)")
            return Row(
                act: words[0],
                cells: Dictionary(uniqueKeysWithValues: zip(PolicyWorld.Person.allCases, words.dropFirst()))
            )
        }
        #expect(Set(rows.map(\.act)).count == rows.count)
    }
}

func withPolicy(_ body: @escaping @Sendable (PolicyWorld) async throws -> Void) async throws {
    try await withTemporaryDirectory { directory in
        try await withGateway(migrations: HiddenEngines.migrations) { fixture in
            let engines = HiddenEngines(fixture, directory: directory.path + "/index")
            defer { engines.pool.close() }
            try await body(try await PolicyWorld(fixture, engines))
        }
    }
}
