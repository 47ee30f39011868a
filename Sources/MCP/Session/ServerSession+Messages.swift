import Domain

/// What comes in.
extension ServerSession {
    mutating func receive(
        batch messages: [InboundMessage],
        from exchange: ExchangeID,
        _ actions: inout [SessionAction]
    ) {
        if let refusal = refusal(ofBatch: messages.count) {
            actions += [.send(.failure(id: nil, refusal), .exchange(exchange)), .settle(exchange)]
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

    mutating func receive(_ message: InboundMessage, from source: Source, _ actions: inout [SessionAction]) {
        switch message {
        case .request(let request):
            do {
                try request.checkMeta()
                if request.standsAlone {
                    try dispatch(standingAlone: request, from: source, &actions)
                } else {
                    try dispatch(inSession: request, from: source, &actions)
                }
            } catch {
                answer(.failure(id: request.id, error), to: source, &actions)
            }
        case .notification(let notification):
            dispatch(notification, &actions)
        case .response(let response):
            take(response, &actions)
        case .malformed(let error, let id):
            answer(.failure(id: id, error), to: source, &actions)
        }
    }

    /// A request of the era of handshakes.
    private mutating func dispatch(
        inSession request: Request,
        from source: Source,
        _ actions: inout [SessionAction]
    ) throws(ProtocolError) {
        switch request.method {
        case "initialize":
            guard source.batch == nil else { throw .invalidRequest("'initialize' must not be part of a batch") }
            answer(.result(id: request.id, try initialize(request.params)), to: source, &actions)
        case "ping":
            answer(.result(id: request.id, [:]), to: source, &actions)
        case "server/discover":
            // Which may be the first thing that a client says, and which the other era has alone.
            _ = try RequestEnvelope(standingAlone: request)
        case "logging/setLevel":
            _ = try negotiated(before: request)
            guard let level = request.params["level"]?.stringValue.flatMap(CallerLogLevel.init) else {
                throw .invalidParams(
                    "'level' must be one of \(CallerLogLevel.allCases.map(\.rawValue).joined(separator: ", "))"
                )
            }
            handshake?.logLevel = level
            answer(.result(id: request.id, [:]), to: source, &actions)
        case "resources/unsubscribe" where configuration.features.watching && configuration.features.resources:
            _ = try negotiated(before: request)
            let uri = try request.params.text("uri", of: request.method)
            let isWatched = watched.remove(uri) != nil
            answer(.result(id: request.id, [:]), to: source, &actions)
            if isWatched { actions.append(.watch(interest)) }
        case "subscriptions/listen":
            if handshake == nil { _ = try RequestEnvelope(standingAlone: request) }
            throw Self.methodNotFound(request.method)
        default:
            guard let parsed = try ParsedWork(request, features: configuration.features) else {
                throw Self.methodNotFound(request.method)
            }
            let envelope = RequestEnvelope(request, session: try negotiated(before: request))
            if case .subscribe = parsed.kind, watched.count >= Limits.mcpWatchedResources {
                throw .invalidParams("At most \(Limits.mcpWatchedResources) resources may be watched")
            }
            try start(parsed, nil, for: request, envelope, from: source, &actions)
        }
    }

    /// A request of the era without.
    private mutating func dispatch(
        standingAlone request: Request,
        from source: Source,
        _ actions: inout [SessionAction]
    ) throws(ProtocolError) {
        guard source.batch == nil else { throw .invalidRequest("There are no batches in revision 2026-07-28") }
        let envelope = try RequestEnvelope(standingAlone: request)
        switch request.method {
        case "server/discover":
            let result = configuration.discoverResult(for: envelope.revision)
            let frame = ResultFrame(revision: envelope.revision, info: configuration.info)
            answer(.result(id: request.id, frame.cacheable(result, .discovery)), to: source, &actions)
        case "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe":
            throw ProtocolError(.methodNotFound, "There is no method '\(request.method)' in revision 2026-07-28")
        default:
            guard let parsed = try ParsedWork(request, features: configuration.features) else {
                throw Self.methodNotFound(request.method)
            }
            let round = try parsed.mayAsk ? Self.round(of: request) : nil
            try start(parsed, round, for: request, envelope, from: source, &actions)
        }
    }

    /// Unknown notifications are ignored.
    private mutating func dispatch(_ notification: Notification, _ actions: inout [SessionAction]) {
        switch notification.method {
        case "notifications/cancelled":
            guard let id = notification.params["requestId"].flatMap(MessageID.init) else { return }
            for work in workByRequest.filter({ $0.key.id == id }).values.sorted() { cancel(work, &actions) }
        case "notifications/initialized":
            // A client may send requests as soon as `initialize` is answered; it is told things from here on.
            if handshake != nil, configuration.features.watching { actions.append(.watch(interest)) }
        default:
            break
        }
    }

    private mutating func initialize(_ params: JSONObject) throws(ProtocolError) -> JSONValue {
        guard let version = params["protocolVersion"]?.stringValue else {
            throw .invalidParams("'initialize' needs 'protocolVersion', a string such as '2025-11-25'")
        }
        let capabilities = try ClientDeclaration.capabilities(params["capabilities"], as: "capabilities")
        try ClientDeclaration.checkInfo(params["clientInfo"], as: "clientInfo")
        let asked = ProtocolRevision(rawValue: version)
        let revision = asked?.hasHandshake == true ? asked ?? .newestHandshake : .newestHandshake
        handshake = HandshakeState(revision: revision, abilities: CallerAbility.declared(in: capabilities, revision))
        return configuration.initializeResult(for: revision)
    }

    private func negotiated(before request: Request) throws(ProtocolError) -> HandshakeState {
        guard let handshake else {
            // Of the other era it would lack what every request of that era has: the same code for both.
            throw .invalidParams(
                "'\(request.method)' came before 'initialize', and without '\(MetaKey.protocolVersion)' in '_meta'; send either first"
            )
        }
        return handshake
    }

    /// What a client of the handshake is told of.
    var interest: ChangeInterest {
        ChangeInterest(
            tools: true,
            prompts: configuration.features.prompts,
            resources: configuration.features.resources,
            uris: watched
        )
    }

    /// What came with a request that may be the second round of another.
    private static func round(of request: Request) throws(ProtocolError) -> Assignment.Round {
        var responses: JSONObject = [:]
        if let given = request.params["inputResponses"] {
            guard let members = given.objectValue else {
                throw .invalidParams("'inputResponses' must be an object, not \(given.kindName)")
            }
            responses = members
        }
        var state: String?
        if let given = request.params["requestState"] {
            state = given.stringValue
            guard state != nil else { throw .invalidParams("'requestState' must be a string, not \(given.kindName)") }
        }
        var rest = request.params
        for name in ["_meta", "inputResponses", "requestState"] { rest[name] = nil }
        return Assignment.Round(
            responses: responses,
            state: state,
            binding: [.string(request.method), .object(rest)]
        )
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

    /// Methods of capabilities that may be missing.
    private static let capabilities = [
        "resources/list": "resources", "resources/read": "resources", "resources/templates/list": "resources",
        "resources/subscribe": "resources", "resources/unsubscribe": "resources",
        "prompts/list": "prompts", "prompts/get": "prompts", "completion/complete": "completions",
        "tasks/get": "tasks", "tasks/result": "tasks", "tasks/list": "tasks", "tasks/cancel": "tasks",
    ]
}
