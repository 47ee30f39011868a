import Domain

/// Drives one session: performs its actions, and feeds back how the work ended.
///
/// The actor gives events their order. Messages go out in the order in which the session sent them.
actor SessionDriver {
    private var session: ServerSession
    private let performer: WorkPerformer
    private let makeContext: @Sendable (WorkID) async throws -> RequestContext
    private let writer: LineWriter
    private var tasks: [WorkID: Task<Void, Never>] = [:]
    private var idleWaiter: CheckedContinuation<Void, Never>?

    init(
        session: ServerSession,
        performer: WorkPerformer,
        writer: LineWriter,
        makeContext: @escaping @Sendable (WorkID) async throws -> RequestContext
    ) {
        self.session = session
        self.performer = performer
        self.makeContext = makeContext
        self.writer = writer
    }

    /// Performs what the event asks for. Waits only for room to write, never for work.
    func handle(_ event: SessionEvent) async {
        perform(session.handle(event))
        await writer.waitForRoom()
    }

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
        perform(session.handle(.stopping))
    }

    private func perform(_ actions: [SessionAction]) {
        for action in actions {
            switch action {
            case .send(let message, _): writer.enqueue(message.json.encoded())
            case .settle: break
            case .start(let id, let work): start(work, id)
            case .cancel(let id): tasks.removeValue(forKey: id)?.cancel()
            }
        }
        if session.isIdle { resumeIdleWaiter() }
    }

    /// The task is unstructured so that a single request can be cancelled, and so that one that ignores its
    /// cancellation can't hold up the end of the session. `tasks` owns it: `.cancel` and `.stopping` cancel it.
    private func start(_ work: Work, _ id: WorkID) {
        tasks[id] = Task {
            let outcome = await performer.perform(work) {
                try await self.makeContext(id)
            } expired: {
                await self.handle(.expired(id))
            }
            tasks[id] = nil
            await handle(.finished(id, outcome))
        }
    }

    private func resumeIdleWaiter() {
        idleWaiter?.resume()
        idleWaiter = nil
    }
}
