import Domain
import Outbound

/// The calls that wait for one base: which goes next, and when. Pure: no clock, no waiting.
///
/// Order of choice: interactive before bulk (with a small share for bulk), then the caller who was served longest ago,
/// then arrival. A write never overtakes an earlier one to the same record, whoever sent it; when an urgent write waits
/// behind one that is not, the latter becomes urgent too.
///
/// Choosing is O(waiting), five times a second.
struct CallLine: Sendable {
    typealias Moment = ContinuousClock.Instant

    private let rules: HostedRules
    private let recordsMax: Int
    private var window: RateWindow
    private var circuit = CircuitState()
    /// The service refuses everything until then.
    private(set) var lockedUntil: Moment?
    /// The circuit lets nothing through until then.
    private var heldUntil: Moment?
    /// By arrival.
    private var waiting: [QueuedCall] = []
    /// Of each record that is to be written: the calls that do, by arrival, those under way included.
    private var writers: [String: [UInt64]] = [:]
    private var turns: [String: UInt64] = [:]
    private var turn: UInt64 = 0
    private var interactiveRun = 0
    private var nextBundle: UInt64 = 0
    /// Calls that have gone out and whose request is not over.
    private var underWay: Set<UInt64> = []
    private(set) var inFlight = 0
    private(set) var lastStart: Moment?

    init(rules: HostedRules, callsPerWindow: Int, recordsMax: Int = Limits.batchRecords) {
        self.rules = rules
        self.recordsMax = recordsMax
        window = RateWindow(count: callsPerWindow, period: rules.window)
    }

    var count: Int { waiting.count }
    func isUnderWay(_ id: UInt64) -> Bool { underWay.contains(id) }
    func isAtRest(at now: Moment) -> Bool {
        waiting.isEmpty && inFlight == 0 && window.isAtRest(at: now) && circuit.isAtRest
            && (lockedUntil.map { $0 <= now } ?? true)
    }

    // MARK: Coming and going

    mutating func add(_ call: QueuedCall) {
        insert(call)
        for key in call.keys { writers[key, default: []].append(call.id) }
        if call.lane == .interactive { promote(before: call) }
    }

    /// Takes a call out that still waits; one under way is not stopped.
    mutating func abandon(_ id: UInt64) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        let call = waiting.remove(at: index)
        forget(call)
    }

    /// Makes a waiting call urgent: somebody who is in a hurry wants its answer too.
    mutating func hasten(_ id: UInt64) {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return }
        waiting[index].lane = .interactive
        promote(before: waiting[index])
    }

    /// The group that goes out now; nil when none may.
    ///
    /// - Parameter isFree: whether the call's token has room.
    mutating func take(at now: Moment, in line: String, isFree: (QueuedCall) -> Bool) -> CallGroup? {
        guard !waiting.isEmpty, inFlight < Limits.hostedCallsInFlight, opening(at: now) <= now,
            let first = choice(at: now, isFree: isFree)
        else { return nil }
        let admission = circuit.admit(at: now)
        if case .refused(let duration) = admission {
            heldUntil = now + duration
            return nil
        }
        let calls = companions(of: first, at: now)
        let ids = Set(calls.map(\.id))
        waiting.removeAll { ids.contains($0.id) }
        window.take(at: now)
        lastStart = now
        inFlight += 1
        underWay.formUnion(ids)
        noteTurns(first, calls)
        return CallGroup(calls: calls, line: line, admission: admission)
    }

    /// Ends a group's request; what it holds waits again unless it is over.
    mutating func finish(_ group: CallGroup, _ fate: GroupFate, outcome: CircuitState.Outcome, at now: Moment) {
        inFlight -= 1
        heldUntil = nil
        underWay.subtract(group.calls.map(\.id))
        circuit.note(outcome, of: group.admission, at: now)
        switch fate {
        case .over:
            for call in group.calls { forget(call) }
        case .limited(let moment):
            lockedUntil = max(lockedUntil ?? moment, moment)
            for call in group.calls { insert(call) }
        case .again(let moment):
            for var call in group.calls {
                call.attempts += 1
                call.notBefore = moment
                insert(call)
            }
        case .split:
            let half = (group.calls.count + 1) / 2
            for (position, var call) in group.calls.enumerated() {
                call.bundle = nextBundle + (position < half ? 0 : 1)
                insert(call)
            }
            nextBundle += 2
        }
    }

    /// Takes a call of a group that is under way out of what `finish` will put back.
    mutating func settle(_ call: QueuedCall) {
        underWay.remove(call.id)
        forget(call)
    }

    /// The next moment at which `take` may give something; nil when only another event can change that.
    ///
    /// - Parameter opening: the earliest moment at which the call's token has room.
    func next(after now: Moment, opening tokenOpening: (QueuedCall) -> Moment) -> Moment? {
        guard inFlight < Limits.hostedCallsInFlight else { return nil }
        var ready: Moment?
        for call in waiting where isFirst(call) {
            let moment = max(call.notBefore ?? now, tokenOpening(call))
            ready = min(ready ?? moment, moment)
        }
        return ready.map { max($0, opening(at: now)) }
    }

    // MARK: Choosing

    /// When the line as a whole lets the next call out.
    private func opening(at now: Moment) -> Moment {
        max(window.opening(at: now), lockedUntil ?? now, heldUntil ?? now)
    }

    private func choice(at now: Moment, isFree: (QueuedCall) -> Bool) -> QueuedCall? {
        var best: [HostedLane: QueuedCall] = [:]
        for call in waiting where isReady(call, at: now) && isFree(call) {
            guard let other = best[call.lane] else {
                best[call.lane] = call
                continue
            }
            // Equal turns keep arrival.
            if turns[call.caller] ?? 0 < turns[other.caller] ?? 0 { best[call.lane] = call }
        }
        guard let urgent = best[.interactive] else { return best[.bulk] }
        return interactiveRun >= rules.interactiveRunMax ? best[.bulk] ?? urgent : urgent
    }

    /// The calls that go out with `first`, by arrival.
    private func companions(of first: QueuedCall, at now: Moment) -> [QueuedCall] {
        guard let merge = first.merge else { return [first] }
        var calls = [first]
        var weight = first.weight
        for call in waiting where call.id != first.id && call.merge == merge && call.bundle == first.bundle {
            guard isReady(call, at: now), weight + call.weight <= recordsMax else { continue }
            weight += call.weight
            calls.append(call)
        }
        return calls.sorted { $0.id < $1.id }
    }

    private func isReady(_ call: QueuedCall, at now: Moment) -> Bool {
        (call.notBefore ?? now) <= now && isFirst(call)
    }

    /// No earlier call writes to one of its records.
    private func isFirst(_ call: QueuedCall) -> Bool { call.keys.allSatisfy { writers[$0]?.first == call.id } }

    private mutating func noteTurns(_ first: QueuedCall, _ calls: [QueuedCall]) {
        turn += 1
        // Who rides along has used no turn.
        turns[first.caller] = turn
        let bulkWaits = waiting.contains { $0.lane == .bulk }
        interactiveRun = first.lane == .interactive && bulkWaits ? interactiveRun + 1 : 0
        guard turns.count > Limits.hostedCallers else { return }
        let oldest = turns.values.sorted()[turns.count / 2]
        turns = turns.filter { $0.value > oldest }
    }

    // MARK: Keeping

    private mutating func insert(_ call: QueuedCall) {
        var index = waiting.endIndex
        while index > 0, waiting[index - 1].id > call.id { index -= 1 }
        waiting.insert(call, at: index)
    }

    private mutating func forget(_ call: QueuedCall) {
        for key in call.keys {
            writers[key]?.removeAll { $0 == call.id }
            if writers[key]?.isEmpty == true { writers[key] = nil }
        }
    }

    private mutating func promote(before call: QueuedCall) {
        var work = [call]
        while let call = work.popLast() {
            let blockers = Set(call.keys.flatMap { writers[$0] ?? [] }.filter { $0 < call.id })
            for index in waiting.indices where blockers.contains(waiting[index].id) && waiting[index].lane == .bulk {
                waiting[index].lane = .interactive
                work.append(waiting[index])
            }
        }
    }
}
