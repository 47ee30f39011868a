package import Domain
package import Logging

/// The one table from what a provider throws to what the client is told.
///
/// - A tool that does not exist is a protocol error.
/// - A failed call is a result the model can read: message and hint of a `Failure`, which are safe to show.
/// - Anything else says only that it failed; what it was goes to the log.
package enum FailureTranslation {
    package static func outcome(ofCall call: ToolCall, _ error: any Error, logger: Logger) -> WorkOutcome {
        let name = call.name.prefix(toolNameCharactersMax)
        if (error as? ToolProviderError)?.code == .unknownTool {
            return .refused(.invalidParams("There is no tool named '\(name)'; see tools/list"))
        }
        note(error, "MCP tool failed", ["tool": "\(name)"], logger)
        return .called(result(of: error))
    }

    package static func outcome(ofList error: any Error, logger: Logger) -> WorkOutcome {
        note(error, "MCP list of tools failed", [:], logger)
        return .refused(ProtocolError(.internalError, result(of: error).text))
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
