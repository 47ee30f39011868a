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
/// The actor gives events their order. Messages go out in the order in which the session sent them.
actor SessionRunner {
    private var session: ServerSession
    private let performer: WorkPerformer
    private let outlet: any MessageOutlet
    private let clock: DeadlineClock
    private let times: SessionTimes
    private var tasks: [WorkID: RunningWork] = [:]
    private var watch: Task<Void, Never>?
    /// Waits until what is watched is followed.
    private var whenWatching: [SessionAction] = []
    /// Whether what was asked to be watched last is followed.
    private var isWatching = true
    private let listener = Listener.next()
    /// Makes contexts for what nobody asked for; of the latest delivery.
    private var watchContext: (@Sendable () async throws -> RequestContext)?
    private var idleWaiter: CheckedContinuation<Void, Never>?
    private var isStopped = false
    /// What `receive(_:on:_:)` leaves to `receiveAndWork` to begin; nil while nothing is left.
    private var unbegun: [(id: WorkID, job: WorkPerformer.Job)]?

    private struct RunningWork {
        /// Nil until whoever begins it has told.
        var task: Task<Void, any Error>?
        let limit: Duration
        /// Of the deadline clock; nil for work that may go on.
        var alarm: UInt64?
        var asks = 0
        var waiter: (number: Int, continuation: CheckedContinuation<AskOutcome, Never>)?
    }

    init(
        session: ServerSession,
        performer: WorkPerformer,
        outlet: any MessageOutlet,
        clock: DeadlineClock = .shared,
        times: SessionTimes
    ) {
        self.session = session
        self.performer = performer
        self.outlet = outlet
        self.clock = clock
        self.times = times
    }

    /// Negotiated by the latest handshake; nil before the first.
    var revision: ProtocolRevision? { session.revision }

    /// Whether no request waits for its answer.
    var isIdle: Bool { session.isIdle }

    func refusal(ofBatch messageCount: Int) -> ProtocolError? { session.refusal(ofBatch: messageCount) }

    /// Takes a delivery. Waits for nothing.
    ///
    /// - Returns: whether the session still took it.
    @discardableResult
    func receive(_ inbound: Inbound, on exchange: ExchangeID, _ facts: ExchangeFacts) -> Bool {
        guard !isStopped else {
            outlet.settle(exchange)
            return false
        }
        watchContext = facts.makeContext
        perform(session.handle(.received(inbound, exchange)), facts)
        return true
    }

    /// Takes a delivery whose sender waits for the answer: this thread does its work, as far as that goes without waiting, and
    /// none of the others is woken for it.
    ///
    /// - Returns: false when the session is over.
    nonisolated func receiveAndWork(_ inbound: Inbound, on exchange: ExchangeID, _ facts: ExchangeFacts) async -> Bool {
        guard let begun = await take(inbound, on: exchange, facts) else { return false }
        for (id, job) in begun {
            let task = Task.begunHere { [performer] in
                let outcome = await performer.perform(job)
                await self.end(id, outcome)
            }
            await adopt(task, id)
        }
        return true
    }

    private func take(
        _ inbound: Inbound,
        on exchange: ExchangeID,
        _ facts: ExchangeFacts
    ) -> [(id: WorkID, job: WorkPerformer.Job)]? {
        unbegun = []
        defer { unbegun = nil }
        return receive(inbound, on: exchange, facts) ? unbegun : nil
    }

    private func adopt(_ task: Task<Void, any Error>, _ id: WorkID) {
        // It has ended, or was cancelled before it was known.
        guard tasks[id] != nil else { return task.cancel() }
        tasks[id]?.task = task
    }

    /// The client has gone from the exchange, which cancels what it asked for there.
    func abandon(_ exchange: ExchangeID) { handle(.abandoned(exchange)) }

    /// Lets what is in flight finish for at most `grace`, then gives it up; each request is answered either way.
    func finish(within grace: Duration) async {
        if !session.isIdle {
            // Owned here: cancelled as soon as nothing is in flight any more.
            let timer = Task {
                try await Task.sleep(for: grace)
                resumeIdleWaiter()
            }
            await withCheckedContinuation { idleWaiter = $0 }
            timer.cancel()
        }
        stop()
    }

    /// Answers what is in flight with an error, at once.
    func stop() {
        guard !isStopped else { return }
        watching()
        handle(.stopping)
        isStopped = true
        watch?.cancel()
        watch = nil
    }

    // MARK: Private

    private func handle(_ event: SessionEvent) { perform(session.handle(event), nil) }

    private func perform(_ actions: [SessionAction], _ facts: ExchangeFacts?) {
        for action in actions {
            switch action {
            case .send(let message, let channel): outlet.send(message, to: channel)
            case .settle(let exchange): outlet.settle(exchange)
            case .release(let exchange): outlet.release(exchange)
            case .start(let id, let assignment):
                guard let facts else { preconditionFailure("work \(id) was started by no request") }
                start(assignment, id, facts)
            case .cancel(let id): cancel(id)
            case .answer(let id, let number, let outcome): answer(id, number, outcome)
            case .watch(let interest): follow(interest)
            case .whenWatching(let later):
                if isWatching { perform(later, nil) } else { whenWatching += later }
            }
        }
        if session.isIdle { resumeIdleWaiter() }
    }

    /// The task is unstructured so that a single request can be cancelled, and so that one that ignores its
    /// cancellation can't hold up the end of the session. `tasks` owns it: `.cancel` and `.stopping` cancel it.
    private func start(_ assignment: Assignment, _ id: WorkID, _ facts: ExchangeFacts) {
        let isDeaf = facts.hearsAnswerAlone && assignment.round == nil
        let assignment = isDeaf ? assignment.withoutQuestions : assignment
        let job = WorkPerformer.Job(
            assignment: assignment,
            revision: session.revision(of: id),
            selection: facts.selection,
            makeContext: facts.makeContext,
            emit: { [weak self] in await self?.handle(.emitted(id, $0)) },
            ask: { [weak self] questions in
                guard let self else { throw CancellationError() }
                return try await self.ask(questions, for: id)
            }
        )
        let limit = facts.workLimit ?? times.work
        tasks[id] = RunningWork(limit: limit)
        if unbegun != nil {
            unbegun?.append((id, job))
        } else {
            tasks[id]?.task = Task { [performer] in
                let outcome = await performer.perform(job)
                self.end(id, outcome)
            }
        }
        if case .listen = assignment.work { return }
        setAlarm(of: id, in: limit) { $0.handle(.expired(id)) }
    }

    private func end(_ id: WorkID, _ outcome: WorkOutcome) {
        if let work = tasks.removeValue(forKey: id), let alarm = work.alarm { clock.remove(alarm) }
        handle(.finished(id, outcome))
    }

    private func cancel(_ id: WorkID) {
        guard let work = tasks.removeValue(forKey: id) else { return }
        if let alarm = work.alarm { clock.remove(alarm) }
        work.task?.cancel()
        work.waiter?.continuation.resume(returning: .failure(.unanswered("The request was cancelled.")))
    }

    private func setAlarm(
        of id: WorkID,
        in limit: Duration,
        _ act: @escaping @Sendable (isolated SessionRunner) -> Void
    ) {
        if let alarm = tasks[id]?.alarm { clock.remove(alarm) }
        tasks[id]?.alarm = clock.add(.now + limit) { [weak self] in
            // Reaches into the actor; ends as soon as it has.
            Task { [weak self] in if let self { await act(self) } }
        }
    }

    // MARK: Questions

    /// The time that the client takes does not count as the work's.
    private func ask(_ questions: [CallerQuestion], for id: WorkID) async throws -> [String: CallerAnswer] {
        guard var work = tasks[id] else { throw CancellationError() }
        guard work.waiter == nil else { preconditionFailure("work \(id) asks twice at once") }
        work.asks += 1
        let number = work.asks
        tasks[id] = work
        let outcome = await withCheckedContinuation { continuation in
            tasks[id]?.waiter = (number, continuation)
            setAlarm(of: id, in: times.answer) { $0.handle(.unanswered(id)) }
            handle(.emitted(id, .asked(number: number, questions)))
        }
        try Task.checkCancellation()
        if let limit = tasks[id]?.limit { setAlarm(of: id, in: limit) { $0.handle(.expired(id)) } }
        return try outcome.get()
    }

    private func answer(_ id: WorkID, _ number: Int, _ outcome: AskOutcome) {
        guard let waiter = tasks[id]?.waiter, waiter.number == number else { return }
        tasks[id]?.waiter = nil
        waiter.continuation.resume(returning: outcome)
    }

    // MARK: Changes

    private func follow(_ interest: ChangeInterest) {
        guard let watcher = performer.offer.watcher, let makeContext = watchContext, !isStopped else { return }
        let previous = watch
        isWatching = false
        var interest = interest
        interest.listener = listener
        let followed = interest
        // Owned by the session: the next one and its end cancel it. It takes over what the one before told last.
        watch = Task { [weak self] in
            previous?.cancel()
            await previous?.value
            if Task.isCancelled { return }
            let changes = await watcher.follow(followed, makeContext: makeContext)
            // What comes after this one says it, for both.
            if Task.isCancelled { return }
            await self?.watching()
            for await change in changes { await self?.handle(.changed(change)) }
        }
    }

    /// Says what waited for it.
    private func watching() {
        isWatching = true
        let later = whenWatching
        whenWatching = []
        perform(later, nil)
    }

    private func resumeIdleWaiter() {
        idleWaiter?.resume()
        idleWaiter = nil
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
