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

    @Test("each wait is random between nothing and its ceiling, which ends growing", arguments: 0..<50 as Range<UInt64>)
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

    @Test("no wait reaches over the deadline")
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

@Suite("Retrying transport")
struct RetryingTransportTests {
    private let time = ManualClock()

    private func transport(_ outcomes: [ScriptedTransport.Outcome]) -> (ScriptedTransport, RetryingTransport) {
        let base = ScriptedTransport(outcomes)
        let retrier = Retrier(policy: RetryPolicy(attemptsMax: 4), clock: time.clock, random: { 0.5 })
        return (base, RetryingTransport(base, retrier: retrier, clock: time.clock))
    }

    private let request = OutboundRequest(.post, "http://127.0.0.1:1/x")

    @Test("busy replies and lost connections are sent again", arguments: [408, 429, 500, 502, 503, 504])
    func transient(_ status: Int) async throws {
        let (base, retrying) = transport([
            .reply(status), .failure(.cannotConnect), .failure(.connectionLost), .reply(200, "ok"),
        ])
        let reply = try await retrying.send(request)
        #expect(reply.status == 200)
        #expect(try await reply.body.collect(bytesMax: 10) == Array("ok".utf8))
        #expect(base.count == 4)
    }

    @Test(
        "what the caller did wrong is not, and its body is still there to read",
        arguments: [400, 401, 403, 404, 422, 501]
    )
    func permanent(_ status: Int) async throws {
        let (base, retrying) = transport([.reply(status, "why")])
        let reply = try await retrying.send(request)
        #expect(reply.status == status)
        #expect(try await reply.body.collect(bytesMax: 10) == Array("why".utf8))
        #expect(base.count == 1)
    }

    @Test("the last refusal is handed over, body and all")
    func lastRefusal() async throws {
        let (base, retrying) = transport(Array(repeating: .reply(503, "later"), count: 4))
        let reply = try await retrying.send(request)
        #expect(reply.status == 503)
        #expect(try await reply.body.collect(bytesMax: 10) == Array("later".utf8))
        #expect(base.count == 4)
    }

    @Test("Retry-After is honoured; without sense it is passed over")
    func retryAfter() async throws {
        let (_, retrying) = transport([
            .reply(429, "", [("retry-after", "7")]), .reply(429, "", [("retry-after", "soon")]), .reply(200, "ok"),
        ])
        _ = try await retrying.send(request)
        #expect(time.waits == [.milliseconds(7_250), .milliseconds(500)])
    }

    @Test("the deadline of the whole call includes the waits")
    func total() async throws {
        let (base, retrying) = transport(Array(repeating: .reply(503, "", [("retry-after", "20")]), count: 4))
        var request = request
        request.deadlines.total = .seconds(50)
        #expect(try await retrying.send(request).status == 503)
        #expect(base.count == 3)
        #expect(base.totals.map { $0.components.seconds } == [50, 29, 9])
    }

    @Test("a call that failed for good throws what it failed with")
    func failure() async {
        let (base, retrying) = transport([.failure(.connectionLost), .failure(.replyTooLarge)])
        await #expect(throws: OutboundError(.replyTooLarge, "")) { try await retrying.send(request) }
        #expect(base.count == 2)
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
    var totals: [Duration] { state.value.requests.map(\.deadlines.total) }

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
