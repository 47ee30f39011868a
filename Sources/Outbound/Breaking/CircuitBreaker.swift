import Domain
import Synchronization

/// The circuits of all upstreams of one process, by name: `host:port`, or host and model.
public final class CircuitBreakers: Sendable {
    private let circuits = Mutex<[String: CircuitState]>([:])
    private let policy: CircuitState.Policy
    private let clock: OutboundClock

    public init(policy: CircuitState.Policy = .standard, clock: OutboundClock = .continuous) {
        self.policy = policy
        self.clock = clock
    }

    /// Lets a call through, or not. Whoever is let through reports the outcome with the same admission.
    ///
    /// - Throws: `circuitOpen`.
    public func admit(_ upstream: String) throws(OutboundError) -> CircuitState.Admission {
        let now = clock.now()
        let admission = circuits.withLock { $0[upstream, default: CircuitState(policy: policy)].admit(at: now) }
        guard case .refused(let retryAfter) = admission else { return admission }
        throw OutboundError(
            .circuitOpen,
            "\(upstream) failed repeatedly and is left alone for a while",
            hint: "it is tried again in \(max(1, retryAfter.components.seconds)) s"
        )
    }

    public func note(_ outcome: CircuitState.Outcome, of admission: CircuitState.Admission, _ upstream: String) {
        let now = clock.now()
        circuits.withLock { circuits in
            circuits[upstream, default: CircuitState(policy: policy)].note(outcome, of: admission, at: now)
            guard circuits.count > Limits.outboundCircuits else { return }
            circuits = circuits.filter { !$0.value.isAtRest }
            // So many in trouble at once are names that somebody makes up.
            if circuits.count > Limits.outboundCircuits { circuits.removeAll() }
        }
    }

    /// Leaves an upstream alone for so long, whatever happened before.
    public func open(_ upstream: String, for duration: Duration) {
        let now = clock.now()
        circuits.withLock { $0[upstream, default: CircuitState(policy: policy)].open(for: duration, at: now) }
    }

    /// Runs `operation` when the circuit lets it, and reports how it went.
    ///
    /// - Parameter outcome: of what was thrown; a cancellation is never asked about.
    /// - Throws: `circuitOpen`; what `operation` throws.
    public func run<Value>(
        _ upstream: String,
        isolation: isolated (any Actor)? = #isolation,
        outcome: (any Error) -> CircuitState.Outcome,
        _ operation: () async throws -> Value
    ) async throws -> Value {
        let admission = try admit(upstream)
        do {
            let value = try await operation()
            note(.success, of: admission, upstream)
            return value
        } catch {
            note(error is CancellationError ? .unknown : outcome(error), of: admission, upstream)
            throw error
        }
    }
}

/// Stops calling an upstream that keeps failing: no connection, no reply in time, a status of 500 and above.
public struct CircuitBreakingTransport: HTTPTransport {
    private let base: any HTTPTransport
    private let breakers: CircuitBreakers
    private let upstream: @Sendable (OutboundRequest) -> String?

    /// - Parameter upstream: the circuit a request belongs to; its `host:port` when nil.
    public init(
        _ base: any HTTPTransport,
        breakers: CircuitBreakers,
        upstream: @escaping @Sendable (OutboundRequest) -> String? = { _ in nil }
    ) {
        self.base = base
        self.breakers = breakers
        self.upstream = upstream
    }

    public func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let name = try upstream(request) ?? OutboundAddress(request.url).authority
        let admission = try breakers.admit(name)
        do {
            let reply = try await base.send(request)
            breakers.note(reply.status >= 500 ? .failure : .success, of: admission, name)
            return reply
        } catch {
            breakers.note(Self.outcome(of: error), of: admission, name)
            throw error
        }
    }

    /// What an error says about the upstream.
    public static func outcome(of error: any Error) -> CircuitState.Outcome {
        guard let error = error as? OutboundError else { return .unknown }
        switch error.code {
        case .cannotConnect, .connectionLost, .noReply, .stalled, .timedOut, .malformedReply: return .failure
        case .invalidAddress, .addressRefused, .replyTooLarge, .circuitOpen, .closed: return .unknown
        }
    }
}
