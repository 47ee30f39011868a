package import Domain

/// One HTTP request to the endpoint, as far as the protocol is concerned. Who is asking was settled before.
package struct EndpointRequest: Sendable {
    package enum Method: Sendable {
        case post(body: [UInt8])
        case get
        case delete
    }

    /// The headers that the protocol looks at, each with every value it came with, without white space around.
    package struct Headers: Sendable, Hashable {
        /// `Mcp-Session-Id`
        package var sessionIDs: [String] = []
        /// `MCP-Protocol-Version`
        package var protocolVersions: [String] = []
        package var accept: [String] = []
        /// `Mcp-Method`
        package var methods: [String] = []
        /// `Mcp-Name`
        package var names: [String] = []
        /// Values of `Mcp-Param-…`, by what follows the prefix, in lower case.
        package var params: [String: [String]] = [:]
        /// `Last-Event-ID`
        package var lastEventIDs: [String] = []

        package init() {}
    }

    package let method: Method
    package let headers: Headers
    /// Narrows the tools of this request.
    package let selection: ToolSelection

    package init(_ method: Method, _ headers: Headers = Headers(), selection: ToolSelection = .everything) {
        self.method = method
        self.headers = headers
        self.selection = selection
    }
}

/// What the endpoint answers.
package enum EndpointReply: Sendable {
    /// How one message is written.
    package enum Form: Sendable {
        /// `application/json`.
        case json
        /// `text/event-stream`, of one event.
        case events
    }

    /// With a new session's id when one was made.
    case message(OutboundMessage, Form, status: Int, newSession: String?)
    /// `text/event-stream`
    case stream(EndpointStream)
    /// 202 without a body: there is nothing to answer.
    case accepted
    /// 204: the session is over.
    case ended
    case refused(EndpointRefusal)
}

/// One event of a stream.
package struct StreamEvent: Sendable, Hashable {
    package let id: String?
    /// Milliseconds after which a client that was sent away should come back.
    package let retry: Int?
    /// Nil for an event that only names a place.
    package let message: OutboundMessage?

    package init(id: String? = nil, retry: Int? = nil, message: OutboundMessage? = nil) {
        self.id = id
        self.retry = retry
        self.message = message
    }
}

/// A stream of events, written while the client reads.
package struct EndpointStream: Sendable {
    /// Whether it goes on until somebody ends it.
    package let isOpenEnded: Bool
    /// Writes until all is said. To be called once; being cancelled, or a write that fails, means that the client is gone.
    package let run: @Sendable (_ write: @Sendable (StreamEvent) async throws -> Void) async throws -> Void
    /// Ends it in an orderly way: what is to be said at the end is still said.
    package let finish: @Sendable () async -> Void
}

/// Why a request is not served at all: an HTTP status, and a body that a client of JSON-RPC understands.
package struct EndpointRefusal: Error, Sendable, Hashable {
    package let status: Int
    package private(set) var message: OutboundMessage

    private init(_ status: Int, _ error: ProtocolError, id: MessageID? = nil) {
        self.status = status
        self.message = .failure(id: id, error)
    }
}

extension EndpointRefusal {
    /// The same as the answer to a request, unless it names one already.
    func answering(_ id: MessageID) -> Self {
        guard case .failure(nil, let error) = message else { return self }
        var refusal = self
        refusal.message = .failure(id: id, error)
        return refusal
    }

    /// The body is no message, or one that is not taken.
    static func malformed(_ error: ProtocolError, id: MessageID?) -> Self { Self(400, error, id: id) }

    static let missingSession = Self(
        400,
        .invalidRequest(
            "The header Mcp-Session-Id is missing; 'initialize' first, then send the id it was answered with"
        )
    )

    static let repeatedHeader = Self(
        400,
        .invalidRequest("Each header of the protocol may be sent once")
    )

    /// The same for a request that stands alone: who reads the first and who reads the last would not agree.
    static let repeatedRoutingHeader = Self(
        400,
        .headerMismatch("Each header of the protocol may be sent once")
    )

    /// Also for a session of somebody else, which the caller is not to know of.
    static let unknownSession = Self(
        404,
        .invalidRequest("There is no such session, or it has ended; 'initialize' again without Mcp-Session-Id")
    )

    /// Not 404, by which a client is told that its session is over.
    static let unknownEvent = Self(
        400,
        .invalidRequest("There is no such event any more; listen again without Last-Event-ID")
    )

    static let unheardSubscription = Self(
        406,
        .invalidRequest("Accept must allow text/event-stream for a subscription")
    )

    /// Only sessions are listened to and ended.
    static let postOnly = Self(405, .invalidRequest("Without a session there is POST alone"))

    static let notAcceptable = Self(
        406,
        .invalidRequest("Accept must allow application/json or text/event-stream")
    )

    static let listeningNotAcceptable = Self(406, .invalidRequest("Accept must allow text/event-stream"))

    static let tooManySessions = Self(
        503,
        ProtocolError(.busy, "The server holds as many sessions as it can; try again later")
    )

    /// - Parameter requested: the client's text.
    static func unsupportedVersion(_ requested: String, id: MessageID? = nil) -> Self {
        Self(400, .unsupportedVersion(requested), id: id)
    }
}
