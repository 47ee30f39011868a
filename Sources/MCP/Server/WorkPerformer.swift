import Domain
import Logging

/// Does a session's work: makes a context for each request and asks the provider.
struct WorkPerformer: Sendable {
    let tools: any ToolProvider
    /// For what goes wrong before there is a context.
    let logger: Logger

    /// Performs the work and tells how it ended.
    ///
    /// - Parameters:
    ///   - makeContext: called once, first.
    ///   - expired: called when the context's deadline passes before the work is done.
    func perform(
        _ work: Work,
        in makeContext: @Sendable () async throws -> RequestContext,
        expired: @escaping @Sendable () async -> Void
    ) async -> WorkOutcome {
        var logger = logger
        do {
            let context = try await makeContext()
            logger = context.logger
            // Owned here: cancelled as soon as the work is done.
            let timer = Task {
                try await Task.sleep(until: context.deadline, clock: .continuous)
                await expired()
            }
            defer { timer.cancel() }
            switch work {
            case .listTools: return .tools(try await tools.tools(context: context))
            case .callTool(let call): return .called(try await tools.call(call, context: context))
            }
        } catch {
            // Only the session cancels, and it has given the work up already: the outcome is for nobody.
            if Task.isCancelled { return .refused(ProtocolError(.internalError, "The work was cancelled")) }
            switch work {
            case .listTools: return FailureTranslation.outcome(ofList: error, logger: logger)
            case .callTool(let call): return FailureTranslation.outcome(ofCall: call, error, logger: logger)
            }
        }
    }
}
