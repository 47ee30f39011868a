import Domain

/// What is started, and how it ends.
extension ServerSession {
    mutating func start(
        _ parsed: ParsedWork,
        _ round: Assignment.Round?,
        for request: Request,
        _ envelope: RequestEnvelope,
        from source: Source,
        _ actions: inout [SessionAction]
    ) throws(ProtocolError) {
        let key = RequestKey(exchange: source.exchange, id: request.id)
        guard workByRequest[key] == nil else {
            throw .invalidRequest("Another request with this id is still in flight")
        }
        guard inFlight.count < configuration.requestsInFlightMax else {
            throw ProtocolError(
                .busy,
                "\(inFlight.count) requests are in flight, the most this server takes; send it again after an answer",
                data: ["requestsInFlightMax": .number(JSONNumber(configuration.requestsInFlightMax))]
            )
        }
        if case .listen = parsed.kind, inFlight.values.count(where: \.isListening) >= Limits.mcpListenStreams {
            throw ProtocolError(.busy, "\(Limits.mcpListenStreams) subscriptions are open, the most this server takes")
        }
        worksStarted += 1
        let id = WorkID(number: worksStarted)
        inFlight[id] = InFlight(id: request.id, kind: parsed.kind, envelope: envelope, source: source)
        workByRequest[key] = id
        if let batch = source.batch { batches[batch]?.worksPending += 1 }
        actions.append(
            .start(
                id,
                Assignment(work: parsed.work, abilities: envelope.abilities, round: round, trace: envelope.trace)
            )
        )
    }

    mutating func finish(_ work: WorkID, _ outcome: WorkOutcome, _ actions: inout [SessionAction]) {
        // Cancelled, expired or stopped meanwhile: nothing more is said about it.
        guard let request = remove(work, &actions) else { return }
        if case .subscribed = outcome, case .subscribe(let uri) = request.kind {
            watched.insert(uri)
            var said: [SessionAction] = []
            answer(message(for: request, outcome), to: request.source, &said)
            release(request.source, &said)
            actions += [.watch(interest), .whenWatching(said)]
            return
        }
        answer(message(for: request, outcome), to: request.source, &actions)
        release(request.source, &actions)
    }

    private func message(for request: InFlight, _ outcome: WorkOutcome) -> OutboundMessage {
        do throws(ProtocolError) {
            return .result(id: request.id, try result(for: request, outcome))
        } catch {
            return .failure(id: request.id, error)
        }
    }

    private func result(for request: InFlight, _ outcome: WorkOutcome) throws(ProtocolError) -> JSONValue {
        let shape = Shape(revision: request.revision)
        let frame = ResultFrame(revision: request.revision, info: configuration.info)
        switch (outcome, request.kind) {
        case (.called(let result), .callTool):
            return frame.complete(shape.json(of: result))
        case (.tools(let tools), .list(let cursor)):
            let page = try ListPage(of: tools, after: cursor, size: configuration.toolsPageSize, name: \.name)
            return frame.cacheable(page.json("tools") { shape.json(of: $0) }, .list)
        case (.resources(let links), .list(let cursor)):
            let page = try ListPage(of: links, after: cursor, size: configuration.listPageSize, name: \.uri)
            return frame.cacheable(page.json("resources") { shape.json(of: $0) }, .list)
        case (.templates(let templates), .list(let cursor)):
            let page = try ListPage(
                of: templates,
                after: cursor,
                size: configuration.listPageSize,
                name: \.uriTemplate
            )
            return frame.cacheable(page.json("resourceTemplates") { shape.json(of: $0) }, .list)
        case (.prompts(let prompts), .list(let cursor)):
            let page = try ListPage(of: prompts, after: cursor, size: configuration.listPageSize, name: \.name)
            return frame.cacheable(page.json("prompts") { shape.json(of: $0) }, .list)
        case (.contents(let contents), .readResource(let uri)):
            guard !contents.isEmpty else { throw Self.resourceNotFound(uri, request.revision) }
            return frame.cacheable(["contents": .array(contents.map { shape.json(of: $0) })], .none)
        case (.messages(let messages), .getPrompt):
            return frame.complete(["messages": .array(messages.compactMap { shape.json(of: $0) })])
        case (.completed(let completion), .complete):
            return frame.complete(shape.json(of: completion))
        case (.subscribed, .subscribe):
            return [:]
        case (.listened, .listen):
            return frame.listened(request.id)
        case (.inputRequired(let questions, let state), _):
            return frame.inputRequired(questions, state: state)
        case (.refused(let error), _):
            throw Self.refusal(error, of: request)
        default:
            preconditionFailure("the outcome \(outcome) is not of the request's kind \(request.kind)")
        }
    }

    /// Which code a resource that is not there has depends on the revision.
    private static func refusal(_ error: ProtocolError, of request: InFlight) -> ProtocolError {
        guard error.code == .resourceNotFound, !request.revision.hasHandshake else { return error }
        return ProtocolError(.invalidParams, error.message, data: error.data)
    }

    private static func resourceNotFound(_ uri: String, _ revision: ProtocolRevision) -> ProtocolError {
        ProtocolError(
            revision.hasHandshake ? .resourceNotFound : .invalidParams,
            "There is no such resource",
            data: ["uri": .string(uri)]
        )
    }

    mutating func expire(_ work: WorkID, _ actions: inout [SessionAction]) {
        guard let request = inFlight[work] else { return }
        actions.append(.cancel(work))
        switch request.kind {
        case .callTool:
            let text = "The tool took longer than its deadline and was stopped. Ask for less, or try again."
            finish(work, .called(ToolResult(text: text, isError: true)), &actions)
        case .list, .readResource, .getPrompt, .complete, .subscribe, .listen:
            let error = ProtocolError(.internalError, "The request took longer than its deadline; try again")
            finish(work, .refused(error), &actions)
        }
    }

    /// The client wants no answer any more.
    mutating func cancel(_ work: WorkID, _ actions: inout [SessionAction]) {
        guard let request = remove(work, &actions) else { return }
        actions.append(.cancel(work))
        release(request.source, &actions)
    }

    mutating func abandon(_ exchange: ExchangeID, _ actions: inout [SessionAction]) {
        for work in inFlight.filter({ $0.value.source.exchange == exchange }).keys.sorted() { cancel(work, &actions) }
    }

    mutating func stop(_ actions: inout [SessionAction]) {
        let error = ProtocolError(.internalError, "The server stopped before this request was finished")
        for work in inFlight.keys.sorted() {
            actions.append(.cancel(work))
            finish(work, inFlight[work]?.isListening == true ? .listened : .refused(error), &actions)
        }
    }

    private mutating func remove(_ work: WorkID, _ actions: inout [SessionAction]) -> InFlight? {
        guard let request = inFlight.removeValue(forKey: work) else { return nil }
        workByRequest[RequestKey(exchange: request.source.exchange, id: request.id)] = nil
        if let questions = request.questions { withdraw(questions, of: request, &actions) }
        return request
    }
}

/// Answers.
extension ServerSession {
    /// Sends the message, or keeps it until its batch is complete.
    mutating func answer(_ message: OutboundMessage, to source: Source, _ actions: inout [SessionAction]) {
        if let batch = source.batch {
            batches[batch]?.answers.append(message)
        } else {
            actions.append(.send(message, .exchange(source.exchange)))
        }
    }

    /// Notes that a piece of work is over, answered or not. After a batch's last its answers are sent.
    mutating func release(_ source: Source, _ actions: inout [SessionAction]) {
        if let batch = source.batch, var pending = batches[batch] {
            pending.worksPending -= 1
            batches[batch] = pending.worksPending > 0 ? pending : nil
            guard pending.worksPending == 0 else { return }
            if !pending.answers.isEmpty { actions.append(.send(.batch(pending.answers), .exchange(source.exchange))) }
        }
        actions.append(.settle(source.exchange))
    }
}

extension ListPage {
    func json(_ name: String, _ json: (Element) -> JSONValue) -> JSONObject {
        var members: JSONObject = [name: .array(elements.map(json))]
        if let nextCursor { members["nextCursor"] = .string(nextCursor) }
        return members
    }
}
