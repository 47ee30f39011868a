import Domain
import TestSupport
import Testing

@testable import Outbound

private struct Trouble: Error, Equatable { var number = 0 }

@Suite("Retries")
struct RetryTests {
    private let time = ManualClock()

    private func retrier(
        _ policy: RetryPolicy = RetryPolicy(delayBase: .seconds(1), delayMax: .seconds(8)),
        budget: RetryBudget? = nil,
        random: Double = 0.5
    ) -> Retrier {
        Retrier(policy: policy, budget: budget, clock: time.clock, random: { random })
    }

    @Test("tries again until it works, with waits that double")
    func doubling() async throws {
        let value = try await retrier().run(verdict: { _ in .retry(after: nil) }) { attempt in
            if attempt < 5 { throw Trouble(number: attempt) }
            return attempt
        }
        #expect(value == 5)
        #expect(time.waits == [.milliseconds(500), .seconds(1), .seconds(2), .seconds(4)])
    }

    @Test(
        "GW-11: each wait is random between nothing and its ceiling, which ends growing",
        arguments: 0..<50 as Range<UInt64>
    )
    func fullJitter(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let policy = RetryPolicy(attemptsMax: 100, delayBase: .milliseconds(100), delayMax: .seconds(10))
        for attempt in 1..<100 {
            let delay = try #require(
                policy.delay(after: attempt, hint: nil, random: Double.random(in: 0..<1, using: &random))
            )
            let ceiling = min(.seconds(10), Duration.milliseconds(100) * (1 << min(attempt - 1, 20)))
            #expect(delay >= .zero && delay < ceiling, "seed \(seed), attempt \(attempt)")
        }
        #expect(policy.delay(after: 3, hint: nil, random: 0) == .zero)
    }

    @Test("the last error is what is thrown when attempts are used up")
    func attempts() async {
        await #expect(throws: Trouble(number: 5)) {
            try await retrier().run(verdict: { _ in .retry(after: nil) }) { throw Trouble(number: $0) }
        }
        #expect(time.waits.count == 4)
    }

    @Test("what would fail again is not tried again")
    func giveUp() async {
        await #expect(throws: Trouble(number: 1)) {
            try await retrier().run(verdict: { _ in .giveUp }) { throw Trouble(number: $0) }
        }
        #expect(time.waits.isEmpty)
    }

    @Test("a hint of the upstream is a lower bound; a hint beyond all patience ends the trying")
    func hints() async throws {
        let value = try await retrier().run(verdict: { _ in .retry(after: .seconds(40)) }) { attempt in
            if attempt == 1 { throw Trouble() }
            return attempt
        }
        #expect(value == 2)
        #expect(time.waits == [.milliseconds(40_500)])
        await #expect(throws: Trouble(number: 1)) {
            try await retrier().run(verdict: { _ in .retry(after: .seconds(3_600)) }) { throw Trouble(number: $0) }
        }
    }

    @Test("GW-11: no wait reaches over the deadline")
    func deadline() async {
        await #expect(throws: Trouble(number: 3)) {
            try await retrier().run(deadline: time.now + .seconds(3), verdict: { _ in .retry(after: nil) }) {
                throw Trouble(number: $0)
            }
        }
        #expect(time.waits == [.milliseconds(500), .seconds(1)])
    }

    @Test("a cancellation is passed on, whatever the verdict")
    func cancellation() async {
        await #expect(throws: CancellationError.self) {
            try await retrier().run(verdict: { _ in .retry(after: nil) }) { _ in throw CancellationError() }
        }
        #expect(time.waits.isEmpty)
    }

    @Test("retries are at most a tenth of the calls of the last minute, above a small floor")
    func budget() {
        let budget = RetryBudget(share: 0.1, floor: 3, clock: time.clock)
        for _ in 0..<100 { budget.noteCall() }
        #expect((0..<20).filter { _ in budget.takeRetry() }.count == 10)
        time.advance(by: .seconds(59))
        #expect(!budget.takeRetry())
        time.advance(by: .seconds(10))
        #expect((0..<20).filter { _ in budget.takeRetry() }.count == 3)
    }

    @Test("a budget that is used up ends the trying with the error itself")
    func usedUp() async {
        let budget = RetryBudget(floor: 2, clock: time.clock)
        await #expect(throws: Trouble(number: 3)) {
            try await retrier(budget: budget).run(verdict: { _ in .retry(after: nil) }) { throw Trouble(number: $0) }
        }
        #expect(time.waits.count == 2)
    }
}

@Suite("What replies say about trying again")
struct RetryHintTests {
    @Test(
        "Retry-After counts in seconds; without sense it is passed over",
        arguments: [
            ("7", Duration.seconds(7)), ("0", .zero), ("1.5", .milliseconds(1_500)), ("soon", nil), ("-1", nil),
            ("1e12", .seconds(1_000_000_000)), ("inf", nil), ("", nil),
        ]
    )
    func retryAfter(_ text: String, _ wait: Duration?) {
        #expect(RetryHints.retryAfter([("date", "3"), ("retry-after", text)]) == wait)
        #expect(RetryHints.retryAfter([("date", "3")]) == nil)
    }

    @Test(
        "Retry-After may be a date in any of the three forms of HTTP; one that is past means at once",
        arguments: [
            ("Wed, 21 Oct 2026 07:28:30 GMT", Duration.seconds(30)),
            ("Wednesday, 21-Oct-26 07:29:00 GMT", .seconds(60)),
            ("Wed Oct 21 07:28:01 2026", .seconds(1)), ("Wed, 21 Oct 2026 07:27:59 GMT", .zero),
            ("Wed, 32 Oct 2026 07:28:30 GMT", nil), ("Wed, 21 Okt 2026 07:28:30 GMT", nil),
            ("Wed, 21 Oct 2026 7:28:30 GMT", nil), ("Wed, 21 Oct 2026 24:28:30 GMT", nil),
            ("Wed, 21 Oct 2026 07:28:30", nil), ("Wed, 21 Oct 2026 07:28:30 CET", nil),
        ]
    )
    func retryAfterDate(_ text: String, _ wait: Duration?) throws {
        let now = try #require(Instant(iso8601: "2026-10-21T07:28:00Z"))
        #expect(RetryHints.retryAfter([("retry-after", text)], now: now) == wait)
        // The reply's own clock counts where it has one: here it is an hour ahead of ours.
        let behind = Instant(microseconds: now.microseconds - 3_600_000_000)
        let own = ("date", "Wed, 21 Oct 2026 07:28:00 GMT")
        #expect(RetryHints.retryAfter([own, ("retry-after", text)], now: behind) == wait)
    }

    @Test("calls that may never have arrived are made again, others are not")
    func failures() {
        for code in [OutboundError.Code.cannotConnect, .connectionLost, .noReply] {
            #expect(RetryHints.verdict(on: OutboundError(code, "")) == .retry(after: nil))
        }
        for code in [OutboundError.Code.addressRefused, .stalled, .timedOut, .replyTooLarge, .circuitOpen] {
            #expect(RetryHints.verdict(on: OutboundError(code, "")) == .giveUp)
        }
    }
}

/// Answers in turn with what it was given.
final class ScriptedTransport: HTTPTransport {
    enum Outcome: Sendable {
        case reply(Int, String = "", [(name: String, value: String)] = [])
        case failure(OutboundError.Code)
    }

    private let state: Guarded<(outcomes: [Outcome], requests: [OutboundRequest])>

    init(_ outcomes: [Outcome]) { state = Guarded((outcomes, [])) }

    var count: Int { state.value.requests.count }

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let next = Guarded<Outcome?>(nil)
        state.update { state in
            state.requests.append(request)
            next.value = state.outcomes.isEmpty ? nil : state.outcomes.removeFirst()
        }
        switch next.value {
        case .reply(let status, let body, let headers):
            return OutboundReply(status: status, headers: headers, body: OutboundBody(Array(body.utf8)))
        case .failure(let code): throw OutboundError(code, "scripted")
        case nil: throw TestSupportError("the script is over")
        }
    }
}
