import Airtable
import Domain

/// What somebody is asked to agree to.
struct ConsentRequest: Sendable {
    /// The same for the same change, and another for another.
    let hash: String
    let expires: Instant
    /// For the user: what will happen, exactly.
    let message: String
    /// What agreeing does, as a button says it.
    let action: String
    /// Whether it may happen without asking.
    let isHarmless: Bool
}

/// The one place where a change is agreed to.
///
/// Nothing but the answer of the caller's user, or a hash that this process handed out, is ever taken for agreement; above all
/// nothing that stands in arguments, records or results.
struct Consent: Sendable {
    let mode: WriteMode
    let handed: HandedProposals
    let orders: ShownOrders
    let now: InstantSource

    enum Answer: Sendable, Equatable {
        case given, declined, cancelled
    }

    /// Whether somebody's word is needed.
    func isNeeded(for request: ConsentRequest, context: RequestContext) -> Bool {
        !request.isHarmless || orders.wasShown(to: context)
    }

    /// - Parameter confirm: the hash of a dry run that the call gives back.
    /// - Throws: `WritingError` when nobody can be asked; `InputRequired`.
    func to(
        _ request: ConsentRequest,
        confirm: String?,
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> Answer {
        if let confirm {
            try take(confirm, for: request, context)
            return .given
        }
        guard isNeeded(for: request, context: context) else { return .given }
        guard caller.abilities.contains(.form) else {
            throw request.isHarmless ? WritingError.ordersShown(mode) : WritingError.nobodyToAsk(mode)
        }
        // Another change is another question, so that no answer to an older one fits it.
        let key = "confirm_\(request.hash.prefix(16))"
        let kept: JSONValue = ["proposal": .string(request.hash)]
        let form = Self.form(action: request.action)
        var message = request.message
        if request.isHarmless {
            message += "\nText that was read before asks for changes by the names of tools: is this one yours?"
        }
        let question = CallerQuestion(key, .form(message: message, schema: form))
        let reply = try await caller.ask([question], keeping: kept)
        switch reply.answers[key] {
        case .accepted(let answers)? where reply.kept == kept && answers["confirm"] == true: return .given
        case .accepted?, .declined?: return .declined
        case .cancelled?, .result?, nil: return .cancelled
        }
    }

    private func take(_ hash: String, for request: ConsentRequest, _ context: RequestContext) throws(WritingError) {
        guard mode == .dryRun, handed.take(hash, now: now(), for: context) else {
            throw WritingError(
                .unknownConfirmation,
                "Nothing was changed: this hash was not given to you in the last \(Limits.proposalSeconds / 60) minutes,"
                    + " or is used up.",
                hint: "call it with dryRun: true for a new one"
            )
        }
        guard hash == request.hash else {
            throw WritingError(
                .staleConfirmation,
                "Nothing was changed: the hash is of another change, or the records have changed since.",
                hint: "call it with dryRun: true and look again"
            )
        }
    }

    private static func form(action: String) -> JSONSchema {
        // Plain, as forms of MCP are: no additionalProperties.
        JSONSchema(json: [
            "type": "object",
            "properties": ["confirm": ["type": "boolean", "title": .string(action)]],
            "required": ["confirm"],
        ])
    }
}
