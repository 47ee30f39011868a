import Access
import Airtable
import Domain
import LLM
import Logging
import Search

/// Makes one answer, from the question to the last event.
struct RunMaker: Sendable {
    let airtable: AirtableService
    let search: SearchService
    let extractor: any Extracting
    let performer: any RunPerforming

    /// Returns when the last event is on its way to the store.
    ///
    /// - Parameter isEnding: whether the server is ending, so that a run that was cancelled is `interrupted`.
    func make(_ order: RunOrder, isEnding: @Sendable () -> Bool) async {
        let evidence = Evidence(inherited: order.turns.flatMap(\.evidence))
        let resolver = CitationResolver(airtable: airtable, evidence: evidence, context: order.context)
        let composer = AnswerComposer(channel: order.channel, run: order.run, resolver: resolver)
        let end = await withTaskGroup(of: RunEnd?.self) { group in
            group.addTask { await answer(order, composer, evidence) }
            group.addTask {
                await order.cancel.wait()
                return nil
            }
            var end: RunEnd?
            for await result in group {
                // Either the answer is there, or it is to end now, within a second.
                end = end ?? result
                group.cancelAll()
            }
            return end ?? RunEnd(reason: .failed, model: order.model, usage: TokenUsage())
        }
        let (state, reason) = Self.ending(of: end.reason, order, isEnding: isEnding())
        let isExtracted = end.model == ExtractiveModel.name
        await composer.conclude(
            end,
            state: state,
            reason: reason,
            notice: isExtracted ? ExtractiveModel.notice : nil
        )
    }

    private func answer(_ order: RunOrder, _ composer: AnswerComposer, _ evidence: Evidence) async -> RunEnd {
        do {
            try await composer.begin()
            if order.models.isEmpty {
                let model = ExtractiveModel(
                    extractor: extractor,
                    question: order.question,
                    settings: order.settings,
                    evidence: evidence,
                    context: order.context
                )
                return try await extracted(model, order, composer)
            }
            let data = UntrustedText.random()
            let turn = try await Grounding(search: search).turn(
                for: order.question,
                after: order.turns.last?.question,
                settings: order.settings,
                data: data,
                evidence: evidence,
                context: order.context
            )
            await composer.asked(turn)
            let work = RunWork(
                id: order.run.id,
                models: order.models,
                system: performer.prompt.text,
                messages: order.turns.flatMap(\.history) + [turn],
                settings: order.settings,
                data: data
            )
            return await performer.perform(work, context: order.context) { try await composer.take($0) }
        } catch {
            return Self.end(of: error, model: order.model, context: order.context)
        }
    }

    /// No loop, no tools, no tokens: one call is the answer.
    private func extracted(
        _ model: ExtractiveModel,
        _ order: RunOrder,
        _ composer: AnswerComposer
    ) async throws -> RunEnd {
        let question = ModelMessage.user(order.question)
        await composer.asked(question)
        try await composer.take(.stepStarted(step: 1, model: model.name))
        let reply = try await model.respond(
            to: ModelRequest(messages: [question]),
            call: ModelCallContext(deadline: order.context.deadline)
        ) { delta in
            if case .text(let text) = delta { try await composer.take(.text(text)) }
        }
        try await composer.take(.atom([reply.message]))
        return RunEnd(reason: .complete, model: model.name, usage: reply.usage)
    }

    private static func end(of error: any Error, model: ModelName, context: RequestContext) -> RunEnd {
        if error is CancellationError || Task.isCancelled {
            return RunEnd(reason: .cancelled, model: model, usage: TokenUsage())
        }
        let message: String
        if let failure = error as? any Failure {
            context.logger.debug("a run failed", metadata: ["error": "\(failure.detail ?? failure.message)"])
            message = failure.description
        } else {
            context.logger.error("a run failed", metadata: ["error": "\(error)"])
            message = "Something went wrong on the server."
        }
        return RunEnd(reason: .failed, model: model, usage: TokenUsage(), message: message)
    }

    /// What a run's end means for people: whoever has an answer, if only a beginning, has a completed run.
    private static func ending(
        of reason: EndReason,
        _ order: RunOrder,
        isEnding: Bool
    ) -> (ChatRun.State, EndReason) {
        switch reason {
        case .complete, .truncated, .refused, .stopped, .stepLimit, .timeLimit, .tokenLimit, .loop:
            (.completed, reason)
        case .failed, .capReached: (.failed, reason)
        case .cancelled, .interrupted:
            isEnding && !order.cancel.isSignalled ? (.interrupted, .interrupted) : (.cancelled, .cancelled)
        }
    }
}
