import Domain
import Outbound
import Synchronization

/// Lets calls to the hosted service out as its limits allow, and gives each caller their own answer.
///
/// The rules are `CallScheduler`'s; this is its clock and its hands. One task, the pump, sends while anything waits or
/// is under way and ends when nothing does: it belongs to the queue, not to a caller, since an answer may be shared and
/// a caller who goes away must not take others' calls along.
final class HostedQueue: Sendable {
    typealias Moment = ContinuousClock.Instant
    typealias Answer = HostedPromise.Answer

    private typealias Delivery = (promise: HostedPromise, answer: Answer)

    private struct Waiter {
        let call: UInt64
        let deadline: Moment
        let promise: HostedPromise
    }

    private struct Entry {
        let order: HostedOrder
        let token: OutboundSecret
        /// Those who want its answer; empty when all have gone.
        var waiters: [UInt64]
        let readKey: HostedOrder.ReadKey?
        /// When it began to wait for the turn that is not over.
        var waitsSince: Moment
        /// An attempt before may have done the work.
        var mayBeDone = false
    }

    private struct State {
        var scheduler: CallScheduler
        var entries: [UInt64: Entry] = [:]
        var waiters: [UInt64: Waiter] = [:]
        /// Reads that wait or are under way, which others may join.
        var reads: [HostedOrder.ReadKey: UInt64] = [:]
        var lastID: UInt64 = 0
        /// No deadline is earlier; nil when nobody waits.
        var deadlineMin: Moment?
        var waited = Duration.zero
        var isClosed = false
        var pump: Task<Void, Never>?
    }

    private let state: Mutex<State>
    private let changed = Wakeup()
    private let exchange: HostedExchange
    let rules: HostedRules
    private let clock: OutboundClock
    let random: @Sendable () -> Double
    private let executor: (any TaskExecutor)?
    private let observe: @Sendable (HostedEvent) -> Void

    init(
        exchange: HostedExchange,
        clock: OutboundClock,
        random: @escaping @Sendable () -> Double,
        executor: (any TaskExecutor)?,
        observe: @escaping @Sendable (HostedEvent) -> Void
    ) {
        self.exchange = exchange
        self.rules = exchange.configuration.rules
        self.clock = clock
        self.random = random
        self.executor = executor
        self.observe = observe
        state = Mutex(State(scheduler: CallScheduler(rules: exchange.configuration.rules)))
    }

    // MARK: Callers

    /// The answer to `order`, when its turn has come.
    ///
    /// - Throws: `AirtableError`; `CancellationError`, with a write possibly under way.
    func perform(_ order: HostedOrder, for call: HostedCall) async throws -> JSONValue {
        try Task.checkCancellation()
        let (waiter, promise) = join(order, call)
        return try await withTaskCancellationHandler {
            try await promise.value()
        } onCancel: {
            leave(waiter)
        }
    }

    /// The answers to `orders`, which stand in their order before any other that comes later.
    ///
    /// - Throws: `CancellationError` only.
    func perform(_ orders: [HostedOrder], for call: HostedCall) async throws -> [Result<JSONValue, AirtableError>] {
        try Task.checkCancellation()
        let joined = orders.map { join($0, call) }
        return try await withTaskCancellationHandler {
            var answers: [Result<JSONValue, AirtableError>] = []
            for (_, promise) in joined {
                do { answers.append(.success(try await promise.value())) } catch let error as AirtableError {
                    answers.append(.failure(error))
                }
            }
            return answers
        } onCancel: {
            for (waiter, _) in joined { leave(waiter) }
        }
    }

    var load: HostedLoad {
        state.withLock { state in
            HostedLoad(
                waiting: state.scheduler.waitingCount,
                running: state.scheduler.runningCount,
                waited: state.waited
            )
        }
    }

    /// Lets no one join the reads of a base that are under way: they may show what was there before a write.
    func separateReads(of base: BaseID) {
        let line = base.description
        state.withLock { state in
            state.reads = state.reads.filter { _, id in
                state.entries[id]?.order.line != line || !state.scheduler.isUnderWay(id, of: line)
            }
        }
    }

    /// Fails everybody who waits, and ends the pump with whatever is under way.
    func close() {
        let (waiters, pump) = state.withLock { state in
            state.isClosed = true
            defer { state.waiters = [:] }
            return (state.waiters.values.map(\.promise), state.pump)
        }
        for waiter in waiters { waiter.keep(.cancelled) }
        pump?.cancel()
        changed.notify()
    }

    private func join(_ order: HostedOrder, _ call: HostedCall) -> (waiter: UInt64, promise: HostedPromise) {
        let now = clock.now()
        let promise = HostedPromise()
        var didJoin = false
        let (waiter, refusal) = state.withLock { state -> (UInt64, (any Error)?) in
            state.lastID += 1
            let waiter = state.lastID
            if state.isClosed { return (waiter, CancellationError()) }
            if let error = tooLate(order, call, &state, at: now) { return (waiter, error) }
            let readKey = order.readKey(call.token)
            if let readKey, let id = state.reads[readKey] {
                state.entries[id]?.waiters.append(waiter)
                state.waiters[waiter] = Waiter(call: id, deadline: call.deadline, promise: promise)
                if call.lane == .interactive { state.scheduler.hasten(id, of: order.line) }
                didJoin = true
            } else {
                guard state.scheduler.waitingCount(order.line) < Limits.hostedQueueCalls else {
                    return (waiter, AirtableError.queueFull())
                }
                state.lastID += 1
                let id = state.lastID
                state.entries[id] = Entry(
                    order: order,
                    token: call.token,
                    waiters: [waiter],
                    readKey: readKey,
                    waitsSince: now
                )
                state.waiters[waiter] = Waiter(call: id, deadline: call.deadline, promise: promise)
                if let readKey { state.reads[readKey] = id }
                state.scheduler.add(order.queued(id: id, for: call), to: order.line, hasBase: order.base != nil)
            }
            state.deadlineMin = min(state.deadlineMin ?? call.deadline, call.deadline)
            startPump(&state)
            return (waiter, nil)
        }
        if let refusal { promise.keep(.failure(refusal)) }
        if didJoin { observe(.joinedRead) }
        changed.notify()
        return (waiter, promise)
    }

    /// Why a call need not even wait: nobody will be there when its turn comes.
    private func tooLate(
        _ order: HostedOrder,
        _ call: HostedCall,
        _ state: inout State,
        at now: Moment
    ) -> AirtableError? {
        if call.deadline <= now { return .queuedTooLong(limit: rules.callsPerBase) }
        guard let end = state.scheduler.lockedUntil(order.line), end > now, end >= call.deadline else { return nil }
        return .queuedTooLong(limit: rules.callsPerBase, restSeconds: (end - now).components.seconds + 1)
    }

    private func leave(_ waiter: UInt64) {
        let left = state.withLock { state in remove(waiter, &state) }
        left?.promise.keep(.cancelled)
        changed.notify()
    }

    /// Takes a waiter out; a call that nobody waits for any more is not sent.
    private func remove(_ waiter: UInt64, _ state: inout State) -> Waiter? {
        guard let left = state.waiters.removeValue(forKey: waiter) else { return nil }
        state.entries[left.call]?.waiters.removeAll { $0 == waiter }
        if let entry = state.entries[left.call], entry.waiters.isEmpty {
            state.scheduler.abandon(left.call, of: entry.order.line)
            if let key = entry.readKey, state.reads[key] == left.call { state.reads[key] = nil }
            // One under way is settled when its request is over.
            if !state.scheduler.isUnderWay(left.call, of: entry.order.line) { state.entries[left.call] = nil }
        }
        return left
    }

    // MARK: The pump

    private func startPump(_ state: inout State) {
        guard state.pump == nil else { return }
        // Unstructured, because it outlives the caller who starts it; `close` cancels it, and it ends when idle.
        state.pump = Task(executorPreference: executor) { await self.pump() }
    }

    private func pump() async {
        await withDiscardingTaskGroup { group in
            while true {
                let generation = changed.generation
                let now = clock.now()
                expire(at: now)
                let step = state.withLock { state -> (groups: [CallGroup], next: Moment?)? in
                    let groups = state.scheduler.take(at: now)
                    if state.scheduler.isIdle || state.isClosed {
                        state.pump = nil
                        return nil
                    }
                    let next = [state.scheduler.next(after: now), state.deadlineMin].compactMap(\.self).min()
                    return (groups, next)
                }
                guard let step else { break }
                for calls in step.groups { group.addTask { await self.send(calls) } }
                await rest(beyond: generation, until: step.next, from: now)
            }
        }
    }

    /// Returns at `moment`, or when something has happened.
    private func rest(beyond generation: UInt64, until moment: Moment?, from now: Moment) async {
        guard let moment else { return await changed.wait(beyond: generation) }
        await withTaskGroup { group in
            group.addTask { await self.changed.wait(beyond: generation) }
            // A cancelled sleep is the other one having returned.
            group.addTask { try? await self.clock.sleep(moment - now) }
            await group.next()
            group.cancelAll()
        }
    }

    /// Fails those whose deadline has come.
    private func expire(at now: Moment) {
        let late = state.withLock { state -> [Delivery] in
            guard let earliest = state.deadlineMin, earliest <= now else { return [] }
            let late = state.waiters.filter { $0.value.deadline <= now }.map(\.key).sorted()
            let deliveries = late.compactMap {
                expired($0, AirtableError.queuedTooLong(limit: rules.callsPerBase), &state)
            }
            state.deadlineMin = state.waiters.values.lazy.map(\.deadline).min()
            return deliveries
        }
        for (promise, answer) in late {
            observe(.expired)
            promise.keep(answer)
        }
    }

    /// Takes out a waiter whose patience is at its end: with `error`, or with `writeUncertain` when their write has gone
    /// out and may have happened.
    private func expired(_ waiter: UInt64, _ error: AirtableError, _ state: inout State) -> Delivery? {
        guard let call = state.waiters[waiter]?.call else { return nil }
        let isUncertain = state.entries[call].map { entry in
            !entry.order.isRead && (entry.mayBeDone || state.scheduler.isUnderWay(call, of: entry.order.line))
        }
        guard let left = remove(waiter, &state) else { return nil }
        return (left.promise, .failure(isUncertain == true ? AirtableError.uncertain(error) : error))
    }

    private func send(_ group: CallGroup) async {
        let now = clock.now()
        let (orders, deadline) = state.withLock { state in
            let entries = group.calls.compactMap { state.entries[$0.id] }
            for entry in entries { state.waited += now - entry.waitsSince }
            let deadline = entries.flatMap(\.waiters).compactMap { state.waiters[$0]?.deadline }.max()
            return (entries.map(\.order), deadline)
        }
        observe(.sent)
        for _ in 1..<max(1, orders.count) { observe(.joinedWrite) }
        let verdict = await exchange.send(
            HostedOrder.request(orders),
            token: group.calls[0].token,
            time: max(.seconds(1), (deadline ?? now) - now)
        )
        finish(group, orders, verdict)
        changed.notify()
    }

    private func finish(_ group: CallGroup, _ orders: [HostedOrder], _ verdict: HostedVerdict) {
        let now = clock.now()
        let decision = decide(verdict, group, orders, at: now)
        if case .failed(_, let failure) = verdict, failure.outcome == .failure { observe(.failed) }
        if let event = decision.event { observe(event) }
        let answers = state.withLock { state -> [Delivery] in
            var answers: [Delivery] = []
            var rest = group
            if case .over = decision.fate {
                for (position, call) in group.calls.enumerated() {
                    let answer = decision.answers.indices.contains(position) ? decision.answers[position] : .cancelled
                    answers += settle(call.id, answer, &state)
                }
            } else {
                // What nobody waits for any more is not tried again.
                rest.calls.removeAll { call in
                    guard state.entries[call.id]?.waiters.isEmpty ?? true else { return false }
                    state.scheduler.settle(call, of: group.line)
                    _ = settle(call.id, .cancelled, &state)
                    return true
                }
            }
            for call in rest.calls {
                state.entries[call.id]?.waitsSince = now
                if decision.mayBeDone { state.entries[call.id]?.mayBeDone = true }
            }
            state.scheduler.finish(rest, decision.fate, outcome: decision.outcome, at: now)
            if case .limited(let end) = decision.fate { answers += hopeless(in: group.line, until: end, &state, now) }
            return answers
        }
        for (promise, answer) in answers { promise.keep(answer) }
    }

    /// The answer goes to everybody who waits for this call.
    private func settle(
        _ id: UInt64,
        _ answer: Answer,
        _ state: inout State
    ) -> [Delivery] {
        guard let entry = state.entries.removeValue(forKey: id) else { return [] }
        if let key = entry.readKey, state.reads[key] == id { state.reads[key] = nil }
        return entry.waiters.compactMap { state.waiters.removeValue(forKey: $0) }.map { ($0.promise, answer) }
    }

    /// Those of a line whose deadline comes before the service takes calls again.
    private func hopeless(
        in line: String,
        until end: Moment,
        _ state: inout State,
        _ now: Moment
    ) -> [Delivery] {
        let waiters = state.waiters.filter { waiter in
            waiter.value.deadline <= end && state.entries[waiter.value.call]?.order.line == line
                && !state.scheduler.isUnderWay(waiter.value.call, of: line)
        }
        let seconds = (end - now).components.seconds + 1
        let error = AirtableError.queuedTooLong(limit: rules.callsPerBase, restSeconds: seconds)
        return waiters.keys.sorted().compactMap { expired($0, error, &state) }
    }
}

extension Result where Failure == any Error {
    fileprivate static var cancelled: Self { .failure(CancellationError()) }
}
