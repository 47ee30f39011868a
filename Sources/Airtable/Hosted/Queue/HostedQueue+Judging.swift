import Domain
import Outbound

/// What follows from the answer to one request.
extension HostedQueue {
    struct Decision {
        var fate: GroupFate
        var outcome: CircuitState.Outcome
        /// One a call, when the group is over.
        var answers: [Answer] = []
        var event: HostedEvent?
        /// The work may be done although it is tried again.
        var mayBeDone = false
    }

    func decide(
        _ verdict: HostedVerdict,
        _ group: CallGroup,
        _ orders: [HostedOrder],
        at now: Moment
    ) -> Decision {
        func over(_ error: any Error, _ outcome: CircuitState.Outcome) -> Decision {
            Decision(fate: .over, outcome: outcome, answers: orders.map { _ in .failure(error) })
        }
        switch verdict {
        case .success(let reply):
            guard let parts = HostedOrder.split(reply, for: orders) else {
                return over(AirtableError.malformedHosted("records are missing"), .success)
            }
            return Decision(fate: .over, outcome: .success, answers: parts.map { .success($0) })
        case .limited(let after):
            let rest = (after ?? rules.lockout) + rules.lockoutJitter * random()
            return Decision(fate: .limited(until: now + rest), outcome: .success, event: .limited)
        case .cancelled:
            return over(CancellationError(), .unknown)
        case .failed(let error, let failure):
            let mayRepeat = orders.allSatisfy(\.isRepeatable) || !failure.isUncertain
            let attempts = (group.calls.map(\.attempts).max() ?? 0) + 1
            if failure.isTransient, mayRepeat, attempts < rules.attemptsMax {
                let rest = rules.backoff(afterAttempts: attempts, random: random())
                return Decision(
                    fate: .again(at: now + rest),
                    outcome: failure.outcome,
                    event: .retried,
                    mayBeDone: failure.isUncertain
                )
            }
            if failure.isSeparable, group.calls.count > 1 {
                return Decision(fate: .split, outcome: failure.outcome, event: .split)
            }
            return over(failure.isUncertain && !mayRepeat ? AirtableError.uncertain(error) : error, failure.outcome)
        }
    }
}
