import Domain

extension AgentLoop {
    /// Asks for the turn of this step, from the current model or the next one that can read so much.
    mutating func ask() -> [AgentAction] {
        shown = ""
        var tooLong: ModelError?
        for position in model..<configuration.models.count {
            do {
                let messages = try fitting(configuration.models[position])
                model = position
                return ask(messages)
            } catch {
                tooLong = tooLong ?? error
            }
        }
        return end(.failed, tooLong?.description)
    }

    private func fitting(_ model: AgentModel) throws(ModelError) -> [ModelMessage] {
        let window = ContextWindow(
            inputTokens: model.limits.inputTokens,
            system: configuration.system,
            tools: modelTools,
            responseSchema: configuration.settings.responseSchema
        )
        return try window.fitting(history)
    }

    private mutating func ask(_ messages: [ModelMessage]) -> [AgentAction] {
        let (settings, limits, model) = (configuration.settings, configuration.limits, configuration.models[self.model])
        var request = ModelRequest(
            system: configuration.system,
            messages: messages,
            tools: modelTools,
            toolChoice: toolChoice,
            outputTokensMax: min(settings.outputTokensMax ?? Limits.turnOutputTokens, model.limits.outputTokens),
            temperature: settings.temperature,
            topP: settings.topP,
            stop: settings.stop,
            seed: settings.seed,
            responseSchema: settings.responseSchema,
            thinking: settings.thinking
        )
        let input = TokenEstimate(of: request).upperBound
        var isLowered = false
        if let tokens = limits.tokens {
            let room = (tokens - usage.total) / max(model.billedAttemptsMax, 1) - input
            guard room >= min(Limits.turnOutputTokensMin, request.outputTokensMax) else {
                return end(.tokenLimit, RunMessage.tokens)
            }
            isLowered = room < request.outputTokensMax
            request.outputTokensMax = min(room, request.outputTokensMax)
        }
        let asked = AgentRequest(model: self.model, request: request, inputTokensMax: input)
        state = .asking(Asking(request: asked, isLowered: isLowered))
        return [.emit(.stepStarted(step: step, model: model.name)), .ask(asked)]
    }

    /// The last turn has to be an answer.
    private var toolChoice: ModelRequest.ToolChoice {
        let settings = configuration.settings
        if modelTools.isEmpty || settings.toolChoice == .none || step >= configuration.limits.steps { return .none }
        return step == 1 ? settings.toolChoice : .auto
    }

    mutating func take(_ reply: ModelReply, of asking: Asking, _ isCapped: Bool) -> [AgentAction] {
        var actions: [AgentAction] = []
        // A provider that did not stream has shown nothing yet.
        if reply.message.text != shown, reply.message.text.hasPrefix(shown) {
            let rest = String(reply.message.text.dropFirst(shown.count))
            shown += rest
            actions.append(.emit(.text(rest)))
        }
        actions += count(reply.usage)
        let message = reply.message
        switch reply.outcome {
        case .complete, .toolCalls:
            if !message.toolCalls.isEmpty { return actions + begin(message) }
            if message.text.isEmpty {
                return actions + fallBack(after: ModelError(.emptyReply, "the model gave an empty answer"))
            }
            return actions + conclude(message, .complete)
        case .truncated:
            if asking.isLowered { return actions + conclude(message, .tokenLimit, RunMessage.tokens) }
            if isCapped { return actions + conclude(message, .capReached, RunMessage.cap) }
            return actions + conclude(message, .truncated, RunMessage.truncated)
        case .refused(let reason):
            return actions + conclude(message, .refused, RunMessage.refused(reason))
        case .stopped(let reason):
            // Told to answer without tools, the model would have gone on.
            if step >= configuration.limits.steps, !modelTools.isEmpty, reason.contains("TOOL_CALL") {
                return actions + conclude(message, .stepLimit, RunMessage.steps(step))
            }
            return actions + conclude(message, .stopped, RunMessage.stopped(reason))
        }
    }

    /// Ends with this message as the last atom; calls that came with it are not run, but answered.
    mutating func conclude(
        _ message: ModelMessage,
        _ reason: EndReason,
        _ text: String? = nil
    ) -> [AgentAction] {
        guard message.toolCalls.isEmpty else { return refuseAll(message, reason, text) }
        guard !message.parts.isEmpty || message.original != nil else { return end(reason, text) }
        return [.emit(.atom([message]))] + end(reason, text)
    }

    /// Tries the next model of the chain, if another one may do better and nobody is misled by it.
    mutating func fallBack(after error: ModelError) -> [AgentAction] {
        var actions = count(error.usage)
        if error.code == .capReached { return actions + endKeepingText(.capReached, error.description) }
        let hasNext = model + 1 < configuration.models.count
        let mayBeginAgain = shown.isEmpty || configuration.settings.mayVoidText
        guard error.mayFallBack, hasNext, mayBeginAgain else {
            return actions + endKeepingText(.failed, error.description)
        }
        if !shown.isEmpty { actions.append(.emit(.textVoided)) }
        model += 1
        return actions + ask()
    }
}
