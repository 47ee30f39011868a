import Domain
import Outbound

/// What came of sending one request once.
enum HostedVerdict: Sendable {
    case success(JSONValue)
    /// 429, the kind that passes.
    case limited(after: Duration?)
    case failed(AirtableError, HostedFailure)
    /// The program is shutting down.
    case cancelled
}

/// What follows from a failure.
struct HostedFailure: Sendable, Hashable {
    /// The same call may succeed later.
    var isTransient = false
    /// The service may have done the work all the same.
    var isUncertain = false
    /// One bad record of a batch may be the reason.
    var isSeparable = false
    /// What it says of the service's health.
    var outcome = CircuitState.Outcome.success
}

/// Sends one request once, and judges the answer.
struct HostedExchange: Sendable {
    let transport: any HTTPTransport
    let configuration: HostedConfiguration

    /// - Parameter time: what is left of the callers' patience.
    func send(_ request: HostedRequest, token: OutboundSecret, time: Duration) async -> HostedVerdict {
        let time = min(time, configuration.rules.exchangeTime)
        let outbound = OutboundRequest(
            request.method,
            "\(configuration.endpoint)/v0/\(request.target)",
            headers: request.body.isEmpty ? [] : [("content-type", "application/json")],
            secretHeaders: [("authorization", token.bearer)],
            body: request.body,
            deadlines: OutboundDeadlines(firstByte: time, stall: time, total: time),
            replyBytesMax: Limits.hostedReplyBytes,
            // Whatever is sent again is sent by the queue: it counts against the limit.
            isRepeatable: false
        )
        do {
            let reply = try await transport.send(outbound)
            guard (200..<300).contains(reply.status) else {
                let body = try await reply.body.beginning(bytesMax: Limits.outboundErrorBytes)
                return judge(reply, body, token)
            }
            let body = try await reply.body.collect(bytesMax: Limits.hostedReplyBytes)
            do throws(JSONError) {
                return .success(try JSONValue(parsing: body, limits: .hostedReply))
            } catch {
                // The work is done whatever the answer looks like.
                return .failed(.malformedHosted(error.message), HostedFailure(isUncertain: true))
            }
        } catch let error as OutboundError {
            return judge(error)
        } catch {
            return .cancelled
        }
    }

    private func judge(_ reply: OutboundReply, _ body: [UInt8], _ token: OutboundSecret) -> HostedVerdict {
        let error = AirtableError.hosted(status: reply.status, body: body, token: token)
        if reply.status == 429, error.code != .billingLimit {
            return .limited(after: RetryHints.retryAfter(reply.headers))
        }
        return .failed(
            error,
            HostedFailure(
                isTransient: HostedRules.isTransient(status: reply.status),
                isUncertain: HostedRules.isUncertain(status: reply.status),
                isSeparable: HostedRules.isSeparable(status: reply.status),
                outcome: reply.status >= 500 ? .failure : .success
            )
        )
    }

    private func judge(_ error: OutboundError) -> HostedVerdict {
        let outcome = CircuitBreakingTransport.outcome(of: error)
        switch error.code {
        // Nothing was sent.
        case .cannotConnect, .circuitOpen:
            return .failed(.hosted(error), HostedFailure(isTransient: true, outcome: outcome))
        case .connectionLost, .noReply, .stalled, .timedOut, .malformedReply:
            return .failed(.hosted(error), HostedFailure(isTransient: true, isUncertain: true, outcome: outcome))
        case .replyTooLarge:
            return .failed(.hosted(error), HostedFailure(isUncertain: true, outcome: outcome))
        case .invalidAddress, .addressRefused:
            return .failed(.hosted(error), HostedFailure(outcome: .unknown))
        case .closed: return .cancelled
        }
    }
}

extension JSONLimits {
    static let hostedReply = JSONLimits(bytes: Limits.hostedReplyBytes)
}
