import Domain
import Foundation
import Synchronization
import TestSupport
import Testing

@testable import Airtable

@Suite("A mirror under random edits and faults")
struct MirrorRandomTests {
    typealias Fixture = MirrorFixture

    private static let isLong = ProcessInfo.processInfo.environment["PYAIRTABLE_LONG"] == "1"
    private static let records = isLong ? 20_000 : 600
    private static let steps = isLong ? 4_000 : 150
    private static let seed =
        ProcessInfo.processInfo.environment["PYAIRTABLE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 1...99_999)

    @Test(
        "equals the hosted base in the end, whoever edited what, and whatever failed in between",
        arguments: DatabaseKind.allCases,
        [true, false]
    )
    func random(kind: DatabaseKind, hasWebhook: Bool) async throws {
        let faulty = Guarded(false)
        let seed = Self.seed
        let dice = Dice(seed: seed)
        try await withMirror(
            kind,
            fault: { _ in
                guard faulty.value else { return nil }
                switch dice.throwOne() {
                case 0..<3: return .status(500, body: "{}")
                case 3..<6: return .statusAfter(500)
                case 6..<9: return .cutBefore
                case 9..<12: return .cutAfter
                case 12..<14: return .status(429, body: "{}")
                default: return nil
                }
            }
        ) { mirror in
            mirror.upstream.setGivesWebhooks(hasWebhook)
            mirror.seed(Self.records)
            try await mirror.attach()
            faulty.value = true
            var edits = MirrorEdits(mirror: mirror, generator: SeededGenerator(seed: seed &+ 1))
            // The first pull is under faults and edits too.
            for step in 0..<Self.steps {
                try await edits.step()
                if step.isMultiple(of: 10) { await edits.tryRound(sweeps: false) }
            }
            faulty.value = false
            try await mirror.round(sweeps: true)
            try await mirror.expectInStep("seed \(seed), webhook \(hasWebhook)")
            #expect(edits.acknowledged > Self.steps / 4, "seed \(seed)")
            #expect(edits.roundsOver > 0, "seed \(seed)")
        }
    }
}

/// Numbers from 0 to 99, one after the other, whoever asks.
private final class Dice: Sendable {
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) { generator = Mutex(SeededGenerator(seed: seed)) }

    func throwOne() -> Int { generator.withLock { Int.random(in: 0..<100, using: &$0) } }
}

/// Edits of people at the service and through this store, as they come.
private struct MirrorEdits {
    let mirror: MirrorFixture
    var generator: SeededGenerator
    private(set) var acknowledged = 0
    private(set) var roundsOver = 0
    private var made = 0

    init(mirror: MirrorFixture, generator: SeededGenerator) {
        self.mirror = mirror
        self.generator = generator
    }

    mutating func tryRound(sweeps: Bool) async {
        do {
            try await mirror.round(sweeps: sweeps)
            roundsOver += 1
        } catch {
            // Faults end rounds; the next one goes on.
        }
    }

    mutating func step() async throws {
        let rows = mirror.upstream.rows(MirrorFixture.base.description)
        let ids = rows.compactMap { RecordID($0.id) }
        guard let id = ids.randomElement(using: &generator) else { return }
        let number = Int.random(in: 0..<1_000, using: &generator)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: there { $0[0].rows.removeAll { $0.id == id.description } }
        case 1, 2:
            there { tables in
                guard let row = tables[0].rows.firstIndex(where: { $0.id == id.description }) else { return }
                tables[0].rows[row].fields["Number"] = .number(JSONNumber(number))
                tables[0].rows[row].fields["Kind"] = number.isMultiple(of: 2) ? "red" : nil
            }
        case 3:
            made += 1
            let new = "recT" + String(repeating: "0", count: 13 - "\(made)".count) + "\(made)"
            there { tables in
                let fields: JSONObject = ["Name": .string("there \(number)")]
                tables[0].rows.append(.init(id: new, createdTime: "2024-07-01T00:00:00.000Z", fields: fields))
            }
        case 4, 5:
            await here { service, context in
                let update = RecordUpdate(id: id, fields: ["Name": .string("here \(number)"), "Kind": "blue"])
                _ = try await service.update([update], in: MirrorFixture.things, context: context)
            }
        case 6:
            let drafts = (0...(number % 12)).map { RecordDraft(fields: ["Name": .string("made \(number) \($0)")]) }
            await here { service, context in
                _ = try await service.create(drafts, in: MirrorFixture.things, context: context)
            }
        case 7:
            await here { service, context in
                try await service.delete([id], in: MirrorFixture.things, context: context)
            }
        case 8:
            let upsert = RecordUpsert(fields: ["Name": .string("there \(number)"), "Number": 1])
            await here { service, context in
                _ = try await service.upsert([upsert], mergeOn: ["Name"], in: MirrorFixture.things, context: context)
            }
        default:
            let updates = ids.shuffled(using: &generator).prefix(10).map { RecordUpdate(id: $0, fields: ["Number": 5]) }
            await here { service, context in
                _ = try await service.update(
                    updates,
                    in: MirrorFixture.things,
                    replacing: true,
                    context: context
                )
            }
        }
    }

    private func there(_ change: (inout [HostedStandIn.Table]) -> Void) {
        mirror.upstream.change(MirrorFixture.base.description, change)
    }

    private mutating func here(_ write: (AirtableService, RequestContext) async throws -> Void) async {
        do {
            try await write(mirror.service, mirror.context)
            acknowledged += 1
        } catch {
            // Uncertain, or refused since somebody there was faster: the end tells whether the mirror knows.
        }
    }
}
