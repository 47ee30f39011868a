import Database
import Domain
import Logging
import Synchronization

/// Owns the runs of this process: starts them, stores their events, ends them, and ends what other processes left.
///
/// Runs are tasks of `run()`, never of whoever asked: a connection that goes away stops nothing.
final class RunKeeper: Sendable {
    /// How long a process may say nothing before others take it for dead.
    static let lease = Duration.seconds(20)
    /// How often an idle process says that it is there, and looks for dead ones.
    static let beat = Duration.seconds(5)
    /// How long another process's request to cancel may go unnoticed.
    static let cancelPoll = Duration.milliseconds(250)

    private struct State {
        /// This process's name in leases; nil before and after `run()`, and while it is new.
        var process: String?
        var isEnding = false
        /// Stored and not yet begun.
        var waiting: [RunOrder] = []
        var active: [RunID: RunOrder] = [:]
        /// Admitted, by user; their number is that of all runs.
        var admitted: [UserID: Int] = [:]
        var admittedCount = 0
    }

    let store: ChatStore
    let now: InstantSource
    private let maker: RunMaker
    private let logger: Logger
    private let mark: String
    private let isGone: @Sendable (String) -> Bool
    private let state = Mutex(State())
    private let change = Wakeup()
    private let writer = Mutex<EventWriter?>(nil)

    /// - Parameters:
    ///   - mark: tells others of this machine whether the process is still there.
    ///   - isGone: whether the process of such a mark is no more.
    init(
        store: ChatStore,
        maker: RunMaker,
        logger: Logger,
        now: @escaping InstantSource,
        mark: String,
        isGone: @escaping @Sendable (String) -> Bool
    ) {
        self.store = store
        self.maker = maker
        self.logger = logger
        self.now = now
        self.mark = mark
        self.isGone = isGone
    }

    // MARK: The service

    /// Serves until its task is cancelled; then every run ends as `interrupted`, and is stored so.
    ///
    /// - Throws: errors of the database at the start.
    func run() async throws {
        let writer = EventWriter(
            now: now,
            store: { [self] in await persist($0) },
            onLost: { [self] in await giveUp($0) }
        )
        self.writer.withLock { $0 = writer }
        try await buryDead()
        try await register()
        await withDiscardingTaskGroup { group in
            group.addTask { await writer.run() }
            group.addTask { await self.beats() }
            group.addTask { await self.watchCancelRequests() }
            while let order = await nextOrder() {
                group.addTask { await self.execute(order) }
            }
            // Cancelled: no new ones, the active ones were cancelled with this task.
            state.withLock { $0.isEnding = true }
            while let order = await lastOrder() { group.addTask { await self.execute(order) } }
            // The group's own end waits for the runs; the writer goes on until they are stored.
            group.addTask { await self.closeWhenIdle(writer) }
        }
        if let process = state.withLock({ $0.process }) {
            // Nobody waits for us; if this fails the lease runs out.
            try? await Self.shielded { [store] in try await store.unregister(process) }
        }
        state.withLock { $0.process = nil }
        change.notify()
    }

    /// The process's name in leases, as soon as there is one.
    ///
    /// - Throws: `ChatError.notRunning` when there will be none before `deadline`.
    func process(deadline: ContinuousClock.Instant) async throws -> String {
        while true {
            let generation = change.generation
            let (process, isEnding) = state.withLock { ($0.process, $0.isEnding) }
            if isEnding { throw ChatError.notRunning }
            if let process { return process }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { [change] in await change.wait(beyond: generation) }
                group.addTask { try await Task.sleep(until: min(deadline, .now + .seconds(10))) }
                try await group.next()
                group.cancelAll()
            }
            if generation == change.generation { throw ChatError.notRunning }
        }
    }

    // MARK: Runs

    /// Takes one of the places; give it back by `leave`, or by `start`, after which the run's end does.
    func admit(_ user: UserID) throws(ChatError) {
        let error = state.withLock { state -> ChatError? in
            if state.isEnding { return .notRunning }
            if state.admittedCount >= Limits.chatRuns { return .tooManyRuns }
            if state.admitted[user, default: 0] >= Limits.chatRunsPerUser { return .tooManyRunsOfUser }
            state.admitted[user, default: 0] += 1
            state.admittedCount += 1
            return nil
        }
        if let error { throw error }
    }

    func leave(_ user: UserID) {
        state.withLock { state in
            state.admittedCount -= 1
            let count = state.admitted[user, default: 1] - 1
            state.admitted[user] = count > 0 ? count : nil
        }
        change.notify()
    }

    /// A channel for a run that is about to be stored.
    func channel(for run: ChatRun, tenant: TenantID) throws(ChatError) -> RunChannel {
        guard let writer = writer.withLock({ $0 }) else { throw .notRunning }
        return writer.channel(for: run, tenant: tenant)
    }

    func start(_ order: RunOrder) {
        state.withLock { state in
            state.waiting.append(order)
            state.active[order.run.id] = order
        }
        change.notify()
    }

    /// - Returns: false when the run is not one of this process.
    func cancel(_ run: RunID) -> Bool {
        guard let order = state.withLock({ $0.active[run] }) else { return false }
        order.cancel.signal()
        return true
    }

    /// The events of a run that this process makes.
    func channel(_ run: RunID) -> RunChannel? { state.withLock { $0.active[run]?.channel } }

    private func nextOrder() async -> RunOrder? {
        while !Task.isCancelled {
            let generation = change.generation
            if let order = state.withLock({ $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }) { return order }
            await change.wait(beyond: generation)
        }
        return nil
    }

    /// An order that waits at the end, or comes yet: whoever was admitted before it either starts a run or leaves.
    private func lastOrder() async -> RunOrder? {
        // In a task of its own, because this one is cancelled and would not wait; it is awaited right here.
        await Task { [self] in
            while true {
                let generation = change.generation
                let (order, isComing) = state.withLock { state in
                    let order = state.waiting.isEmpty ? nil : state.waiting.removeFirst()
                    return (order, state.admittedCount > state.active.count)
                }
                if let order { return order }
                guard isComing else { return nil }
                await change.wait(beyond: generation)
            }
        }.value
    }

    private func execute(_ order: RunOrder) async {
        await maker.make(order) { [self] in Task.isCancelled || state.withLock { $0.isEnding } }
        // It stays known here until its last event can be followed, or nobody here can tell more.
        await Self.shieldedWait { await order.channel.waitUntilOver() }
        state.withLock { $0.active[order.run.id] = nil }
        leave(order.context.principal.user)
    }

    private func closeWhenIdle(_ writer: EventWriter) async {
        await Self.shieldedWait { [self] in
            while true {
                let generation = change.generation
                if state.withLock({ $0.active.isEmpty }) { break }
                await change.wait(beyond: generation)
            }
        }
        writer.close()
    }

    // MARK: Storing

    private func persist(_ batches: [EventBatch]) async -> [RunID: EventWriter.Outcome] {
        let giveUpTime = ContinuousClock.now + Self.lease
        var pause = Duration.milliseconds(20)
        while true {
            guard let process = state.withLock({ $0.process }) else { return [:] }
            do {
                if try await store.append(batches, process: process, until: leaseEnd) {
                    return Dictionary(uniqueKeysWithValues: batches.map { ($0.run, .stored) })
                }
                logger.error("this process was taken for dead; its runs are interrupted")
                await renewIdentity(after: process)
                return [:]
            } catch {
                guard Self.mayPass(error), .now < giveUpTime else {
                    logger.error("events can't be stored", metadata: ["error": "\(error)"])
                    return batches.count > 1 ? await persistApart(batches, process) : [:]
                }
                logger.warning("storing events again", metadata: ["error": "\(error)"])
                try? await Task.sleep(for: pause)
                pause = min(pause * 2, .seconds(1))
            }
        }
    }

    /// One of them is what the database does not take: it must not cost the others.
    private func persistApart(_ batches: [EventBatch], _ process: String) async -> [RunID: EventWriter.Outcome] {
        var outcomes: [RunID: EventWriter.Outcome] = [:]
        for batch in batches {
            do {
                let isStored = try await store.append([batch], process: process, until: leaseEnd)
                outcomes[batch.run] = isStored ? .stored : .lost
            } catch {
                logger.error("the events of a run can't be stored", metadata: ["error": "\(error)"])
            }
        }
        return outcomes
    }

    /// Whether the same may work in a moment. Storing is repeatable, so an unknown outcome is tried again.
    private static func mayPass(_ error: any Error) -> Bool {
        guard let error = error as? DatabaseError else { return false }
        return error.kind == .busy || error.kind == .timedOut || error.code == .outcomeUnknown
    }

    /// A run whose events were lost: it is ended here and, if the database can, there.
    private func giveUp(_ channel: RunChannel) async {
        _ = cancel(channel.run)
        do {
            try await Self.shielded { [self] in
                try await store.interrupt(channel.run, at: now(), tenant: channel.tenant)
            }
        } catch {
            logger.error("a lost run can't be ended", metadata: ["error": "\(error)"])
        }
    }

    // MARK: Leases

    private var leaseEnd: Instant {
        Instant(microseconds: now().microseconds + Int64(Self.lease / .microseconds(1)))
    }

    private func register() async throws {
        let process = "prc\(RunID.random().description.dropFirst(3))"
        try await store.register(process, mark: mark, until: leaseEnd)
        state.withLock { $0.process = process }
        change.notify()
    }

    /// Somebody has ended this process's runs: it goes on under another name, without them.
    private func renewIdentity(after process: String) async {
        let orphans = state.withLock { state -> [RunOrder] in
            guard state.process == process else { return [] }
            state.process = nil
            return Array(state.active.values)
        }
        for order in orphans {
            order.channel.lose()
            order.cancel.signal()
        }
        do {
            try await Self.shielded { [self] in try await register() }
        } catch {
            logger.error("this process can't come back to life", metadata: ["error": "\(error)"])
        }
    }

    private func beats() async {
        while !Task.isCancelled {
            // The end of the sleep by cancellation is the end of the loop.
            try? await Task.sleep(for: Self.beat)
            if Task.isCancelled { return }
            await beatOnce()
        }
    }

    /// Renews the lease, ends the runs of dead processes and removes deleted conversations.
    func beatOnce() async {
        do {
            if let process = state.withLock({ $0.process }) {
                if try await !store.renew(process, until: leaseEnd) { await renewIdentity(after: process) }
            } else {
                try await register()
            }
            try await buryDead()
            while try await store.purgeOne(forgetting: { try await maker.performer.forget($0, tenant: $1) }) {}
        } catch is CancellationError {
            return
        } catch {
            logger.warning("keeping runs failed", metadata: ["error": "\(error)"])
        }
    }

    private func buryDead() async throws {
        let time = now()
        for process in try await store.deadProcesses(at: time, isGone: isGone) {
            let orphans = try await store.bury(process.id, leaseUntil: process.lease, at: time)
            guard !orphans.isEmpty else { continue }
            logger.notice("ended the runs of a dead process", metadata: ["runs": "\(orphans.count)"])
        }
    }

    private func watchCancelRequests() async {
        while !Task.isCancelled {
            // The end of the sleep by cancellation is the end of the loop.
            try? await Task.sleep(for: Self.cancelPoll)
            guard let process = state.withLock({ $0.active.isEmpty ? nil : $0.process }) else { continue }
            do {
                for run in try await store.cancelRequests(of: process) { _ = cancel(run) }
            } catch  where !Task.isCancelled {
                logger.debug("looking for requests to cancel failed", metadata: ["error": "\(error)"])
            } catch {
                return
            }
        }
    }

    // MARK: Shielding

    /// Runs `body` to its end though the task is cancelled: what a run leaves behind is written when the server ends.
    /// The task has no parent to cancel it; it is awaited here, which is its owner.
    private static func shielded(_ body: @escaping @Sendable () async throws -> Void) async throws {
        try await Task { try await body() }.value
    }

    private static func shieldedWait(_ body: @escaping @Sendable () async -> Void) async {
        await Task { await body() }.value
    }
}
