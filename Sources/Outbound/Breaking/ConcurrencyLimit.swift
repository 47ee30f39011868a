import Domain
import Synchronization

/// Lets only so many calls to an upstream run at once; the others wait in the order they came.
public final class ConcurrencyLimit: Sendable {
    /// The right to run; given back by `release()`, or when nobody holds it any more.
    public final class Permit: Sendable {
        private let owner: OneTime<ConcurrencyLimit>

        fileprivate init(_ owner: ConcurrencyLimit) { self.owner = OneTime(owner) }

        public func release() { owner.take()?.leave() }

        deinit { release() }
    }

    private struct State {
        var running = 0
        var nextTicket = 0
        /// In order of arrival.
        var waiting: [(ticket: Int, continuation: CheckedContinuation<Void, any Error>)] = []
        /// Gave up before they waited.
        var cancelled: Set<Int> = []
    }

    private let state = Mutex(State())
    private let runningMax: Int
    private let waitingMax: Int

    /// - Parameter waitingMax: past it, callers are turned away.
    public init(runningMax: Int, waitingMax: Int = 1_024) {
        precondition(runningMax > 0 && waitingMax >= 0, "\(runningMax) running, \(waitingMax) waiting")
        self.runningMax = runningMax
        self.waitingMax = waitingMax
    }

    /// Waits for a place.
    ///
    /// - Throws: `circuitOpen` when too many wait already; `CancellationError`.
    public func enter() async throws -> Permit {
        let ticket = state.withLock { state in
            state.nextTicket += 1
            return state.nextTicket
        }
        // A cancellation that came as the place was given leaves its mark behind.
        defer { state.withLock { _ = $0.cancelled.remove(ticket) } }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { wait($0, ticket: ticket) }
        } onCancel: {
            cancel(ticket)
        }
        return Permit(self)
    }

    /// Runs `operation` with a place.
    public func run<Value>(
        isolation: isolated (any Actor)? = #isolation,
        _ operation: () async throws -> Value
    ) async throws -> Value {
        let permit = try await enter()
        defer { permit.release() }
        return try await operation()
    }

    private func wait(_ continuation: CheckedContinuation<Void, any Error>, ticket: Int) {
        let result: Result<Void, any Error>? = state.withLock { state in
            if state.cancelled.remove(ticket) != nil { return .failure(CancellationError()) }
            if state.running < runningMax {
                state.running += 1
                return .success(())
            }
            guard state.waiting.count < waitingMax else {
                return .failure(OutboundError(.circuitOpen, "\(waitingMax) calls wait already for this upstream"))
            }
            state.waiting.append((ticket, continuation))
            return nil
        }
        if let result { continuation.resume(with: result) }
    }

    private func cancel(_ ticket: Int) {
        let continuation = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard let position = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                state.cancelled.insert(ticket)
                return nil
            }
            return state.waiting.remove(at: position).continuation
        }
        continuation?.resume(throwing: CancellationError())
    }

    private func leave() {
        let next = state.withLock { state -> CheckedContinuation<Void, any Error>? in
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return nil
            }
            return state.waiting.removeFirst().continuation
        }
        next?.resume()
    }
}

/// Holds a place of `ConcurrencyLimit` for each call, until its body is read or let go.
public struct LimitedTransport: HTTPTransport {
    private let base: any HTTPTransport
    private let limit: ConcurrencyLimit

    public init(_ base: any HTTPTransport, limit: ConcurrencyLimit) {
        self.base = base
        self.limit = limit
    }

    public func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let permit = try await before(
            ContinuousClock.now + request.deadlines.firstByte,
            else: OutboundError(
                .noReply,
                "no place was free for another call within \(request.deadlines.firstByte)"
            )
        ) { try await limit.enter() }
        let reply = try await base.send(request)
        return OutboundReply(status: reply.status, headers: reply.headers, body: reply.body.holding(permit))
    }
}

extension OutboundBody {
    /// The same body; `permit` is given back at its end, or when nobody holds body and iterator any more.
    fileprivate func holding(_ permit: ConcurrencyLimit.Permit) -> OutboundBody {
        OutboundBody {
            let iterator = SerialIterator(makeAsyncIterator())
            return {
                do {
                    let piece = try await iterator.next()
                    if piece == nil { permit.release() }
                    return piece
                } catch {
                    permit.release()
                    throw error
                }
            }
        }
    }
}
