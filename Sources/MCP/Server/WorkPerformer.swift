import Domain
import Logging

/// Does a session's work by asking the providers.
struct WorkPerformer: Sendable {
    let offer: MCPOffer
    /// For what goes wrong before there is a context.
    let logger: Logger
    let now: InstantSource

    /// One piece of work, and all that it needs.
    struct Job: Sendable {
        let assignment: Assignment
        let revision: ProtocolRevision
        /// Narrows the tools of this request.
        let selection: ToolSelection
        let makeContext: @Sendable () async throws -> RequestContext
        let emit: @Sendable (WorkEmission) async -> Void
        /// Asks the client and waits.
        let ask: @Sendable ([CallerQuestion]) async throws -> [String: CallerAnswer]
    }

    /// Whether the work is done with a look at a few rows.
    func isQuick(_ job: Job) -> Bool {
        guard case .callTool(let call) = job.assignment.work else { return false }
        return offer.tools.isQuick(call.name)
    }

    /// Performs the work and tells how it ended.
    func perform(_ job: Job) async -> WorkOutcome {
        var logger = logger
        do {
            var context = try await job.makeContext()
            if let trace = job.assignment.trace { context = context.joined(to: trace) }
            logger = context.logger
            return try await perform(job, context)
        } catch {
            // Only the session cancels, and it has given the work up already: the outcome is for nobody.
            if Task.isCancelled { return .refused(ProtocolError(.internalError, "The work was cancelled")) }
            return FailureTranslation.outcome(
                of: job.assignment.work,
                error,
                standsAlone: !job.revision.hasHandshake,
                logger: logger
            )
        }
    }

    private func perform(_ job: Job, _ context: RequestContext) async throws -> WorkOutcome {
        var rounds: AskRounds?
        if let round = job.assignment.round {
            rounds = try await AskRounds(
                round,
                revision: job.revision,
                sealer: offer.sealer,
                now: now(),
                context: context
            )
        }
        let caller = SessionCaller(
            abilities: job.assignment.abilities,
            SessionCaller.Link(emit: job.emit, ask: job.ask, rounds: rounds)
        )
        do {
            return try await perform(job, caller, context)
        } catch let question as InputRequired {
            guard let rounds, let round = job.assignment.round else { throw question }
            let state = try rounds.seal(for: round, sealer: offer.sealer, now: now(), context: context)
            return .inputRequired(question.questions, state: state)
        }
    }

    private func perform(_ job: Job, _ caller: SessionCaller, _ context: RequestContext) async throws -> WorkOutcome {
        switch job.assignment.work {
        case .listTools:
            return .tools(try await offer.tools.tools(context: context).filter(job.selection.includes))
        case .callTool(let call):
            if job.selection != .everything {
                let tool = try await offer.tools.definition(of: call.name, context: context)
                guard let tool, job.selection.includes(tool) else { throw ToolProviderError.unknownTool(call.name) }
            }
            return .called(try await offer.tools.call(call, caller: caller, context: context))
        case .listPrompts, .getPrompt, .complete(_, .prompt):
            return try await perform(job.assignment.work, try Self.need(offer.prompts), caller, context)
        case .listResources, .listTemplates, .readResource, .subscribe, .complete(_, .resource):
            return try await perform(job.assignment.work, try Self.need(offer.resources), caller, context)
        case .listen(let interest):
            return try await listen(interest, job, context)
        }
    }

    private func perform(
        _ work: Work,
        _ prompts: any PromptProvider,
        _ caller: SessionCaller,
        _ context: RequestContext
    ) async throws -> WorkOutcome {
        switch work {
        case .getPrompt(let name, let arguments):
            guard let prompt = try await prompts.prompts(context: context).first(where: { $0.name == name }) else {
                throw PromptError.unknownPrompt(name)
            }
            if let missing = prompt.arguments.first(where: { $0.isRequired && arguments[$0.name] == nil }) {
                throw PromptError.invalidArgument("The prompt '\(name)' needs the argument '\(missing.name)'")
            }
            let known = Set(prompt.arguments.map(\.name))
            return .messages(
                try await prompts.messages(
                    of: name,
                    arguments: arguments.filter { known.contains($0.key) },
                    caller: caller,
                    context: context
                )
            )
        case .complete(let question, .prompt(let name)):
            return .completed(try await prompts.complete(question, prompt: name, context: context))
        default:
            return .prompts(try await prompts.prompts(context: context))
        }
    }

    private func perform(
        _ work: Work,
        _ resources: any ResourceProvider,
        _ caller: SessionCaller,
        _ context: RequestContext
    ) async throws -> WorkOutcome {
        switch work {
        case .listTemplates:
            return .templates(try await resources.templates(context: context))
        case .readResource(let uri):
            return .contents(try await resources.read(uri, caller: caller, context: context))
        case .subscribe(let uri):
            try await resources.checkWatchable(uri, context: context)
            return .subscribed
        case .complete(let question, .resource(let template)):
            return .completed(try await resources.complete(question, template: template, context: context))
        default:
            return .resources(try await resources.resources(context: context))
        }
    }

    /// Tells what of the interest can be followed, then what changes, until the caller has no access any more.
    private func listen(_ interest: ChangeInterest, _ job: Job, _ context: RequestContext) async throws -> WorkOutcome {
        let watcher = try Self.need(offer.watcher)
        var honoured = interest
        for uri in interest.uris {
            do { try await offer.resources?.checkWatchable(uri, context: context) } catch is ResourceError {
                honoured.uris.remove(uri)
            }
        }
        // Followed before the client hears that it is, so that nothing falls between.
        let changes = await watcher.follow(honoured, makeContext: job.makeContext)
        await job.emit(.listening(honoured))
        for await change in changes { await job.emit(.changed(change)) }
        return .listened
    }

    private static func need<T>(_ provider: T?) throws(ProtocolError) -> T {
        guard let provider else { throw ProtocolError(.methodNotFound, "This server does not offer that") }
        return provider
    }
}
