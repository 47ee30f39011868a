import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Bases of a token, before their mirrors are whole")
struct FillingMirrorTests {
    typealias Fixture = MirrorFixture

    private static let second = BaseID("appBBBBBBBBBBBBBB")!
    private static let notes = HostedStandIn.Table(
        id: "tblCCCCCCCCCCCCCC",
        name: "Notes",
        fields: [Fixture.field("N", "Note", "singleLineText")]
    )

    private func addSecond(_ mirror: MirrorFixture) {
        mirror.upstream.add(base: Self.second.description, name: "Second", [Self.notes])
    }

    @Test(
        "all come at once, with one list and a schema each; those that are known stay",
        arguments: DatabaseKind.allCases
    )
    func all(kind: DatabaseKind) async throws {
        try await withMirror(kind) { mirror in
            addSecond(mirror)
            let (service, context) = (mirror.service, mirror.context)
            let found = try await service.attachAll(home: .mirrored, context: context)
            #expect(Set(found.attached.map(\.id)) == [Fixture.base, Self.second] && found.problems.isEmpty)
            #expect(mirror.upstream.arrivals.count == 3)
            #expect(try await service.tables(in: Self.second, context: context).map(\.name) == ["Notes"])
            // One of them gets another home, which a second look leaves it.
            _ = try await service.attach(Self.second, home: .hosted, context: context)
            let asked = mirror.upstream.arrivals.count
            let again = try await service.attachAll(home: .mirrored, context: context)
            #expect(again.attached.isEmpty && again.problems.isEmpty)
            #expect(mirror.upstream.arrivals.count == asked + 1)
            let homes = try await service.hostedBases(context: context).map(\.home)
            #expect(homes == [.mirrored, .hosted])
        }
    }

    @Test(
        "a base that cannot be read is left out, and comes later; when none can, it is an error",
        arguments: DatabaseKind.allCases
    )
    func problems(kind: DatabaseKind) async throws {
        let refused = Guarded<Set<Int>>([2])
        let fault: @Sendable (Int) -> HostedStandIn.Fault? = { number in
            refused.value.contains(number) ? .status(403, body: #"{"error":{"type":"INVALID_PERMISSIONS"}}"#) : nil
        }
        try await withMirror(kind, fault: fault) { mirror in
            addSecond(mirror)
            let (service, context) = (mirror.service, mirror.context)
            let found = try await service.attachAll(home: .mirrored, context: context)
            #expect(found.attached.count == 1 && found.problems.count == 1)
            #expect(found.problems.first?.base != found.attached.first?.id)
            let again = try await service.attachAll(home: .mirrored, context: context)
            #expect(again.attached.map(\.id) == found.problems.map(\.base))
            for base in [Fixture.base, Self.second] { try await service.detach(base, context: context) }
            let asked = mirror.upstream.arrivals.count
            refused.value = [asked + 2, asked + 3]
            await #expect(throws: AirtableError.self) {
                _ = try await service.attachAll(home: .mirrored, context: context)
            }
        }
    }

    @Test(
        "until the first pull is over every read is the service's, whole; from then on the copy's",
        arguments: DatabaseKind.allCases
    )
    func filling(kind: DatabaseKind) async throws {
        let fails = Guarded(false)
        let fault: @Sendable (Int) -> HostedStandIn.Fault? = { _ in fails.value ? .status(401, body: "{}") : nil }
        try await withMirror(kind, fault: fault) { mirror in
            let (service, context) = (mirror.service, mirror.context)
            let ids = mirror.seed(120)
            try await mirror.attach()
            func check(_ comment: Comment, asksService: Bool) async throws {
                let asked = mirror.upstream.arrivals.count
                let page = try await service.records(
                    in: Fixture.things,
                    page: RecordPageRequest(limit: 100),
                    context: context
                )
                #expect(page.records.count == 100, comment)
                #expect(try await service.recordCount(in: Fixture.things, context: context) == 120, comment)
                let one = try await service.record(ids[119], in: Fixture.things, context: context)
                #expect(one.id == ids[119], comment)
                #expect((mirror.upstream.arrivals.count > asked) == asksService, comment)
            }
            try await check("nothing is here", asksService: true)
            // A pull that broke off has a part of it here.
            let pulled = Guarded(0)
            mirror.transport.hook.value = { target in
                guard target.hasPrefix("\(Fixture.base)/\(Fixture.things)") else { return }
                pulled.value += 1
                if pulled.value == 1 { fails.value = true }
            }
            await #expect(throws: AirtableError.self) { try await mirror.round() }
            mirror.transport.hook.value = nil
            fails.value = false
            let state = try await service.hostedBases(context: context)[0].state
            #expect(!state.isPulled && state[Fixture.things].pulled == 100)
            service.client.forget(Fixture.base)
            try await check("a part is here", asksService: true)
            try await mirror.round()
            service.client.forget(Fixture.base)
            try await check("all is here", asksService: false)
            // The server's own work never asks: it follows what is stored.
            try await service.detach(Fixture.base, context: context)
            try await mirror.attach()
            service.client.forget(Fixture.base)
            try await check("it is another mirror", asksService: true)
        }
    }
}

extension AirtableService {
    fileprivate var client: HostedClient {
        guard let upstream else { preconditionFailure("a service without an upstream") }
        return upstream.client
    }
}
