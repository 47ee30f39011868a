import Domain
import Logging

/// The work of one run that takes time: each method runs in a task of its own and reports to the mailbox.
struct RunWork: Sendable {
    let run: OrchestratorRun
    let context: RequestContext
    let tools: any ToolProvider
    let ledger: TokenLedger
    let recorder: any TrafficRecorder
    let deadline: ContinuousClock.Instant
    let mailbox: EventMailbox
    let logger: Logger

    func watchTheClock() async {
        do {
            try await Task.sleep(until: deadline)
            try await mailbox.send(.timePassed)
        } catch {
            // The run ended first.
        }
    }

    /// Asks for one turn. Reports exactly one of `replied`, `failed` and `abandoned`.
    func ask(_ asked: AgentRequest) async {
        let model = MeteredModel(run.models[asked.model], ledger: ledger, run: run.id, context: context)
        let turn = await model.answer(
            asked.request,
            inputTokensMax: asked.inputTokensMax,
            call: ModelCallContext(deadline: deadline, traffic: recorder)
        ) { try await mailbox.send(.delta($0)) }
        await report(event(of: turn, model.name))
    }

    /// In place of asking, when the run is to end anyway.
    func doNotAsk() async { await report(.abandoned(TokenUsage())) }

    private func event(of turn: MeteredModel.Turn, _ name: ModelName) -> AgentEvent {
        switch turn.result {
        case .success(let reply): return .replied(reply, isCapped: turn.isCapped)
        case .failure(let error as ModelError):
            // The provider may notice the run's deadline before the run's own clock does.
            if error.code == .timedOut, .now >= deadline { mailbox.post(.timePassed) }
            return .failed(error.costing(turn.usage))
        case .failure(is CancellationError): return .abandoned(turn.usage)
        case .failure(let error):
            if Task.isCancelled { return .abandoned(turn.usage) }
            logger.error("a model could not be asked", metadata: ["model": "\(name)", "error": "\(error)"])
            return .failed(Self.translated(error).costing(turn.usage))
        }
    }

    /// Errors that are no `ModelError`: of the database, or our own fault.
    private static func translated(_ error: any Error) -> ModelError {
        guard let failure = error as? any Failure else {
            return ModelError(.requestRefused, "the model could not be asked", detail: "\(error)")
        }
        return ModelError(.requestRefused, failure.message, hint: failure.hint, detail: failure.detail)
    }

    /// Runs one tool, for no longer than it may.
    func runTool(_ position: Int, _ call: ToolCall) async {
        let clock = ContinuousClock()
        let start = clock.now
        let result = await withTaskGroup(of: ToolResult?.self) { group in
            group.addTask { await self.result(of: call) }
            group.addTask {
                // Cancelled when the tool is faster.
                try? await Task.sleep(until: start + run.limits.toolTime)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        if let result {
            await report(.toolFinished(position: position, result, duration: clock.now - start))
        } else {
            await report(.toolTimedOut(position: position))
        }
    }

    private func result(of call: ToolCall) async -> ToolResult {
        do { return try await tools.call(call, context: context) } catch let error as any Failure {
            if error.kind == .internal || error.kind == .corrupt {
                logger.error("a tool failed", metadata: ["tool": "\(call.name)", "error": "\(error)"])
            }
            return ToolResult(failure: error)
        } catch {
            if !(error is CancellationError) {
                logger.error("a tool failed", metadata: ["tool": "\(call.name)", "error": "\(error)"])
            }
            return ToolResult(text: "The tool failed.", isError: true)
        }
    }

    private func report(_ event: AgentEvent) async {
        // Thrown when the run is over: then nobody needs it.
        try? await mailbox.send(event)
    }
}

extension ModelError {
    /// The same with what was settled.
    func costing(_ usage: TokenUsage) -> ModelError {
        ModelError(code, message, hint: hint, detail: detail, retryAfter: retryAfter, usage: usage)
    }
}
