import Access
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Proposed changes of a hosted base")
struct HostedProposalTests {
    typealias Fixture = MirrorFixture

    @Test("are told against what is there, say what cannot be known, and are written once agreed to")
    func writes() async throws {
        try await withMirror(.sqlite) { mirror in
            let ids = mirror.seed(12)
            try await mirror.attach(.hosted)
            let (service, context) = (mirror.service, mirror.context)
            let update = ProposedOperation.update(
                [RecordUpdate(id: ids[0], fields: ["Name": "x"])],
                in: Fixture.things,
                typecast: false
            )
            let stale = try await service.propose(update, context: context)
            #expect(!stale.isExact && stale.notes.count == 2 && stale.isDestructive)
            #expect(stale.changes.map(\.title) == ["n1"])
            #expect(stale.changes.first?.cells.map { [$0.before, $0.after] } == [["n1", "x"]])
            #expect(try await service.propose(update, context: context).hash == stale.hash)
            let other = RecordUpdate(id: ids[0], fields: ["Number": 77])
            _ = try await service.update([other], in: Fixture.things, context: context)
            await #expect(throws: ProposalError.stale([ids[0]])) {
                _ = try await service.apply(stale, context: context)
            }
            #expect(try await service.record(ids[0], in: Fixture.things, context: context).cells.count > 0)
            let fresh = try await service.propose(update, context: context)
            let applied = try await service.apply(fresh, context: context)
            #expect(applied.transaction == nil && applied.outcome.records == [ids[0]])
            let deletion = ProposedOperation.delete(Array(ids.suffix(11)), in: Fixture.things)
            let gone = try await service.propose(deletion, context: context)
            #expect(gone.count(.deleted) == 11)
            _ = try await service.apply(gone, context: context)
            #expect(try await service.recordCount(in: Fixture.things, context: context) == 1)
            await expectFailure(.rowDoesNotExist) { try await service.propose(deletion, context: context) }
        }
    }

    @Test("an upsert is taken for one that overwrites, for only the service knows what it finds")
    func upserts() async throws {
        try await withMirror(.sqlite) { mirror in
            _ = mirror.seed(2)
            try await mirror.attach(.hosted)
            let (service, context) = (mirror.service, mirror.context)
            let proposal = try await service.propose(
                .upsert(
                    [RecordUpsert(fields: ["Name": "n1", "Number": 5]), RecordUpsert(fields: ["Name": "new"])],
                    mergeOn: ["Name"],
                    in: Fixture.things,
                    typecast: false
                ),
                context: context
            )
            #expect(proposal.isDestructive && proposal.notes.count == 3)
            let outcome = try await service.apply(proposal, context: context).outcome
            #expect(outcome.records.count == 2 && outcome.created.count == 1 && outcome.found.count == 1)
        }
    }

    @Test("fields that are not there and addresses of files are refused before anything is sent")
    func refusals() async throws {
        try await withMirror(.sqlite) { mirror in
            _ = mirror.seed(1)
            try await mirror.attach(.hosted)
            let (service, context) = (mirror.service, mirror.context)
            await expectFailure(.unknownFieldName) {
                try await service.propose(
                    .create([RecordDraft(fields: ["Nam": "x"])], in: Fixture.things, typecast: false),
                    context: context
                )
            }
        }
    }
}
