import Domain

/// What work says and asks before its end, and what changes beside it.
extension ServerSession {
    mutating func emit(_ emission: WorkEmission, of work: WorkID, _ actions: inout [SessionAction]) {
        guard var request = inFlight[work] else { return }
        let channel = Channel.exchange(request.source.exchange)
        switch emission {
        case .progress(let progress):
            guard let token = request.envelope.progressToken, progress.done > request.progress ?? -.infinity else {
                return
            }
            request.progress = progress.done
            inFlight[work] = request
            let params = Self.params(of: progress, token, request.revision)
            actions.append(.send(.notification(method: "notifications/progress", params: params), channel))
        case .log(let level, let logger, let data):
            guard let least = request.envelope.logLevel, level >= least else { return }
            let params: JSONObject = ["level": .string(level.rawValue), "logger": .string(logger), "data": data]
            actions.append(.send(.notification(method: "notifications/message", params: params), channel))
        case .asked(let number, let questions):
            ask(questions, number: number, for: work, &request, &actions)
        case .listening(let interest):
            let params = Self.tagged(["notifications": Self.json(of: interest)], request.id)
            actions.append(
                .send(.notification(method: "notifications/subscriptions/acknowledged", params: params), channel)
            )
        case .changed(let change):
            guard case .listen(let interest) = request.kind, interest.covers(change) else { return }
            let (method, params) = Self.notification(of: change)
            actions.append(.send(.notification(method: method, params: Self.tagged(params, request.id)), channel))
        case .released:
            if request.revision.hasPollingStreams { actions.append(.release(request.source.exchange)) }
        }
    }

    // MARK: Questions

    private mutating func ask(
        _ questions: [CallerQuestion],
        number: Int,
        for work: WorkID,
        _ request: inout InFlight,
        _ actions: inout [SessionAction]
    ) {
        let shape = Shape(revision: request.revision)
        var open: [MessageID] = []
        for question in questions {
            requestsSent += 1
            let id = MessageID(requestsSent)
            open.append(id)
            asked[id] = (work, question)
            let message = OutboundMessage.request(
                id: id,
                method: shape.method(of: question),
                params: shape.params(of: question)
            )
            actions.append(.send(message, .exchange(request.source.exchange)))
        }
        request.questions = PendingQuestions(number: number, open: open)
        inFlight[work] = request
    }

    /// The client's answer to a question. What we did not ask is dropped.
    mutating func take(_ response: Response, _ actions: inout [SessionAction]) {
        guard let id = response.id, let (work, question) = asked.removeValue(forKey: id),
            var request = inFlight[work], var questions = request.questions
        else { return }
        questions.open.removeAll { $0 == id }
        switch Self.answer(response, to: question, Shape(revision: request.revision)) {
        case .success(let answer): questions.answers[question.key] = answer
        case .failure(let error):
            request.questions = nil
            inFlight[work] = request
            withdraw(questions, of: request, &actions)
            actions.append(.answer(work, number: questions.number, .failure(error)))
            return
        }
        request.questions = questions.open.isEmpty ? nil : questions
        inFlight[work] = request
        if questions.open.isEmpty {
            actions.append(.answer(work, number: questions.number, .success(questions.answers)))
        }
    }

    mutating func giveUpQuestions(of work: WorkID, _ actions: inout [SessionAction]) {
        guard let questions = inFlight[work]?.questions, let request = inFlight[work] else { return }
        inFlight[work]?.questions = nil
        withdraw(questions, of: request, &actions)
        actions.append(
            .answer(work, number: questions.number, .failure(.unanswered("The client did not answer in time.")))
        )
    }

    /// Tells the client that nobody waits for its answers any more.
    func withdrawal(_ id: MessageID) -> OutboundMessage {
        .notification(
            method: "notifications/cancelled",
            params: ["requestId": id.json, "reason": "nobody waits for the answer any more"]
        )
    }

    mutating func withdraw(_ questions: PendingQuestions, of request: InFlight, _ actions: inout [SessionAction]) {
        for id in questions.open {
            asked[id] = nil
            actions.append(.send(withdrawal(id), .exchange(request.source.exchange)))
        }
    }

    private static func answer(
        _ response: Response,
        to question: CallerQuestion,
        _ shape: Shape
    ) -> Result<CallerAnswer, CallerError> {
        guard case .result(let value) = response.outcome else {
            return .failure(.unanswered("The client refused to ask its user."))
        }
        guard let answer = try? shape.answer(value, to: question) else {
            return .failure(.unanswered("The client's answer does not fit the question."))
        }
        return .success(answer)
    }

    // MARK: Changes

    mutating func tell(_ change: OfferChange, _ actions: inout [SessionAction]) {
        guard handshake != nil, interest.covers(change) else { return }
        let (method, params) = Self.notification(of: change)
        actions.append(.send(.notification(method: method, params: params), .unsolicited))
    }

    private static func notification(of change: OfferChange) -> (method: String, params: JSONObject) {
        switch change {
        case .tools: ("notifications/tools/list_changed", [:])
        case .prompts: ("notifications/prompts/list_changed", [:])
        case .resources: ("notifications/resources/list_changed", [:])
        case .resource(let uri): ("notifications/resources/updated", ["uri": .string(uri)])
        }
    }

    private static func tagged(_ params: JSONObject, _ id: MessageID) -> JSONObject {
        var members: JSONObject = ["_meta": [MetaKey.subscription: id.json]]
        for (key, value) in params { members[key] = value }
        return members
    }

    private static func json(of interest: ChangeInterest) -> JSONValue {
        var members: JSONObject = [:]
        if interest.tools { members["toolsListChanged"] = true }
        if interest.prompts { members["promptsListChanged"] = true }
        if interest.resources { members["resourcesListChanged"] = true }
        if !interest.uris.isEmpty {
            members["resourceSubscriptions"] = .array(interest.uris.sorted().map { .string($0) })
        }
        return .object(members)
    }

    private static func params(
        of progress: ToolProgress,
        _ token: JSONValue,
        _ revision: ProtocolRevision
    ) -> JSONObject {
        var params: JSONObject = ["progressToken": token, "progress": number(progress.done)]
        if let total = progress.total { params["total"] = number(total) }
        if revision.hasToolAnnotations, let message = progress.message {
            params["message"] = .string(HiddenText.visible(message))
        }
        return params
    }

    /// Whole numbers without a fraction.
    private static func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map { .number(JSONNumber($0)) } ?? JSONValue(floatLiteral: value)
    }
}

extension ChangeInterest {
    func covers(_ change: OfferChange) -> Bool {
        switch change {
        case .tools: tools
        case .prompts: prompts
        case .resources: resources
        case .resource(let uri): uris.contains(uri)
        }
    }
}
