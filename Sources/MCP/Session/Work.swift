package import Domain

/// Names one piece of work of a session; never used twice.
package struct WorkID: Sendable, Hashable, Comparable {
    package let number: Int

    package init(number: Int) { self.number = number }

    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// What a session cannot do by itself, because it waits for something.
package enum Work: Sendable, Hashable {
    case listTools
    case callTool(ToolCall)
    case listResources
    case listTemplates
    case readResource(uri: String)
    case listPrompts
    case getPrompt(name: String, arguments: [String: String])
    case complete(CompletionQuestion, CompletionReference)
    /// May the caller watch it?
    case subscribe(uri: String)
    /// Tells of changes until it is cancelled.
    case listen(ChangeInterest)
}

/// What is to be completed.
package enum CompletionReference: Sendable, Hashable {
    case prompt(String)
    /// By the template of its addresses.
    case resource(String)
}

/// A piece of work, with how the client can be asked while it is done.
package struct Assignment: Sendable, Hashable {
    package let work: Work
    package let abilities: Set<CallerAbility>
    /// What the client brought with the request, where a question is an answer; nil where the work waits while the client is asked.
    package let round: Round?
    /// Where the request stands in its caller's trace.
    package let trace: TraceParent?

    /// The same for a client that cannot be reached while the work is done.
    var withoutQuestions: Assignment { Assignment(work: work, abilities: [], round: round, trace: trace) }

    /// A request of 2026-07-28 that may come again with answers to what its work asked.
    package struct Round: Sendable, Hashable {
        /// What the client said, by the questions' keys.
        package let responses: JSONObject
        /// What it was given to bring back.
        package let state: String?
        /// Method and parameters, without what differs from round to round: a state is good for this alone.
        package let binding: JSONValue
    }
}

/// How a piece of work ended.
package enum WorkOutcome: Sendable {
    case tools([ToolDefinition])
    case called(ToolResult)
    case resources([ResourceLink])
    case templates([ResourceTemplate])
    case contents([ResourceContents])
    case prompts([PromptDefinition])
    case messages([PromptMessage])
    case completed(Completion)
    case subscribed
    /// The caller has no access any more.
    case listened
    /// The client is to come again with answers, and with the state.
    case inputRequired([CallerQuestion], state: String)
    /// The request cannot be served: an unknown tool, or a list that failed.
    case refused(ProtocolError)
}

/// What a piece of work says before its end.
package enum WorkEmission: Sendable, Hashable {
    case progress(ToolProgress)
    case log(CallerLogLevel, logger: String, data: JSONValue)
    /// Questions that the work waits for; `number` tells its questions apart.
    case asked(number: Int, [CallerQuestion])
    /// What of the interest is followed from now on.
    case listening(ChangeInterest)
    case changed(OfferChange)
    /// The connection that waits for the answer may be let go.
    case released
}

/// What came of questions that work waits for.
package typealias AskOutcome = Result<[String: CallerAnswer], CallerError>
