public import Domain
public import Logging

/// Runs a conversation with a model to its end: asks, runs tools with the caller's own context, counts and records.
///
/// What is to be done is decided by `AgentLoop`; this is its hands and its clock.
public struct Orchestrator: Sendable {
    private let tools: any ToolProvider
    private let ledger: TokenLedger
    private let traffic: RunTrafficStore
    private let logger: Logger

    public init(tools: any ToolProvider, ledger: TokenLedger, traffic: RunTrafficStore, logger: Logger) {
        self.tools = tools
        self.ledger = ledger
        self.traffic = traffic
        self.logger = logger
    }

    /// Runs until the run ends, whatever happens: an answer, a limit, a failure, the task's cancellation.
    ///
    /// - Parameter onEvent: called one at a time and in order, never in a cancelled task: what it stores of a cancelled
    ///   run is stored. While it works, the provider's stream waits. When it throws, the run ends: `cancelled` for a
    ///   `CancellationError`, else `failed`; it is not called again then.
    /// - Returns: how it ended; after a cancellation within a second, all atoms having been given to `onEvent`.
    public func run(
        _ run: OrchestratorRun,
        context: RequestContext,
        onEvent: @Sendable (RunEvent) async throws -> Void
    ) async -> RunEnd {
        let mailbox = EventMailbox()
        return await withTaskCancellationHandler {
            await withoutActuallyEscaping(onEvent) { onEvent in
                // A task of its own, because children of a cancelled one are cancelled, and what is left to store has to
                // be stored. Owner: this method, which waits for it; the handler below ends it.
                await Task { await perform(run, context, mailbox, onEvent) }.value
            }
        } onCancel: {
            mailbox.post(.cancelled)
        }
    }

    private func perform(
        _ run: OrchestratorRun,
        _ context: RequestContext,
        _ mailbox: EventMailbox,
        _ onEvent: @escaping @Sendable (RunEvent) async throws -> Void
    ) async -> RunEnd {
        let definitions: [ToolDefinition]
        do {
            let allowed = run.offersTools ? try await tools.tools(context: context) : []
            definitions = allowed.filter { run.toolNames?.contains($0.name) ?? true }
        } catch {
            logger.error("the tools of a run could not be listed", metadata: ["error": "\(error)"])
            return RunEnd(
                reason: .failed,
                model: run.models[0].name,
                usage: TokenUsage(),
                message: (error as? any Failure)?.description ?? "the tools could not be listed"
            )
        }
        let work = RunWork(
            run: run,
            context: context,
            tools: tools,
            ledger: ledger,
            recorder: traffic.recorder(run: run.id, tenant: context.tenant, logger: logger),
            deadline: min(context.deadline, .now + run.limits.runTime),
            mailbox: mailbox,
            logger: logger
        )
        var loop = AgentLoop(
            AgentLoop.Configuration(
                models: run.models.map { AgentModel($0) },
                system: run.system,
                tools: definitions,
                settings: run.settings,
                limits: run.limits,
                data: run.data
            ),
            messages: run.messages
        )
        return await drive(&loop, work, onEvent)
    }

    private func drive(
        _ loop: inout AgentLoop,
        _ work: RunWork,
        _ onEvent: @Sendable (RunEvent) async throws -> Void
    ) async -> RunEnd {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await work.watchTheClock() }
            defer {
                work.mailbox.close()
                group.cancelAll()
            }
            // What the consumer threw; nothing is emitted after it.
            var complaint: (any Error)?
            var event = AgentEvent.started
            while true {
                for action in loop.handle(event) {
                    switch action {
                    case .emit(let event):
                        guard complaint == nil else { continue }
                        do { try await onEvent(event) } catch {
                            complaint = error
                            work.mailbox.post(.cancelled)
                        }
                    case .ask(let request):
                        let isPointless = complaint != nil
                        group.addTask { await isPointless ? work.doNotAsk() : work.ask(request) }
                    case .runTool(let position, let call):
                        guard complaint == nil else { continue }
                        group.addTask { await work.runTool(position, call) }
                    case .stop: group.cancelAll()
                    case .end(let end): return Self.end(end, complaint)
                    }
                }
                event = await work.mailbox.next()
            }
        }
    }

    private static func end(_ end: RunEnd, _ complaint: (any Error)?) -> RunEnd {
        guard let complaint, !(complaint is CancellationError) else { return end }
        var end = end
        end.reason = .failed
        end.message = (complaint as? any Failure)?.description ?? "what the run gave could not be kept"
        return end
    }
}
