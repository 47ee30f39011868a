import Domain

/// One request to the endpoint, with who makes it.
struct EndpointCall: Sendable {
    let request: EndpointRequest
    let context: RequestContext
    /// How long the edge waits for the answer, or for the beginning of a stream.
    let patience: Duration
    let renewed: @Sendable () async throws -> RequestContext
    let accepted: AcceptedTypes

    init(
        request: EndpointRequest,
        context: RequestContext,
        patience: Duration,
        renewed: @escaping @Sendable () async throws -> RequestContext
    ) {
        self.request = request
        self.context = context
        self.patience = patience
        self.renewed = renewed
        accepted = AcceptedTypes(request.headers.accept)
    }

    func facts(_ times: SessionTimes) -> ExchangeFacts {
        var facts = ExchangeFacts(makeContext: { [context] in context }, selection: request.selection)
        if !accepted.events {
            facts.workLimit = min(times.work, plainWorkLimit)
            facts.hearsAnswerAlone = true
        }
        return facts
    }

    /// How long work may take for a client that reads no streams: its answer must be there before the edge gives up.
    private var plainWorkLimit: Duration { patience * 0.9 }

    /// When an answer that has not come becomes a stream; nil for a client that reads none.
    func streamAfter(_ wanted: Duration) -> Duration? { accepted.events ? min(wanted, patience / 2) : nil }

    /// Whether it speaks of a session, or may. A client of the era without has nothing to listen to and nothing to end.
    var isOfSession: Bool {
        let revision = request.headers.protocolVersions.first.map { ProtocolRevision(rawValue: $0) }
        if let revision, revision?.hasHandshake == false { return false }
        return !request.headers.sessionIDs.isEmpty || revision != nil
    }

    /// Whether a message belongs to the era without sessions: by its own words, or by the header's.
    func standsAlone(_ inbound: Inbound) -> Bool {
        if case .single(.request(let message)) = inbound, message.standsAlone { return true }
        guard let version = request.headers.protocolVersions.first else { return false }
        return ProtocolRevision(rawValue: version)?.hasHandshake == false
    }

    /// A single message as the client takes it.
    func message(_ answer: OutboundMessage, status: Int = 200, newSession: String? = nil) -> EndpointReply {
        .message(answer, accepted.json ? .json : .events, status: status, newSession: newSession)
    }
}

extension EndpointRequest.Headers {
    /// Whether no header came twice.
    var areSingle: Bool {
        [sessionIDs, protocolVersions, methods, names, lastEventIDs].allSatisfy { $0.count <= 1 }
    }
}
