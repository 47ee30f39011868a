import Domain

/// One HTTP request to the endpoint, as far as the protocol is concerned. Who is asking was settled before.
package struct EndpointRequest: Sendable {
    package enum Method: Sendable {
        case post(body: [UInt8])
        case get
        case delete
    }

    package let method: Method
    /// Every value of `Mcp-Session-Id`.
    package let sessionIDs: [String]
    /// Every value of `MCP-Protocol-Version`.
    package let protocolVersions: [String]
    /// Every value of `Accept`.
    package let accept: [String]

    package init(
        _ method: Method,
        sessionIDs: [String] = [],
        protocolVersions: [String] = [],
        accept: [String] = []
    ) {
        self.method = method
        self.sessionIDs = sessionIDs
        self.protocolVersions = protocolVersions
        self.accept = accept
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
    case message(OutboundMessage, Form, newSession: String?)
    /// An event stream that holds the answer and then ends. The work starts when `answer` is called.
    case answerAsEvents(answer: @Sendable () async -> OutboundMessage?)
    /// 202 without a body: there is nothing to answer.
    case accepted
    /// An event stream for what the server has to say by itself. It ends when `untilEnd` returns.
    case listening(untilEnd: @Sendable () async -> Void)
    /// 204: the session is over.
    case ended
    case refused(EndpointRefusal)
}

/// Why a request is not served at all: an HTTP status, and a body that a client of JSON-RPC understands.
package struct EndpointRefusal: Error, Sendable, Hashable {
    package let status: Int
    package let message: OutboundMessage

    private init(_ status: Int, _ error: ProtocolError, id: MessageID? = nil) {
        self.status = status
        self.message = .failure(id: id, error)
    }
}

extension EndpointRefusal {
    /// The body is no message, or a batch that is not taken.
    static func malformed(_ error: ProtocolError, id: MessageID?) -> Self { Self(400, error, id: id) }

    static let missingSession = Self(
        400,
        .invalidRequest(
            "The header Mcp-Session-Id is missing; 'initialize' first, then send the id it was answered with"
        )
    )

    static let repeatedHeader = Self(
        400,
        .invalidRequest("Mcp-Session-Id and MCP-Protocol-Version may each be sent once")
    )

    /// Also for a session of somebody else, which the caller is not to know of.
    static let unknownSession = Self(
        404,
        .invalidRequest("There is no such session, or it has ended; 'initialize' again without Mcp-Session-Id")
    )

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
        let supported = ProtocolRevision.allCases.reversed().map { JSONValue.string($0.rawValue) }
        return Self(
            400,
            ProtocolError(
                .unsupportedProtocolVersion,
                "This server speaks the revisions that open with 'initialize', up to \(ProtocolRevision.newest.rawValue)",
                data: [
                    "supported": .array(supported),
                    "requested": .string(String(requested.prefix(versionCharactersMax))),
                ]
            ),
            id: id
        )
    }

    /// How much of a version, which is the client's text, is repeated.
    private static let versionCharactersMax = 64
}
