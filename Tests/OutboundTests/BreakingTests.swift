import TestSupport
import Testing

@testable import Outbound

@Suite("Circuit")
struct CircuitTests {
    private let policy = CircuitState.Policy(failuresMax: 3, openBase: .seconds(5), openMax: .seconds(15))
    private let start = ContinuousClock.now

    private func opened() -> CircuitState {
        var circuit = CircuitState(policy: policy)
        for _ in 0..<3 {
            #expect(circuit.admit(at: start) == .go)
            circuit.note(.failure, of: .go, at: start)
        }
        return circuit
    }

    @Test("GW-11: opens after so many failures in a row, and says when to come back")
    func opens() {
        var circuit = opened()
        #expect(circuit.admit(at: start + .seconds(2)) == .refused(retryAfter: .seconds(3)))
    }

    @Test("a success between failures begins the count anew; what says nothing changes nothing")
    func counting() {
        var circuit = CircuitState(policy: policy)
        for outcome in [CircuitState.Outcome.failure, .failure, .success, .failure, .unknown, .failure] {
            circuit.note(outcome, of: .go, at: start)
        }
        #expect(circuit.admit(at: start) == .go)
        circuit.note(.failure, of: .go, at: start)
        #expect(circuit.admit(at: start) != .go)
    }

    @Test("after a while one probe goes through, and only one")
    func probe() {
        var circuit = opened()
        #expect(circuit.admit(at: start + .seconds(5)) == .probe)
        #expect(circuit.admit(at: start + .seconds(5)) == .refused(retryAfter: .seconds(5)))
        circuit.note(.success, of: .probe, at: start + .seconds(6))
        #expect(circuit.admit(at: start + .seconds(6)) == .go)
        #expect(circuit.isAtRest)
    }

    @Test("a probe that fails opens it for twice as long, up to a bound")
    func reopening() {
        var circuit = opened()
        var now = start
        for seconds in [5, 10, 15, 15] {
            #expect(circuit.admit(at: now + .seconds(seconds) - .milliseconds(1)) != .probe)
            now += .seconds(seconds)
            #expect(circuit.admit(at: now) == .probe)
            circuit.note(.failure, of: .probe, at: now)
        }
    }

    @Test("a probe that was cancelled lets the next call try")
    func cancelledProbe() {
        var circuit = opened()
        #expect(circuit.admit(at: start + .seconds(5)) == .probe)
        circuit.note(.unknown, of: .probe, at: start + .seconds(5))
        #expect(circuit.admit(at: start + .seconds(5)) == .probe)
    }

    @Test("calls that began before it opened neither close it nor keep it open")
    func lateOutcomes() {
        var circuit = opened()
        circuit.note(.success, of: .go, at: start + .seconds(1))
        #expect(circuit.admit(at: start + .seconds(1)) != .go)
        #expect(circuit.admit(at: start + .seconds(5)) == .probe)
        circuit.note(.success, of: .go, at: start + .seconds(5))
        #expect(circuit.admit(at: start + .seconds(5)) == .refused(retryAfter: .seconds(5)))
    }
}

@Suite("Circuit breaking transport")
struct CircuitBreakingTests {
    private let time = ManualClock()

    @Test("an upstream that fails is left alone, another one is not")
    func perUpstream() async throws {
        let breakers = CircuitBreakers(policy: CircuitState.Policy(failuresMax: 2), clock: time.clock)
        let base = ScriptedTransport([.reply(503), .failure(.cannotConnect), .reply(200), .reply(200), .reply(200)])
        let transport = CircuitBreakingTransport(base, breakers: breakers)
        let bad = OutboundRequest(.get, "http://bad.example/")
        #expect(try await transport.send(bad).status == 503)
        await #expect(throws: OutboundError(.cannotConnect, "")) { try await transport.send(bad) }
        await #expect(throws: OutboundError(.circuitOpen, "")) { try await transport.send(bad) }
        #expect(base.count == 2)
        #expect(try await transport.send(OutboundRequest(.get, "http://good.example/")).status == 200)
        time.advance(by: .seconds(5))
        #expect(try await transport.send(bad).status == 200)
        #expect(try await transport.send(bad).status == 200)
    }

    @Test("replies that are the caller's fault are no failures")
    func callersFault() async throws {
        let breakers = CircuitBreakers(policy: CircuitState.Policy(failuresMax: 1), clock: time.clock)
        let base = ScriptedTransport([.reply(400), .reply(404), .reply(429), .reply(200)])
        let transport = CircuitBreakingTransport(base, breakers: breakers)
        for status in [400, 404, 429, 200] {
            #expect(try await transport.send(OutboundRequest(.get, "http://a.example/")).status == status)
        }
    }

    @Test("a circuit can be opened by hand")
    func byHand() async throws {
        let breakers = CircuitBreakers(clock: time.clock)
        breakers.open("a.example:80", for: .seconds(60))
        #expect(throws: OutboundError(.circuitOpen, "")) { try breakers.admit("a.example:80") }
        time.advance(by: .seconds(60))
        #expect(try breakers.admit("a.example:80") == .probe)
    }
}

@Suite("Limit of calls at once")
struct ConcurrencyLimitTests {
    @Test("never more than so many run, and all get their turn")
    func bound() async throws {
        let limit = ConcurrencyLimit(runningMax: 3)
        let running = Guarded((now: 0, most: 0, done: 0))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<200 {
                group.addTask {
                    try await limit.run {
                        running.update { state in
                            state.now += 1
                            state.most = max(state.most, state.now)
                        }
                        for _ in 0..<5 { await Task.yield() }
                        running.update { state in
                            state.now -= 1
                            state.done += 1
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        #expect(running.value.done == 200)
        #expect(running.value.most <= 3)
    }

    @Test("GW-11: past the bound of those who wait, callers are turned away")
    func queue() async throws {
        let limit = ConcurrencyLimit(runningMax: 1, waitingMax: 0)
        let permit = try await limit.enter()
        await #expect(throws: OutboundError(.circuitOpen, "")) { try await limit.enter() }
        permit.release()
        permit.release()
        let next = try await limit.enter()
        await #expect(throws: OutboundError(.circuitOpen, "")) { try await limit.enter() }
        next.release()
    }

    @Test("who is cancelled while waiting leaves the queue, and takes no place")
    func cancellation() async throws {
        let limit = ConcurrencyLimit(runningMax: 1)
        let permit = try await limit.enter()
        let waiting = Task { try await limit.enter() }
        waiting.cancel()
        await #expect(throws: CancellationError.self) { try await waiting.value }
        permit.release()
        try await limit.run {}
    }

    @Test("a call holds its place until its body is read, or let go", arguments: [true, false])
    func body(_ isRead: Bool) async throws {
        let limit = ConcurrencyLimit(runningMax: 1, waitingMax: 0)
        let transport = LimitedTransport(ScriptedTransport([.reply(200, "one"), .reply(200, "two")]), limit: limit)
        let request = OutboundRequest(.get, "http://127.0.0.1:1/")
        do {
            let reply = try await transport.send(request)
            await #expect(throws: OutboundError(.circuitOpen, "")) { try await transport.send(request) }
            if isRead { #expect(try await reply.body.collect(bytesMax: 10) == Array("one".utf8)) }
        }
        #expect(try await transport.send(request).status == 200)
    }
}
