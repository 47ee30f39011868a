import Domain
package import Logging

/// The one table from what a provider throws to what the client is told.
///
/// - What does not exist (a tool, a prompt, a resource) is a protocol error.
/// - A failed call is a result the model can read: message and hint of a `Failure`, which are safe to show.
/// - Anything else says only that it failed; what it was goes to the log.
package enum FailureTranslation {
    /// - Parameter standsAlone: whether the request is of 2026-07-28, where a missing ability is a protocol error.
    package static func outcome(
        of work: Work,
        _ error: any Error,
        standsAlone: Bool = false,
        logger: Logger
    ) -> WorkOutcome {
        if let refusal = refusal(of: error, standsAlone) { return .refused(refusal) }
        guard case .callTool(let call) = work else {
            note(error, "MCP request failed", ["work": "\(name(of: work))"], logger)
            if let failure = error as? any Failure, failure.kind.isOfParams {
                return .refused(.invalidParams(result(of: error).text))
            }
            return .refused(ProtocolError(.internalError, result(of: error).text))
        }
        let name = call.name.prefix(toolNameCharactersMax)
        if (error as? ToolProviderError)?.code == .unknownTool {
            return .refused(.invalidParams("There is no tool named '\(name)'; see tools/list"))
        }
        note(error, "MCP tool failed", ["tool": "\(name)"], logger)
        return .called(result(of: error))
    }

    private static func refusal(of error: any Error, _ standsAlone: Bool) -> ProtocolError? {
        switch error {
        case let error as ProtocolError: error
        case let error as ResourceError:
            error.code == .notFound
                ? ProtocolError(.resourceNotFound, text(of: error), data: ["uri": .string(error.uri)])
                : .invalidParams(text(of: error))
        case let error as PromptError: .invalidParams(text(of: error))
        case let error as CallerError:
            if standsAlone, error.code == .missingAbility, let ability = error.ability {
                .missingCapability(ability)
            } else {
                nil
            }
        default: nil
        }
    }

    private static func text(of failure: some Failure) -> String {
        [failure.message, failure.hint].compactMap(\.self).joined(separator: "; ")
    }

    private static func name(of work: Work) -> String {
        switch work {
        case .listTools: "tools/list"
        case .callTool: "tools/call"
        case .listResources: "resources/list"
        case .listTemplates: "resources/templates/list"
        case .readResource: "resources/read"
        case .listPrompts: "prompts/list"
        case .getPrompt: "prompts/get"
        case .complete: "completion/complete"
        case .subscribe: "resources/subscribe"
        case .listen: "subscriptions/listen"
        }
    }

    private static func result(of error: any Error) -> ToolResult {
        switch error {
        case let failure as any Failure:
            ToolResult(failure: failure)
        case is CancellationError:
            ToolResult(text: "The work was cancelled before it finished. Try again.", isError: true)
        default:
            ToolResult(
                text: "The server failed in a way it did not expect; its log says more. Trying again may help.",
                isError: true
            )
        }
    }

    private static func note(
        _ error: any Error,
        _ phrase: Logger.Message,
        _ metadata: Logger.Metadata,
        _ logger: Logger
    ) {
        var metadata = metadata
        guard let failure = error as? any Failure else {
            metadata["error"] = "\(type(of: error)): \(error)"
            return logger.error(phrase, metadata: metadata)
        }
        metadata["kind"] = "\(failure.kind.rawValue)"
        metadata["code"] = "\(code(of: failure))"
        if let detail = failure.detail { metadata["detail"] = "\(detail)" }
        logger.log(level: level(of: failure.kind), phrase, metadata: metadata)
    }

    private static func code(of failure: some Failure) -> String { failure.code.rawValue }

    private static func level(of kind: FailureKind) -> Logger.Level {
        switch kind {
        case .corrupt, .internal: .error
        case .notConfigured, .busy, .timedOut: .warning
        case .invalid, .unauthenticated, .forbidden, .notFound, .conflict, .tooLarge, .cancelled: .debug
        }
    }

    /// How much of a tool's name, which is the client's text, is repeated.
    private static let toolNameCharactersMax = 128
}

extension FailureKind {
    /// Whether it lies in what was asked for.
    fileprivate var isOfParams: Bool {
        switch self {
        case .invalid, .notFound, .tooLarge, .forbidden: true
        case .unauthenticated, .conflict, .cancelled, .notConfigured, .busy, .timedOut, .corrupt, .internal: false
        }
    }
}
