import Outbound

/// The lines of all bases, and the limit that they share: so many calls with one token. Pure.
struct CallScheduler: Sendable {
    typealias Moment = ContinuousClock.Instant

    private let rules: HostedRules
    private var lines: [String: CallLine] = [:]
    private var tokens: [OutboundSecret: RateWindow] = [:]

    init(rules: HostedRules) { self.rules = rules }

    var isIdle: Bool { lines.values.allSatisfy { $0.count == 0 && $0.inFlight == 0 } }

    var waitingCount: Int { lines.values.reduce(0) { $0 + $1.count } }
    var runningCount: Int { lines.values.reduce(0) { $0 + $1.inFlight } }

    func waitingCount(_ line: String) -> Int { lines[line]?.count ?? 0 }

    /// When the service will take calls of this line again, after it refused one for its limit.
    func lockedUntil(_ line: String) -> Moment? { lines[line]?.lockedUntil }

    /// - Parameter line: a base, or what has no base and so no limit but the token's.
    mutating func add(_ call: QueuedCall, to line: String, hasBase: Bool) {
        let count = hasBase ? rules.callsPerBase : rules.callsPerToken
        lines[line, default: CallLine(rules: rules, callsPerWindow: count)].add(call)
    }

    mutating func abandon(_ id: UInt64, of line: String) { lines[line]?.abandon(id) }

    /// Whether a call has gone out and its request is not over.
    func isUnderWay(_ id: UInt64, of line: String) -> Bool { lines[line]?.isUnderWay(id) ?? false }

    mutating func hasten(_ id: UInt64, of line: String) { lines[line]?.hasten(id) }

    /// Everything that goes out now.
    mutating func take(at now: Moment) -> [CallGroup] {
        var groups: [CallGroup] = []
        // Lines that share a token take turns, too.
        let names = lines.keys.sorted { name, other in
            switch (lines[name]?.lastStart, lines[other]?.lastStart) {
            case (let left?, let right?) where left != right: left < right
            case (nil, .some): true
            case (.some, nil): false
            default: name < other
            }
        }
        for name in names where lines[name]?.isAtRest(at: now) == true { lines[name] = nil }
        tokens = tokens.filter { !$0.value.isAtRest(at: now) }
        var isMoving = true
        while isMoving {
            isMoving = false
            for name in names {
                guard
                    let group = lines[name]?.take(
                        at: now,
                        in: name,
                        isFree: { (tokens[$0.token]?.opening(at: now) ?? now) <= now }
                    ),
                    let token = group.calls.first?.token
                else { continue }
                tokens[token, default: RateWindow(count: rules.callsPerToken, period: rules.window)].take(at: now)
                groups.append(group)
                isMoving = true
            }
        }
        return groups
    }

    mutating func finish(_ group: CallGroup, _ fate: GroupFate, outcome: CircuitState.Outcome, at now: Moment) {
        lines[group.line]?.finish(group, fate, outcome: outcome, at: now)
    }

    /// Ends one call of a group that is under way; the group is finished without it.
    mutating func settle(_ call: QueuedCall, of line: String) { lines[line]?.settle(call) }

    /// The next moment at which something may go out by the mere passing of time.
    func next(after now: Moment) -> Moment? {
        lines.values.lazy.compactMap { $0.next(after: now) { tokens[$0.token]?.opening(at: now) ?? now } }.min()
    }
}
