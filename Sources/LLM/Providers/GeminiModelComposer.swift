import Domain
import Gemini

/// Writes a request to a model as Gemini takes it.
struct GeminiComposer {
    let request: ModelRequest
    let model: String
    let family: GeminiFamily
    let outputTokensMax: Int
    let names: GeminiFunctionNames

    init(request: ModelRequest, model: String, family: GeminiFamily, outputTokensMax: Int) {
        self.request = request
        self.model = model
        self.family = family
        self.outputTokensMax = outputTokensMax
        names = GeminiFunctionNames(request.tools.map(\.name) + request.messages.flatMap(\.toolCalls).map(\.name))
    }

    func compose() throws(ModelError) -> GeminiRequest {
        var composed = GeminiRequest(contents: try contents())
        composed.system = request.system
        composed.functions = request.tools.map { tool in
            GeminiFunction(name: names.sent(tool.name), description: tool.description, parameters: tool.parameters)
        }
        composed.functionMode =
            switch request.toolChoice {
            case .auto: nil
            case .none: GeminiFunctionMode.none
            case .required: .any
            }
        composed.settings = settings()
        if let schema = request.responseSchema, !bindsToSchema {
            // Asked for in words, where the API would refuse a schema beside functions.
            let words = "Answer with one JSON document of this JSON Schema and nothing else:\n\(schema.json.text)"
            composed.system = [request.system, words].filter { !$0.isEmpty }.joined(separator: "\n\n")
        }
        return composed
    }

    private var bindsToSchema: Bool { request.tools.isEmpty || family.takesSchemaWithFunctions }

    private func settings() -> GeminiGenerationSettings {
        var settings = GeminiGenerationSettings()
        settings.temperature = request.temperature
        settings.topP = request.topP
        settings.outputTokensMax = max(1, min(request.outputTokensMax, outputTokensMax))
        settings.stop = request.stop
        settings.seed = request.seed
        settings.responseSchema = bindsToSchema ? request.responseSchema : nil
        if let thinking = request.thinking {
            settings.thinking = family.setting(of: thinking, model: model)
            settings.includesThoughts = settings.thinking != nil && ![.off, .minimal].contains(thinking)
        }
        return settings
    }

    /// The history in Gemini's two roles.
    private func contents() throws(ModelError) -> [GeminiContent] {
        let turnStart = request.messages.lastIndex { $0.role == .user && !$0.text.isEmpty } ?? -1
        var contents: [GeminiContent] = []
        var openCalls: [OpenCall] = []
        for (position, message) in request.messages.enumerated() {
            if message.role != .tool, !openCalls.isEmpty {
                contents.append(answers(to: openCalls, []))
                openCalls = []
            }
            switch message.role {
            case .user:
                contents.append(GeminiContent(.user, [.text(message.text)]))
            case .model:
                let (content, calls) = content(of: message, isInCurrentTurn: position > turnStart)
                contents.append(content)
                openCalls = calls
            case .tool:
                let results = message.parts.compactMap { part -> ModelToolResult? in
                    if case .toolResult(let result) = part { result } else { nil }
                }
                let ids = Set(openCalls.map(\.id))
                guard results.allSatisfy({ ids.contains($0.callID) }) else {
                    throw ModelError(.historyAltered, "the history holds an answer of a tool that nobody called")
                }
                contents.append(answers(to: openCalls, results))
                openCalls = []
            }
        }
        if !openCalls.isEmpty { contents.append(answers(to: openCalls, [])) }
        let merged = GeminiContent.merged(contents)
        // A conversation begins with the user, also one whose beginning was trimmed.
        let beginning = GeminiContent(.user, [.text("(earlier messages are left out)")])
        return merged.first?.role == .model ? [beginning] + merged : merged
    }

    /// A call that waits for its answer: our identifier, and what the call went out with.
    private struct OpenCall {
        var id: String
        var sentID: String?
        var sentName: String
    }

    /// A turn of a model, as it came if this family can read its signatures, else in our own words.
    private func content(of message: ModelMessage, isInCurrentTurn: Bool) -> (GeminiContent, [OpenCall]) {
        let calls = message.toolCalls
        if let parts = originalParts(of: message) {
            let sent = parts.compactMap { GeminiPartView($0).call }
            if sent.count == calls.count {
                let open = zip(calls, sent).map { OpenCall(id: $0.id, sentID: $1.id, sentName: $1.name) }
                return (GeminiContent(.model, signed(parts, isInCurrentTurn)), open)
            }
        }
        var isSigned = !(family.wantsSignatures && isInCurrentTurn)
        var parts: [GeminiPart] = []
        for part in message.parts {
            switch part {
            case .text(let text): parts.append(.text(text))
            case .toolCall(let call):
                parts.append(
                    .functionCall(
                        id: call.id,
                        name: names.sent(call.name),
                        arguments: call.arguments.objectValue ?? [:],
                        signature: isSigned ? nil : GeminiPart.foreignSignature
                    )
                )
                isSigned = true
            case .thought, .toolResult: break
            }
        }
        let open = calls.map { OpenCall(id: $0.id, sentID: $0.id, sentName: names.sent($0.name)) }
        return (GeminiContent(.model, parts), open)
    }

    private func originalParts(of message: ModelMessage) -> [JSONObject]? {
        guard let original = message.original, original.provider == GeminiModel.provider,
            original.family == family.name
        else { return nil }
        return original.value["parts"]?.arrayValue?.compactMap(\.objectValue)
    }

    /// The parts as they came. Only a first call that came without a signature, which the API would refuse to take
    /// back, gets the stand-in.
    private func signed(_ parts: [JSONObject], _ isInCurrentTurn: Bool) -> [GeminiPart] {
        var parts = parts
        if family.wantsSignatures, isInCurrentTurn,
            let first = parts.firstIndex(where: { GeminiPartView($0).call != nil }),
            GeminiPartView(parts[first]).signature == nil
        {
            parts[first]["thoughtSignature"] = .string(GeminiPart.foreignSignature)
        }
        return parts.map { .verbatim($0) }
    }

    /// One answer for each call, in the order of the calls; a call whose answer got lost says so.
    private func answers(to calls: [OpenCall], _ results: [ModelToolResult]) -> GeminiContent {
        var rest = results
        let parts = calls.map { call -> GeminiPart in
            var response: JSONObject = ["error": "the call was ended before there was a result"]
            if let place = rest.firstIndex(where: { $0.callID == call.id }) {
                let result = rest.remove(at: place)
                response = [result.isError ? "error" : "output": .string(result.text)]
            }
            return .functionResponse(id: call.sentID, name: call.sentName, response: response)
        }
        return GeminiContent(.user, parts)
    }
}

extension GeminiFamily {
    /// Nil where thinking can't be set. The large models always think a little.
    func setting(of thinking: ModelRequest.Thinking, model: String) -> GeminiGenerationSettings.Thinking? {
        let isLarge = model.split(separator: "-").contains("pro")
        return switch (thinkingSetting, thinking) {
        case (.none, _): nil
        case (.level, .off), (.level, .minimal): .level(isLarge ? .low : .minimal)
        case (.level, .low): .level(.low)
        case (.level, .medium): .level(.medium)
        case (.level, .high): .level(.high)
        case (.budget, .off): .budget(isLarge ? 128 : 0)
        case (.budget, .minimal): .budget(512)
        case (.budget, .low): .budget(1_024)
        case (.budget, .medium): .budget(8_192)
        case (.budget, .high): .budget(24_576)
        }
    }
}
