import Domain
import Logging
import Synchronization

/// Where a session's messages go.
protocol MessageOutlet: Sendable {
    /// In the order of the calls.
    func send(_ message: OutboundMessage, to channel: Channel)
    /// Nothing more comes for the exchange.
    func settle(_ exchange: ExchangeID)
    /// The client may be sent away from the exchange.
    func release(_ exchange: ExchangeID)
}

/// What the work of one delivery needs to know of it.
struct ExchangeFacts: Sendable {
    var makeContext: @Sendable () async throws -> RequestContext
    var selection = ToolSelection.everything
    /// Nil for as long as any request may.
    var workLimit: Duration?
    /// Whether nothing but the answer gets back to the client, so that it cannot be asked.
    var hearsAnswerAlone = false
}

/// Drives one session: performs its actions, and feeds back how the work goes.
///
/// A lock gives events their order, and messages go out in the order in which the session sent them. It is no actor: a request
/// that never waits would change threads for entering one, and for leaving it.
final class SessionRunner: Sendable {
    private let performer: WorkPerformer
    private let outlet: any MessageOutlet
    private let clock: DeadlineClock
    private let times: SessionTimes
    private let listener = Listener.next()
    private let state: Mutex<State>

    private struct State {
        var session: ServerSession
        var tasks: [WorkID: RunningWork] = [:]
        var watch: Task<Void, any Error>?
        /// What is to be followed from now on; taken by whoever brought that about, when the lock is free again.
        var unfollowed: Following?
        /// How many were taken, and the latest of them that is `watch`.
        var takenCount = 0
        var watchNumber = 0
        /// Waits until what is watched is followed.
        var whenWatching: [SessionAction] = []
        /// Whether what was asked to be watched last is followed.
        var isWatching = true
        /// Makes contexts for what nobody asked for; of the latest delivery.
        var watchContext: (@Sendable () async throws -> RequestContext)?
        var idleWaiter: CheckedContinuation<Void, Never>?
        var isStopped = false
        /// What is to begin when the lock is free again.
        var unbegun: [(id: WorkID, job: WorkPerformer.Job)] = []

        mutating func resumeIdleWaiter() {
            idleWaiter?.resume()
            idleWaiter = nil
        }
    }

    private struct Following {
        let interest: ChangeInterest
        let watcher: any OfferWatcher
        let makeContext: @Sendable () async throws -> RequestContext
    }

    private struct RunningWork {
        /// Nil until whoever begins it has told.
        var task: Task<Void, any Error>?
        let limit: Duration
        /// Of the deadline clock; nil for work that may go on.
        var alarm: UInt64?
        var asks = 0
        var waiter: (number: Int, continuation: CheckedContinuation<AskOutcome?, Never>)?
    }

    init(
        session: ServerSession,
        performer: WorkPerformer,
        outlet: any MessageOutlet,
        clock: DeadlineClock = .shared,
        times: SessionTimes
    ) {
        self.performer = performer
        self.outlet = outlet
        self.clock = clock
        self.times = times
        state = Mutex(State(session: session))
    }

    /// Negotiated by the latest handshake; nil before the first.
    var revision: ProtocolRevision? { state.withLock { $0.session.revision } }

    /// Whether no request waits for its answer.
    var isIdle: Bool { state.withLock { $0.session.isIdle } }

    func refusal(ofBatch messageCount: Int) -> ProtocolError? {
        state.withLock { $0.session.refusal(ofBatch: messageCount) }
    }

    /// Takes a delivery and begins its work: on this thread, if that is quick and as far as it goes without waiting, so that
    /// none of the others is woken for it. Waits for nothing.
    ///
    /// - Returns: false when the session is over.
    @discardableResult
    func receive(_ inbound: Inbound, on exchange: ExchangeID, _ facts: ExchangeFacts) -> Bool {
        let begun = state.withLock { state in
            let isTaken = receive(inbound, on: exchange, facts, &state)
            defer { state.unbegun = [] }
            return isTaken ? state.unbegun : nil
        }
        follow()
        guard let begun else { return false }
        for (id, job) in begun {
            let work: @Sendable () async throws -> Void = { [self] in end(id, await performer.perform(job)) }
            // A thread that serves connections is not for what takes long.
            let task = performer.isQuick(job) ? Task.begunHere(work) : Task(operation: work)
            adopt(task, id)
        }
        return true
    }

    private func adopt(_ task: Task<Void, any Error>, _ id: WorkID) {
        let isWanted = state.withLock { state in
            state.tasks[id]?.task = task
            return state.tasks[id] != nil
        }
        // It has ended, or was cancelled before it was known.
        if !isWanted { task.cancel() }
    }

    /// The client has gone from the exchange, which cancels what it asked for there.
    func abandon(_ exchange: ExchangeID) { handle(.abandoned(exchange)) }

    /// Lets what is in flight finish for at most `grace`, then gives it up; each request is answered either way.
    func finish(within grace: Duration) async {
        // Owned here: cancelled as soon as nothing is in flight any more.
        var timer: Task<Void, any Error>?
        await withCheckedContinuation { continuation in
            state.withLock { state in
                guard !state.session.isIdle else { return continuation.resume() }
                state.idleWaiter = continuation
                timer = Task { [self] in
                    try await Task.sleep(for: grace)
                    self.state.withLock { $0.resumeIdleWaiter() }
                }
            }
        }
        timer?.cancel()
        stop()
    }

    /// Answers what is in flight with an error, at once.
    func stop() {
        state.withLock { state in
            guard !state.isStopped else { return }
            watching(&state)
            perform(state.session.handle(.stopping), nil, &state)
            state.isStopped = true
            state.watch?.cancel()
            state.watch = nil
            state.unfollowed = nil
        }
    }

    // MARK: Private

    private func handle(_ event: SessionEvent) {
        state.withLock { perform($0.session.handle(event), nil, &$0) }
        follow()
    }

    private func receive(
        _ inbound: Inbound,
        on exchange: ExchangeID,
        _ facts: ExchangeFacts,
        _ state: inout State
    ) -> Bool {
        guard !state.isStopped else {
            outlet.settle(exchange)
            return false
        }
        state.watchContext = facts.makeContext
        perform(state.session.handle(.received(inbound, exchange)), facts, &state)
        return true
    }

    private func perform(_ actions: [SessionAction], _ facts: ExchangeFacts?, _ state: inout State) {
        for action in actions {
            switch action {
            case .send(let message, let channel): outlet.send(message, to: channel)
            case .settle(let exchange): outlet.settle(exchange)
            case .release(let exchange): outlet.release(exchange)
            case .start(let id, let assignment):
                guard let facts else { preconditionFailure("work \(id) was started by no request") }
                start(assignment, id, facts, &state)
            case .cancel(let id): cancel(id, &state)
            case .answer(let id, let number, let outcome): answer(id, number, outcome, &state)
            case .watch(let interest): follow(interest, &state)
            case .whenWatching(let later):
                if state.isWatching { perform(later, nil, &state) } else { state.whenWatching += later }
            }
        }
        if state.session.isIdle { state.resumeIdleWaiter() }
    }

    /// The task is unstructured so that a single request can be cancelled, and so that one that ignores its
    /// cancellation can't hold up the end of the session. `tasks` owns it: `.cancel` and `.stopping` cancel it.
    private func start(_ assignment: Assignment, _ id: WorkID, _ facts: ExchangeFacts, _ state: inout State) {
        let isDeaf = facts.hearsAnswerAlone && assignment.round == nil
        let assignment = isDeaf ? assignment.withoutQuestions : assignment
        let job = WorkPerformer.Job(
            assignment: assignment,
            revision: state.session.revision(of: id),
            selection: facts.selection,
            makeContext: facts.makeContext,
            emit: { [weak self] in self?.handle(.emitted(id, $0)) },
            ask: { [weak self] questions in
                guard let self else { throw CancellationError() }
                return try await ask(questions, for: id)
            }
        )
        let limit = facts.workLimit ?? times.work
        state.tasks[id] = RunningWork(limit: limit)
        state.unbegun.append((id, job))
        if case .listen = assignment.work { return }
        setAlarm(of: id, in: limit, .expired(id), &state)
    }

    private func end(_ id: WorkID, _ outcome: WorkOutcome) {
        state.withLock { state in
            if let work = state.tasks.removeValue(forKey: id), let alarm = work.alarm { clock.remove(alarm) }
            perform(state.session.handle(.finished(id, outcome)), nil, &state)
        }
        follow()
    }

    private func cancel(_ id: WorkID, _ state: inout State) {
        guard let work = state.tasks.removeValue(forKey: id) else { return }
        if let alarm = work.alarm { clock.remove(alarm) }
        work.task?.cancel()
        work.waiter?.continuation.resume(returning: .failure(.unanswered("The request was cancelled.")))
    }

    private func setAlarm(of id: WorkID, in limit: Duration, _ event: SessionEvent, _ state: inout State) {
        if let alarm = state.tasks[id]?.alarm { clock.remove(alarm) }
        state.tasks[id]?.alarm = clock.add(.now + limit) { [weak self] in self?.handle(event) }
    }

    // MARK: Questions

    /// The time that the client takes does not count as the work's.
    private func ask(_ questions: [CallerQuestion], for id: WorkID) async throws -> [String: CallerAnswer] {
        let outcome = await withCheckedContinuation { (continuation: CheckedContinuation<AskOutcome?, Never>) in
            state.withLock { state in
                guard var work = state.tasks[id] else { return continuation.resume(returning: nil) }
                guard work.waiter == nil else { preconditionFailure("work \(id) asks twice at once") }
                work.asks += 1
                work.waiter = (work.asks, continuation)
                state.tasks[id] = work
                setAlarm(of: id, in: times.answer, .unanswered(id), &state)
                let asked = state.session.handle(.emitted(id, .asked(number: work.asks, questions)))
                perform(asked, nil, &state)
            }
        }
        guard let outcome else { throw CancellationError() }
        try Task.checkCancellation()
        state.withLock { state in
            if let limit = state.tasks[id]?.limit { setAlarm(of: id, in: limit, .expired(id), &state) }
        }
        return try outcome.get()
    }

    private func answer(_ id: WorkID, _ number: Int, _ outcome: AskOutcome, _ state: inout State) {
        guard let waiter = state.tasks[id]?.waiter, waiter.number == number else { return }
        state.tasks[id]?.waiter = nil
        waiter.continuation.resume(returning: outcome)
    }

    // MARK: Changes

    private func follow(_ interest: ChangeInterest, _ state: inout State) {
        guard let watcher = performer.offer.watcher, let makeContext = state.watchContext, !state.isStopped else {
            return
        }
        state.isWatching = false
        var interest = interest
        interest.listener = listener
        state.unfollowed = Following(interest: interest, watcher: watcher, makeContext: makeContext)
    }

    /// Begins to follow what is asked for by now.
    ///
    /// Begun by the thread that learnt of it, so that what the client's next message changes is told if the watcher can begin
    /// at once.
    private func follow() {
        let taken = state.withLock { state in
            guard let following = state.unfollowed.take() else {
                return nil as (Following, Task<Void, any Error>?, Int)?
            }
            state.takenCount += 1
            return (following, state.watch, state.takenCount)
        }
        guard let (following, previous, number) = taken else { return }
        // Owned by the session: the next one and its end cancel it. It takes over what the one before told last.
        let watch = Task.begunHere { [weak self] in
            previous?.cancel()
            _ = await previous?.result
            try Task.checkCancellation()
            let changes = await following.watcher.follow(following.interest, makeContext: following.makeContext)
            // What comes after this one says it, for both.
            try Task.checkCancellation()
            self?.watching()
            for await change in changes { self?.handle(.changed(change)) }
        }
        state.withLock { state in
            guard !state.isStopped, state.watchNumber < number else { return watch.cancel() }
            // Begun while this one was, so that this one knew nothing of it.
            if state.watch != previous { state.watch?.cancel() }
            (state.watch, state.watchNumber) = (watch, number)
        }
    }

    private func watching() { state.withLock { state in watching(&state) } }

    /// Says what waited for it.
    private func watching(_ state: inout State) {
        state.isWatching = true
        let later = state.whenWatching
        state.whenWatching = []
        perform(later, nil, &state)
    }
}

extension ServerSession {
    /// The revision that work in flight is served by.
    func revision(of work: WorkID) -> ProtocolRevision { inFlight[work]?.revision ?? .newestHandshake }
}

/// Names those who listen, each once in a process.
private enum Listener {
    private static let last = Atomic<UInt64>(0)

    static func next() -> UInt64 { last.wrappingAdd(1, ordering: .relaxed).newValue }
}
