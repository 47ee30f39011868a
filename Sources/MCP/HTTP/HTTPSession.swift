import Domain

/// Drives one session over HTTP: each body is an exchange of its own, whose answer goes back on the way it came.
///
/// A client that goes away cancels nothing: the work goes on, and its answer is dropped when it comes.
actor HTTPSession {
    private var session: ServerSession
    private let performer: WorkPerformer
    private var exchanges: [ExchangeID: Exchange] = [:]
    private var exchangesReceived = 0
    private var tasks: [WorkID: Task<Void, Never>] = [:]
    private var listeners: [Listener] = []
    private var listenersOpened = 0
    private var isEnded = false

    /// A body under way.
    private struct Exchange {
        var answer: OutboundMessage?
        var isSettled = false
        /// Nobody waits for its answer any more.
        var isAbandoned = false
        var waiter: CheckedContinuation<Void, Never>?
    }

    private struct Listener {
        let number: Int
        let continuation: CheckedContinuation<Void, Never>
    }

    init(session: ServerSession, performer: WorkPerformer) {
        self.session = session
        self.performer = performer
    }

    /// Whether the handshake has been done.
    var isOpen: Bool { session.revision != nil && !isEnded }

    func refusal(ofBatch messageCount: Int) -> ProtocolError? { session.refusal(ofBatch: messageCount) }

    /// Takes a body and waits for its answer; nil when it gets none, because nothing in it asks for one, because the
    /// client cancelled it, or because the calling task was cancelled, which nothing else is.
    ///
    /// - Parameter context: the one in which its work is done.
    /// - Throws: `unknownSession` when the session has ended.
    func answer(_ inbound: Inbound, context: RequestContext) async throws(EndpointRefusal) -> OutboundMessage? {
        guard !isEnded else { throw .unknownSession }
        exchangesReceived += 1
        let id = ExchangeID(number: exchangesReceived)
        exchanges[id] = Exchange()
        perform(session.handle(.received(inbound, id)), in: context)
        await settling(of: id)
        guard exchanges[id]?.isSettled == true else {
            exchanges[id]?.isAbandoned = true
            return nil
        }
        return exchanges.removeValue(forKey: id)?.answer
    }

    /// Returns when the session ends, when the calling task is cancelled, or when too many others listen.
    func listen() async {
        guard !isEnded else { return }
        listenersOpened += 1
        let number = listenersOpened
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if Task.isCancelled { return continuation.resume() }
                listeners.append(Listener(number: number, continuation: continuation))
                // The oldest is most likely a connection that broke without our noticing.
                if listeners.count > Limits.mcpStreamsPerSession { listeners.removeFirst().continuation.resume() }
            }
        } onCancel: {
            // Reaches into the actor; ends as soon as it has.
            Task { await self.stopListening(number) }
        }
    }

    /// Answers what is in flight with an error, and ends every stream.
    func end() {
        guard !isEnded else { return }
        isEnded = true
        perform(session.handle(.stopping))
        for listener in listeners { listener.continuation.resume() }
        listeners = []
    }

    private func stopListening(_ number: Int) {
        guard let position = listeners.firstIndex(where: { $0.number == number }) else { return }
        listeners.remove(at: position).continuation.resume()
    }

    private func settling(of id: ExchangeID) async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                if exchanges[id]?.isSettled ?? true || Task.isCancelled { return continuation.resume() }
                exchanges[id]?.waiter = continuation
            }
        } onCancel: {
            // Reaches into the actor; ends as soon as it has.
            Task { await self.giveUp(id) }
        }
    }

    private func giveUp(_ id: ExchangeID) {
        exchanges[id]?.waiter?.resume()
        exchanges[id]?.waiter = nil
    }

    /// - Parameter context: of the work that the actions start; only what was received starts any.
    private func perform(_ actions: [SessionAction], in context: RequestContext? = nil) {
        for action in actions {
            switch action {
            case .send(let message, let exchange): exchanges[exchange]?.answer = message
            case .settle(let exchange): settle(exchange)
            case .start(let id, let work):
                guard let context else { preconditionFailure("work \(id) was started by no request") }
                start(work, id, context)
            case .cancel(let id): tasks.removeValue(forKey: id)?.cancel()
            }
        }
    }

    private func settle(_ id: ExchangeID) {
        guard var exchange = exchanges[id] else { return }
        exchange.isSettled = true
        exchange.waiter?.resume()
        exchange.waiter = nil
        exchanges[id] = exchange.isAbandoned ? nil : exchange
    }

    /// The task is unstructured because it outlives the HTTP request that asked for it, when the client goes away.
    /// `tasks` owns it: `.cancel` and `.stopping` cancel it, and the context's deadline ends it.
    private func start(_ work: Work, _ id: WorkID, _ context: RequestContext) {
        tasks[id] = Task {
            let outcome = await performer.perform(work) {
                context
            } expired: {
                await self.handle(.expired(id))
            }
            tasks[id] = nil
            handle(.finished(id, outcome))
        }
    }

    private func handle(_ event: SessionEvent) { perform(session.handle(event)) }
}
