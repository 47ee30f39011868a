import Domain
import LLM
import TestSupport
import Testing

@testable import Chat

@Suite("Following a run")
struct FollowTests {
    /// A run of many small pieces; each `pause` lets the writer in between.
    private static func long(_ pieces: Int) -> @Sendable (ScriptedPerformer.Stage) async throws -> EndReason {
        { stage in
            for number in 0..<pieces {
                try await stage.say("\(number) ")
                if number % 7 == 0 { await Task.yield() }
                if number % 50 == 0 { try await stage.emit(.usage(TokenUsage(output: number))) }
            }
            return .complete
        }
    }

    @Test("cut anywhere and taken up again, it gives exactly the rest", arguments: DatabaseKind.allCases)
    func resume(_ kind: DatabaseKind) async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        try await withChat(kind) { world in
            try await world.service(Self.long(2_000)).running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                async let whole = chat.events(of: run.id, world.context)
                var generator = SeededGenerator(seed: seed)
                let cuts = (0..<20).map { _ in Int.random(in: 1...40, using: &generator) }
                let pieced = Guarded<[ChatEvent]>([])
                for cut in cuts {
                    // The reader hangs up after so many events.
                    struct HungUp: Error {}
                    do {
                        let start = pieced.value.count
                        try await chat.follow(run.id, after: start, context: world.context) { new in
                            for event in new {
                                if pieced.value.count - start == cut { throw HungUp() }
                                pieced.update { $0.append(event) }
                            }
                        }
                        break
                    } catch is HungUp { continue }
                }
                if pieced.value.last?.kind.isLast != true {
                    let rest = try await chat.events(of: run.id, after: pieced.value.count, world.context)
                    pieced.update { $0 += rest }
                }
                let expected = try await whole
                #expect(pieced.value == expected, "seed \(seed)")
                #expect(expectWhole(expected) == (0..<2_000).map { "\($0) " }.joined())
            }
        }
    }

    @Test("any number of runs and followers at once: no gap, nothing twice", arguments: DatabaseKind.allCases)
    func concurrency(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            try await world.service(Self.long(300)).running { chat in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<24 {
                        group.addTask {
                            let asker = try await world.stranger()
                            let id = try await chat.conversation(asker)
                            let run = try await chat.send(
                                "x",
                                to: id,
                                parent: nil,
                                settings: ChatSettings(),
                                context: asker
                            )
                            async let one = chat.events(of: run.id, asker)
                            async let two = chat.events(of: run.id, after: 3, asker)
                            let (all, most) = try await (one, two)
                            expectWhole(all)
                            #expect(most == Array(all.dropFirst(3)))
                        }
                    }
                    try await group.waitForAll()
                }
            }
        }
    }

    @Test("who falls behind what is kept at hand reads from the store, and misses nothing")
    func slowReader() async throws {
        try await withChat { world in
            let released = OneShot()
            try await world.service { stage in
                // An event each: text alone would come together.
                for number in 1...600 { try await stage.emit(.usage(TokenUsage(output: number))) }
                released.signal()
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                let events = Guarded<[ChatEvent]>([])
                try await chat.follow(run.id, after: 0, context: world.context) { new in
                    events.update { $0 += new }
                    // The first batch is all it takes until the run has gone far ahead.
                    await released.wait()
                }
                expectWhole(events.value)
                #expect(events.value.count == 600 + 4)
            }
        }
    }

    @Test("events are in the store before anybody sees them", arguments: DatabaseKind.allCases)
    func storedFirst(_ kind: DatabaseKind) async throws {
        try await withChat(kind) { world in
            try await world.service(Self.long(200)).running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                try await chat.follow(run.id, after: 0, context: world.context) { new in
                    let stored = try await chat.run(run.id, context: world.context).lastSequence
                    #expect(stored >= new.last?.sequence ?? 0)
                }
            }
        }
    }

    @Test("a follower that goes away stops nothing")
    func disconnect() async throws {
        try await withChat { world in
            let gone = OneShot()
            try await world.service { stage in
                try await stage.say("before")
                await gone.wait()
                try await stage.say(" and after")
                return .complete
            }.running { chat in
                let id = try await chat.conversation(world.context)
                let run = try await chat.send(
                    "x",
                    to: id,
                    parent: nil,
                    settings: ChatSettings(),
                    context: world.context
                )
                let following = Task {
                    try await chat.follow(run.id, after: 0, context: world.context) { _ in
                        try await Task.sleep(for: .seconds(3_600))
                    }
                }
                following.cancel()
                await #expect(throws: CancellationError.self) { try await following.value }
                gone.signal()
                #expect(expectWhole(try await chat.events(of: run.id, world.context)) == "before and after")
            }
        }
    }
}
