import Domain

/// The server's side of one MCP session: what came in, what goes out, what is in flight.
///
/// A pure state machine: no clock, no input or output, no waiting. A driver feeds it events and performs its
/// actions in order. Each request is answered exactly once, unless the client cancels it first; then never.
package struct ServerSession: Sendable {
    package struct Configuration: Sendable {
        package var info: ServerInfo
        /// Requests being worked on at once; more are refused with `busy`.
        package var requestsInFlightMax: Int
        /// Messages of one batch.
        package var batchMessagesMax: Int
        /// Tools on one page of `tools/list`.
        package var toolsPageSize: Int

        package init(
            info: ServerInfo,
            requestsInFlightMax: Int = Limits.mcpRequestsInFlight,
            batchMessagesMax: Int = Limits.mcpBatchMessages,
            toolsPageSize: Int = Limits.mcpToolsPage
        ) {
            self.info = info
            self.requestsInFlightMax = requestsInFlightMax
            self.batchMessagesMax = batchMessagesMax
            self.toolsPageSize = toolsPageSize
        }
    }

    /// Negotiated by the latest `initialize`; nil before the first.
    package private(set) var revision: ProtocolRevision?

    private let configuration: Configuration
    private var inFlight: [WorkID: InFlight] = [:]
    private var workByRequest: [MessageID: WorkID] = [:]
    private var batches: [Int: PendingBatch] = [:]
    private var worksStarted = 0
    private var batchesReceived = 0

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Whether no request waits for its answer.
    package var isIdle: Bool { inFlight.isEmpty }

    package mutating func handle(_ event: SessionEvent) -> [SessionAction] {
        var actions: [SessionAction] = []
        switch event {
        case .received(.single(let message), let exchange):
            let worksBefore = worksStarted
            receive(message, from: Source(exchange: exchange), &actions)
            if worksStarted == worksBefore { actions.append(.settle(exchange)) }
        case .received(.batch(let messages), let exchange):
            receive(batch: messages, from: exchange, &actions)
        case .finished(let work, let outcome):
            finish(work, outcome, &actions)
        case .expired(let work):
            expire(work, &actions)
        case .stopping:
            stop(&actions)
        }
        return actions
    }

    /// A request whose work was started.
    private struct InFlight {
        let id: MessageID
        let kind: Kind
        /// As negotiated when the request came in: a second `initialize` does not change what is under way.
        let revision: ProtocolRevision
        let source: Source

        enum Kind {
            case listTools(cursor: String?)
            case callTool
        }
    }

    /// What a message came in with.
    private struct Source {
        let exchange: ExchangeID
        var batch: Int?
    }

    /// A batch whose answers are collected into one array.
    private struct PendingBatch {
        var answers: [OutboundMessage] = []
        /// One more while the batch is still being read, so that it can't be complete before its end.
        var worksPending = 1
    }
}

// MARK: - Messages

extension ServerSession {
    private mutating func receive(
        batch messages: [InboundMessage],
        from exchange: ExchangeID,
        _ actions: inout [SessionAction]
    ) {
        if let refusal = refusal(ofBatch: messages.count) {
            actions += [.send(.failure(id: nil, refusal), exchange), .settle(exchange)]
            return
        }
        batchesReceived += 1
        let source = Source(exchange: exchange, batch: batchesReceived)
        batches[batchesReceived] = PendingBatch()
        for message in messages { receive(message, from: source, &actions) }
        release(source, &actions)
    }

    /// Why a batch of so many messages is not taken; nil when it is.
    package func refusal(ofBatch messageCount: Int) -> ProtocolError? {
        guard revision?.acceptsBatches == true else {
            return .invalidRequest("Batches are accepted only in sessions of revision 2025-03-26")
        }
        guard messageCount > 0 else { return .invalidRequest("A batch holds at least one message") }
        guard messageCount <= configuration.batchMessagesMax else {
            return .invalidRequest("A batch holds at most \(configuration.batchMessagesMax) messages")
        }
        return nil
    }

    private mutating func receive(_ message: InboundMessage, from source: Source, _ actions: inout [SessionAction]) {
        switch message {
        case .request(let request):
            do {
                try dispatch(request, from: source, &actions)
            } catch {
                answer(.failure(id: request.id, error), to: source, &actions)
            }
        case .notification(let notification):
            dispatch(notification, &actions)
        case .response:
            break
        case .malformed(let error, let id):
            answer(.failure(id: id, error), to: source, &actions)
        }
    }

    /// The one place where a request finds its handler.
    ///
    /// A request of the era without handshakes names its revision in `params._meta`; when that era is built, it
    /// is told apart here, before the method is looked at.
    private mutating func dispatch(
        _ request: Request,
        from source: Source,
        _ actions: inout [SessionAction]
    ) throws(ProtocolError) {
        switch request.method {
        case "initialize":
            guard source.batch == nil else { throw .invalidRequest("'initialize' must not be part of a batch") }
            answer(.result(id: request.id, try initialize(request.params)), to: source, &actions)
        case "ping":
            answer(.result(id: request.id, [:]), to: source, &actions)
        case "tools/list":
            let revision = try negotiated(before: request)
            let cursor = try Self.cursor(in: request.params)
            try start(.listTools, .listTools(cursor: cursor), for: request, revision, from: source, &actions)
        case "tools/call":
            let revision = try negotiated(before: request)
            let call = try Self.toolCall(in: request.params)
            try start(.callTool(call), .callTool, for: request, revision, from: source, &actions)
        default:
            throw Self.methodNotFound(request.method)
        }
    }

    /// Unknown notifications are ignored; `notifications/initialized` asks nothing of us, because a client may
    /// send requests as soon as `initialize` is answered.
    private mutating func dispatch(_ notification: Notification, _ actions: inout [SessionAction]) {
        guard notification.method == "notifications/cancelled",
            let id = notification.params["requestId"].flatMap(MessageID.init),
            let work = workByRequest[id], let request = remove(work)
        else { return }
        actions.append(.cancel(work))
        release(request.source, &actions)
    }

    private mutating func initialize(_ params: JSONObject) throws(ProtocolError) -> JSONValue {
        guard let version = params["protocolVersion"]?.stringValue else {
            throw .invalidParams("'initialize' needs 'protocolVersion', a string such as '2025-11-25'")
        }
        for name in ["capabilities", "clientInfo"] {
            if let value = params[name], value.objectValue == nil {
                throw .invalidParams("'\(name)' must be an object, not \(value.kindName)")
            }
        }
        let negotiated = ProtocolRevision(rawValue: version) ?? .newest
        revision = negotiated
        return configuration.info.initializeResult(for: negotiated)
    }

    private func negotiated(before request: Request) throws(ProtocolError) -> ProtocolRevision {
        guard let revision else {
            throw .invalidRequest("'\(request.method)' came before 'initialize'; send that first")
        }
        return revision
    }

    private static func cursor(in params: JSONObject) throws(ProtocolError) -> String? {
        guard let cursor = params["cursor"] else { return nil }
        guard let text = cursor.stringValue else {
            throw .invalidParams("'cursor' must be a string, not \(cursor.kindName)")
        }
        return text
    }

    private static func toolCall(in params: JSONObject) throws(ProtocolError) -> ToolCall {
        guard let name = params["name"] else { throw .invalidParams("'tools/call' needs 'name', a tool's name") }
        guard let name = name.stringValue else {
            throw .invalidParams("'name' must be a string, not \(name.kindName)")
        }
        guard let arguments = params["arguments"] else { return ToolCall(name: name, arguments: [:]) }
        guard let arguments = arguments.objectValue else {
            throw .invalidParams("'arguments' must be an object, not \(arguments.kindName)")
        }
        return ToolCall(name: name, arguments: arguments)
    }

    private static func methodNotFound(_ method: String) -> ProtocolError {
        if let capability = capabilities[method] {
            return ProtocolError(
                .methodNotFound,
                "'\(method)' is not available: this server does not declare the capability '\(capability)'"
            )
        }
        return ProtocolError(.methodNotFound, "There is no method '\(method.prefix(methodCharactersMax))'")
    }

    /// How much of an unknown method's name is repeated in the answer.
    private static let methodCharactersMax = 100

    /// Methods of capabilities we do not declare.
    private static let capabilities = [
        "resources/list": "resources", "resources/read": "resources", "resources/templates/list": "resources",
        "resources/subscribe": "resources", "resources/unsubscribe": "resources",
        "prompts/list": "prompts", "prompts/get": "prompts",
        "completion/complete": "completions", "logging/setLevel": "logging",
        "tasks/get": "tasks", "tasks/result": "tasks", "tasks/list": "tasks", "tasks/cancel": "tasks",
    ]
}

// MARK: - Work

extension ServerSession {
    private mutating func start(
        _ work: Work,
        _ kind: InFlight.Kind,
        for request: Request,
        _ revision: ProtocolRevision,
        from source: Source,
        _ actions: inout [SessionAction]
    ) throws(ProtocolError) {
        guard workByRequest[request.id] == nil else {
            throw .invalidRequest("Another request with this id is still in flight")
        }
        guard inFlight.count < configuration.requestsInFlightMax else {
            throw ProtocolError(
                .busy,
                "\(inFlight.count) requests are in flight, the most this server takes; send it again after an answer",
                data: ["requestsInFlightMax": .number(JSONNumber(configuration.requestsInFlightMax))]
            )
        }
        worksStarted += 1
        let id = WorkID(number: worksStarted)
        inFlight[id] = InFlight(id: request.id, kind: kind, revision: revision, source: source)
        workByRequest[request.id] = id
        if let batch = source.batch { batches[batch]?.worksPending += 1 }
        actions.append(.start(id, work))
    }

    private mutating func finish(_ work: WorkID, _ outcome: WorkOutcome, _ actions: inout [SessionAction]) {
        // Cancelled, expired or stopped meanwhile: nothing more is said about it.
        guard let request = remove(work) else { return }
        answer(message(for: request, outcome), to: request.source, &actions)
        release(request.source, &actions)
    }

    private func message(for request: InFlight, _ outcome: WorkOutcome) -> OutboundMessage {
        let shape = ToolShape(revision: request.revision)
        switch (outcome, request.kind) {
        case (.called(let result), .callTool):
            return .result(id: request.id, shape.json(of: result))
        case (.tools(let tools), .listTools(let cursor)):
            do {
                let page = try ToolPage(of: tools, after: cursor, size: configuration.toolsPageSize)
                var members: JSONObject = ["tools": .array(page.tools.map { shape.json(of: $0) })]
                if let next = page.nextCursor { members["nextCursor"] = .string(next) }
                return .result(id: request.id, .object(members))
            } catch {
                return .failure(id: request.id, error)
            }
        case (.refused(let error), _):
            return .failure(id: request.id, error)
        case (.called, .listTools), (.tools, .callTool):
            preconditionFailure("the outcome \(outcome) is not of the request's kind \(request.kind)")
        }
    }

    private mutating func expire(_ work: WorkID, _ actions: inout [SessionAction]) {
        guard let request = inFlight[work] else { return }
        actions.append(.cancel(work))
        switch request.kind {
        case .listTools:
            let error = ProtocolError(.internalError, "The list of tools took longer than its deadline; try again")
            finish(work, .refused(error), &actions)
        case .callTool:
            let text = "The tool took longer than its deadline and was stopped. Ask for less, or try again."
            finish(work, .called(ToolResult(text: text, isError: true)), &actions)
        }
    }

    private mutating func stop(_ actions: inout [SessionAction]) {
        let error = ProtocolError(.internalError, "The server stopped before this request was finished")
        for work in inFlight.keys.sorted() {
            actions.append(.cancel(work))
            finish(work, .refused(error), &actions)
        }
    }

    private mutating func remove(_ work: WorkID) -> InFlight? {
        guard let request = inFlight.removeValue(forKey: work) else { return nil }
        workByRequest[request.id] = nil
        return request
    }
}

// MARK: - Answers

extension ServerSession {
    /// Sends the message, or keeps it until its batch is complete.
    private mutating func answer(_ message: OutboundMessage, to source: Source, _ actions: inout [SessionAction]) {
        if let batch = source.batch {
            batches[batch]?.answers.append(message)
        } else {
            actions.append(.send(message, source.exchange))
        }
    }

    /// Notes that a piece of work is over, answered or not. After a batch's last its answers are sent.
    private mutating func release(_ source: Source, _ actions: inout [SessionAction]) {
        if let batch = source.batch, var pending = batches[batch] {
            pending.worksPending -= 1
            batches[batch] = pending.worksPending > 0 ? pending : nil
            guard pending.worksPending == 0 else { return }
            if !pending.answers.isEmpty { actions.append(.send(.batch(pending.answers), source.exchange)) }
        }
        actions.append(.settle(source.exchange))
    }
}
