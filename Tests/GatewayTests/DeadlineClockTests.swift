import Domain
import Foundation
import TestSupport
import Testing

@testable import Gateway

@Suite("Deadlines of requests")
struct DeadlineClockTests {
    @Test("an alarm goes off once, in its time; a removed one never")
    func alarms() async throws {
        let clock = DeadlineClock()
        let calls = Guarded<[String]>([])
        _ = clock.add(.now) { calls.update { $0.append("due") } }
        let removed = clock.add(.now) { calls.update { $0.append("removed") } }
        clock.remove(removed)
        let late = clock.add(.now + .seconds(3_600)) { calls.update { $0.append("late") } }
        try await eventually("what is due is called") { calls.value == ["due"] }
        #expect(clock.isTicking)
        clock.remove(late)
        try await eventually("it rests when there is nothing to wait for") { !clock.isTicking }
        _ = clock.add(.now) { calls.update { $0.append("again") } }
        try await eventually("and wakes again") { calls.value == ["due", "again"] }
    }

    @Test("work that takes too long is cancelled, waited for, and answered as timed out")
    func late() async throws {
        let seen = Guarded(false)
        let failure = await #expect(throws: GatewayError.self) {
            try await RequestDeadline.run(until: .now + .milliseconds(20)) {
                try? await Task.sleep(for: .seconds(3_600))
                seen.value = Task.isCancelled
            }
        }
        #expect(failure?.code == .timedOut && seen.value)
    }

    @Test("work of a client that goes is cancelled, waited for, and given up", arguments: [true, false])
    func gone(isGoneBefore: Bool) async throws {
        let client = ClientPresence()
        if isGoneBefore { client.end() }
        let seen = Guarded(false)
        let failure = await #expect(throws: GatewayError.self) {
            try await RequestDeadline.run(until: .now + .seconds(3_600), for: client) {
                if !isGoneBefore { client.end() }
                try? await Task.sleep(for: .seconds(3_600))
                seen.value = Task.isCancelled
            }
        }
        #expect(failure?.code == .clientGone && seen.value)
    }

    @Test("a connection that lives on keeps nothing of requests that were answered", arguments: Place.allCases)
    func keepsNothing(place: Place) async throws {
        let client = ClientPresence()
        for waits in [false, true, false] {
            try await RequestDeadline.run(until: .now + .seconds(60), for: client, beginning: place.value) {
                if waits { await Task.yield() }
            }
        }
        #expect(client.listenerCount == 0)
    }

    @Test("what is begun here and never waits is done by the thread that asks")
    func here() async throws {
        let caller = Guarded<UInt64>(0)
        let asker = Task.begunHere {
            let mine = Self.thread
            caller.value = try await RequestDeadline.run(until: .now + .seconds(60), beginning: .here) { Self.thread }
            return mine
        }
        #expect(try await asker.value == caller.value)
    }

    private static var thread: UInt64 { UInt64(pthread_self()) }

    enum Place: CaseIterable {
        case here, elsewhere

        var value: RequestDeadline.Place { self == .here ? .here : .elsewhere }
    }

    @Test("whoever waits may be cancelled, and the work with them")
    func cancelled() async throws {
        let began = Guarded(false)
        let outer = Task {
            try await RequestDeadline.run(until: .now + .seconds(3_600)) {
                began.value = true
                try await Task.sleep(for: .seconds(3_600))
            }
        }
        try await eventually("it works") { began.value }
        outer.cancel()
        await #expect(throws: CancellationError.self) { try await outer.value }
    }
}
