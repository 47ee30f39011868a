import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Whether a place exists for somebody")
struct PlaceTests {
    @Test(
        "AUTHZ-03: what is seen is there, what is hidden is missing like what is not there",
        arguments: DatabaseKind.allCases
    )
    func places(_ kind: DatabaseKind) async throws {
        try await withStore(kind) { store in
            let world = try await RecordRuleTests.World(store)
            let (context, base, tasks) = (store.context, world.tasks.base, world.tasks.id)
            let (owner, mail) = (try #require(world.tasks.field("Owner")), try #require(world.tasks.field("Mail")))
            var views: [ViewID] = []
            for draft in [ViewDraft(name: "Plain"), ViewDraft(name: "By mail", filter: "{Mail}='x'")] {
                views.append(try await store.service.createView(draft, in: tasks, context: context).id)
            }
            let other = try await store.service.createBase(name: "Other", tables: [], context: context).base.id
            var sight = Reach(tasks, store.rule(allowing: ["{Title}='Mine'"]))
            sight.excludedFields = [tasks: [mail.id]]
            sight.excludedTables = [world.projects.id]
            sight.excludedBases = [other]
            let masked = store.masked(sight)
            let seen: [Resource] = [
                .tenant, .base(base), .table(tasks, base), .field(owner.id, tasks, base), .view(views[0], tasks, base),
                .record(world.mine, tasks, base),
            ]
            for place in seen { try await masked.checkSeen(place, context: context) }
            let hidden: [(Resource, missing: Resource)] = [
                (.base(other), .base(.random())), (.table(world.projects.id, base), .table(.random(), base)),
                (.table(tasks, other), .table(tasks, .random())),
                (.field(mail.id, tasks, base), .field(.random(), tasks, base)),
                (.view(views[1], tasks, base), .view(.random(), tasks, base)),
                (.record(world.theirs, tasks, base), .record(.random(), tasks, base)),
                (.record(world.open, world.projects.id, base), .record(.random(), .random(), base)),
            ]
            for (place, missing) in hidden {
                let answers = [
                    try await Self.refusal(masked, place, context), try await Self.refusal(masked, missing, context),
                ]
                #expect(answers[0] != nil && answers[0] == answers[1], "\(place)")
                // It is there for who sees all, but for the table that is in another base.
                if place != .table(tasks, other) { try await store.service.checkSeen(place, context: context) }
            }
        }
    }

    /// What is answered for a place that is missing.
    private static func refusal(
        _ service: AirtableService,
        _ place: Resource,
        _ context: RequestContext
    ) async throws -> String? {
        do { try await service.checkSeen(place, context: context) } catch let error as AirtableError {
            return error.kind == .notFound ? "\(error.code) \(error.message) \(error.hint ?? "")" : "\(error)"
        }
        return nil
    }
}
