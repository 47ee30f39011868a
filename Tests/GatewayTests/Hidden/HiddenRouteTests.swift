import Domain
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Routes and what grants hide")
struct HiddenRouteTests {
    private typealias Kind = HiddenWorld.Reader.Kind

    @Test("AUTHZ-04: every route is asked for what is hidden, or is left out for a reason")
    func complete() {
        let names = Set(RouteTable.standard.routes.map(\.name))
        #expect(names.symmetricDifference(HiddenCalls.asked.union(HiddenCalls.unasked.keys)) == [])
        #expect(HiddenCalls.asked.isDisjoint(with: HiddenCalls.unasked.keys))
    }

    @Test(
        "AUTHZ-04: no reading route tells of what grants hide, and each thing is told to who sees it",
        arguments: DatabaseKind.allCases,
        HiddenWorld.Reader.Kind.allCases
    )
    func reads(_ kind: DatabaseKind, _ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(kind, from: reader) { world in
            try await world.server().publicApplication.test(.router) { client in
                let values = try await world.values(client)
                let calls = HiddenCalls(secrets: world.secrets, values: values)
                var told: Set<String> = []
                for route in Self.routes where route.method == .get || Self.readsByBody.contains(route.name) {
                    for call in calls.calls(of: route) {
                        let answer = try await world.answer(client, route, values, call)
                        #expect(world.leaks(in: answer, call) == [], "\(route.name) \(call): \(answer.text)")
                        #expect(answer.status < 500, "\(route.name) \(call): \(answer.text)")
                        // Somebody who sees all is told of them: else nothing would have been looked for.
                        for record in [values[.recordId], world.secrets.record.description] {
                            let open = values.merging([.recordId: record ?? ""]) { $1 }
                            let whole = try await world.answer(client, route, open, call, key: world.fixture.key)
                            told.formUnion(world.leaks(in: whole, call))
                        }
                    }
                }
                #expect(Set(world.secrets.identifiers + [HiddenSecrets.word]).subtracting(told) == [])
            }
        }
    }

    @Test(
        "AUTHZ-04: no writing route tells of what grants hide",
        arguments: HiddenWorld.Reader.Kind.allCases
    )
    func writes(_ reader: HiddenWorld.Reader.Kind) async throws {
        for dialect in ["/v0/", "/api/v1/airtable", "/"] {
            let routes = Self.routes.filter { $0.method != .get && Self.dialect($0) == dialect }
            try await withHidden(from: reader) { world in
                try await world.server().publicApplication.test(.router) { client in
                    let values = try await world.values(client)
                    let calls = HiddenCalls(secrets: world.secrets, values: values)
                    var done: Set<String> = []
                    // What is deleted goes last, from the inside out.
                    for route in routes.filter({ $0.method != .delete })
                        + routes.filter({ $0.method == .delete }).sorted(by: Self.isDeeper)
                    {
                        for call in calls.calls(of: route) {
                            let answer = try await world.answer(client, route, values, call)
                            #expect(world.leaks(in: answer, call) == [], "\(route.name) \(call): \(answer.text)")
                            #expect(answer.status < 500, "\(route.name) \(call): \(answer.text)")
                            if answer.status < 300 { done.insert(route.name) }
                        }
                    }
                    #expect(done.count >= routes.count / 3, "\(dialect): \(done.sorted())")
                }
            }
        }
    }

    @Test(
        "AUTHZ-03: what grants hide answers every route as what is not there",
        arguments: DatabaseKind.allCases,
        HiddenWorld.Reader.Kind.allCases
    )
    func missing(_ kind: DatabaseKind, _ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(kind, from: reader) { world in
            try await world.server().publicApplication.test(.router) { client in
                let values = try await world.values(client)
                let pairs = try await world.hiddenValues(client)
                for route in Self.routes {
                    for (parameter, hidden, missing) in pairs where route.pattern.parameters.contains(parameter) {
                        func answer(_ value: String) async throws -> String {
                            let all = values.merging([parameter: value]) { $1 }
                            let answer = try await world.answer(client, route, all, HiddenCalls.Call())
                            #expect((400..<500).contains(answer.status), "\(route.name) \(value): \(answer.text)")
                            return answer.plain(without: value)
                        }
                        let (unseen, absent) = (try await answer(hidden), try await answer(missing))
                        #expect(unseen == absent, "\(route.name), \(parameter) \(hidden)")
                    }
                }
            }
        }
    }

    @Test(
        "AUTHZ-08: what is hidden is as what is not there in bodies and queries too, item by item",
        arguments: DatabaseKind.allCases,
        HiddenWorld.Reader.Kind.allCases
    )
    func nested(_ kind: DatabaseKind, _ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(kind, from: reader) { world in
            try await world.server().publicApplication.test(.router) { client in
                let values = try await world.values(client)
                for nested in world.nested {
                    let route = try #require(Self.routes.first { $0.name == nested.route }, "\(nested.route)")
                    for make in nested.calls {
                        func answer(_ value: String) async throws -> (status: Int, text: String) {
                            let answer = try await world.answer(client, route, values, make(value))
                            return (answer.status, answer.plain(without: value))
                        }
                        let (unseen, absent) = (try await answer(nested.hidden), try await answer(nested.missing))
                        #expect(unseen == absent, "\(nested.route) \(make(nested.hidden))")
                        #expect(absent.status < 500)
                    }
                }
            }
        }
    }

    @Test(
        "AUTHZ-05: what is read, counted and found is what is left when the hidden things are deleted",
        arguments: DatabaseKind.allCases,
        HiddenWorld.Reader.Kind.allCases
    )
    func equalsCopy(_ kind: DatabaseKind, _ reader: HiddenWorld.Reader.Kind) async throws {
        try await withHidden(kind, from: reader) { world in
            try await world.server().publicApplication.test(.router) { client in
                let values = try await world.values(client)
                let calls = HiddenCalls(secrets: world.secrets, values: values)
                let routes = Self.routes.filter { route in
                    (route.method == .get || Self.readsByBody.contains(route.name))
                        && !Self.tellsOfTime.contains { route.name.localizedStandardContains($0) }
                }
                func everything() async throws -> [String: String] {
                    var answers: [String: String] = [:]
                    for route in routes {
                        for call in calls.calls(of: route)
                        where call.body?.contains("hybrid") != true
                            && call.body?.contains("semantic") != true && call.headers.isEmpty
                        {
                            let answer = try await world.answer(client, route, values, call)
                            answers["\(route.name) \(call.query) \(call.body ?? "")"] = answer.steady
                        }
                    }
                    return answers
                }
                let seen = try await everything()
                try await world.secrets.delete(world.fixture)
                try await world.engines.index()
                let left = try await everything()
                #expect(seen.count == left.count && seen.count > 200, "\(seen.count)")
                for (call, answer) in seen.sorted(by: { $0.key < $1.key }) {
                    #expect(answer == left[call] ?? "", "\(call)")
                }
            }
        }
    }

    /// Routes that tell what was done when: deleting is something done. Vectors of short fields are there for who sees all
    /// of these, so that nearness differs.
    private static let tellsOfTime = [
        "history", "transaction", "webhook", "audit", "conversation", "messages", "run", "job", "similar",
        "chatCompletion", "searchStatus",
    ]

    private static let routes = RouteTable.standard.routes.filter { HiddenCalls.asked.contains($0.name) }
    private static let readsByBody: Set<String> = [
        "search", "findSimilar", "airtableListRecordsByBody", "checkPermissions", "createChatCompletion",
    ]

    private static func dialect(_ route: Route) -> String {
        let path = route.pattern.description
        return ["/v0/", "/api/v1/airtable"].first { path.hasPrefix($0) } ?? "/"
    }

    private static func isDeeper(_ left: Route, _ right: Route) -> Bool {
        left.pattern.segments.count > right.pattern.segments.count
    }
}
