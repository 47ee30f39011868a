import Domain

/// The server's side of one MCP conversation: what came in, what goes out, what is in flight.
///
/// A pure state machine: no clock, no input or output, no waiting. A driver feeds it events and performs its actions in order.
/// Each request is answered exactly once, unless the client cancels it first; then never. Which era a request belongs to is told by
/// the request: one that names its revision in `_meta` stands alone (2026-07-28), the others are served by the latest handshake.
package struct ServerSession: Sendable {
    package struct Configuration: Sendable {
        package var info: ServerInfo
        var features = ServerFeatures()
        /// Requests being worked on at once; more are refused with `busy`.
        package var requestsInFlightMax: Int
        /// Messages of one batch.
        package var batchMessagesMax: Int
        /// Tools on one page of `tools/list`.
        package var toolsPageSize: Int
        /// Entries on one page of the other lists.
        package var listPageSize: Int

        package init(
            info: ServerInfo,
            requestsInFlightMax: Int = Limits.mcpRequestsInFlight,
            batchMessagesMax: Int = Limits.mcpBatchMessages,
            toolsPageSize: Int = Limits.mcpToolsPage,
            listPageSize: Int = Limits.mcpListPage
        ) {
            self.info = info
            self.requestsInFlightMax = requestsInFlightMax
            self.batchMessagesMax = batchMessagesMax
            self.toolsPageSize = toolsPageSize
            self.listPageSize = listPageSize
        }

        /// For what an offer has.
        package func offering(_ offer: MCPOffer) -> Self {
            var configuration = self
            configuration.features = ServerFeatures(
                resources: offer.resources != nil,
                prompts: offer.prompts != nil,
                watching: offer.watcher != nil
            )
            return configuration
        }
    }

    let configuration: Configuration
    /// Settled by the latest `initialize`; nil before the first.
    var handshake: HandshakeState?
    var inFlight: [WorkID: InFlight] = [:]
    var workByRequest: [RequestKey: WorkID] = [:]
    var batches: [Int: PendingBatch] = [:]
    /// Requests of ours that the client has not answered.
    var asked: [MessageID: (work: WorkID, question: CallerQuestion)] = [:]
    /// What the client of the handshake watches.
    var watched: Set<String> = []
    var worksStarted = 0
    var batchesReceived = 0
    var requestsSent = 0

    package init(_ configuration: Configuration) { self.configuration = configuration }

    /// Negotiated by the latest `initialize`; nil before the first.
    package var revision: ProtocolRevision? { handshake?.revision }

    /// Whether no request waits for its answer. Who listens does not wait.
    package var isIdle: Bool { inFlight.values.allSatisfy(\.isListening) }

    package mutating func handle(_ event: SessionEvent) -> [SessionAction] {
        var actions: [SessionAction] = []
        switch event {
        case .received(.single(let message), let exchange):
            let worksBefore = worksStarted
            receive(message, from: Source(exchange: exchange), &actions)
            if worksStarted == worksBefore { actions.append(.settle(exchange)) }
        case .received(.batch(let messages), let exchange):
            receive(batch: messages, from: exchange, &actions)
        case .emitted(let work, let emission):
            emit(emission, of: work, &actions)
        case .finished(let work, let outcome):
            finish(work, outcome, &actions)
        case .expired(let work):
            expire(work, &actions)
        case .unanswered(let work):
            giveUpQuestions(of: work, &actions)
        case .changed(let change):
            tell(change, &actions)
        case .abandoned(let exchange):
            abandon(exchange, &actions)
        case .stopping:
            stop(&actions)
        }
        return actions
    }

    /// By what a request is found again. Two requests may have the same id when they came by different ways.
    struct RequestKey: Hashable {
        let exchange: ExchangeID
        let id: MessageID
    }

    /// A request whose work was started.
    struct InFlight {
        let id: MessageID
        let kind: Kind
        /// As it was when the request came in: a second `initialize` does not change what is under way.
        let envelope: RequestEnvelope
        let source: Source
        /// The last report of progress.
        var progress: Double?
        var questions: PendingQuestions?

        var revision: ProtocolRevision { envelope.revision }
        var isListening: Bool { if case .listen = kind { true } else { false } }

        enum Kind {
            /// With the cursor of the page that is asked for.
            case list(cursor: String?)
            case callTool
            case readResource(uri: String)
            case getPrompt
            case complete
            case subscribe(uri: String)
            case listen(ChangeInterest)
        }
    }

    /// Questions that a piece of work waits for.
    struct PendingQuestions {
        let number: Int
        var open: [MessageID]
        var answers: [String: CallerAnswer] = [:]
    }

    /// What a message came in with.
    struct Source {
        let exchange: ExchangeID
        var batch: Int?
    }

    /// A batch whose answers are collected into one array.
    struct PendingBatch {
        var answers: [OutboundMessage] = []
        /// One more while the batch is still being read, so that it can't be complete before its end.
        var worksPending = 1
    }
}
