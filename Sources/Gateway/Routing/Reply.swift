import Domain
import HTTPTypes

/// What a handler answers, before the edge adds its headers.
struct Reply: Sendable {
    enum Body: Sendable {
        /// The whole of it.
        case bytes([UInt8])
        /// What is written little by little, while the client reads.
        case stream(ReplyStream)
    }

    var status: HTTPResponse.Status
    var contentType: String
    var headers: HTTPFields
    var body: Body

    init(status: HTTPResponse.Status = .ok, contentType: String, headers: HTTPFields = [:], body: [UInt8]) {
        self.init(status: status, contentType: contentType, headers: headers, body: .bytes(body))
    }

    private init(status: HTTPResponse.Status, contentType: String, headers: HTTPFields, body: Body) {
        self.status = status
        self.contentType = contentType
        self.headers = headers
        self.body = body
    }

    static func json(_ value: some WireType, status: HTTPResponse.Status = .ok) throws -> Self {
        Self(status: status, contentType: "application/json", body: try JSONCoder.encode(value))
    }

    /// Done, and nothing to say: 204.
    static let nothing = Self(status: .noContent, contentType: "", body: [])

    /// An answer that `write` makes while it is sent. The head goes out at once.
    ///
    /// What can be refused must be refused before: once the head is out, an error can only end the connection.
    /// `write` is cancelled when the client is gone and when the server shuts down; it has no deadline but
    /// `Limits.streamSeconds`. A HEAD request gets the head and `write` is not called.
    ///
    /// - Parameters:
    ///   - heartbeat: sent when nothing was written for a while, so that proxies keep the connection.
    ///   - byteCount: how much `write` will write, when that is known; nil otherwise.
    ///   - isOpenEnded: whether it goes on until somebody ends it, so that a server that stops need not wait for its end.
    ///   - finish: called when the server shuts down, so that `write` can say its last word and return.
    ///   - write: each write returns when the client's side has room for more, so nothing piles up here.
    static func stream(
        status: HTTPResponse.Status = .ok,
        contentType: String,
        headers: HTTPFields = [:],
        heartbeat: [UInt8]? = nil,
        byteCount: Int64? = nil,
        isOpenEnded: Bool = false,
        finish: (@Sendable () async -> Void)? = nil,
        _ write: @escaping @Sendable (ReplyWriter) async throws -> Void
    ) -> Self {
        Self(
            status: status,
            contentType: contentType,
            headers: headers,
            body: .stream(
                ReplyStream(
                    heartbeat: heartbeat,
                    byteCount: byteCount,
                    isOpenEnded: isOpenEnded,
                    finish: finish,
                    write: write
                )
            )
        )
    }

    /// A stream of server-sent events, kept alive by comments.
    static func events(
        status: HTTPResponse.Status = .ok,
        headers: HTTPFields = [:],
        isOpenEnded: Bool = false,
        finish: (@Sendable () async -> Void)? = nil,
        _ write: @escaping @Sendable (ReplyWriter) async throws -> Void
    ) -> Self {
        var headers = headers
        // nginx would collect what it should pass on.
        headers[.accelBuffering] = "no"
        return .stream(
            status: status,
            contentType: ServerSentEvent.contentType,
            headers: headers,
            heartbeat: ServerSentEvent.comment,
            isOpenEnded: isOpenEnded,
            finish: finish,
            write
        )
    }
}

extension HTTPField.Name {
    fileprivate static let accelBuffering = Self("X-Accel-Buffering")!
}
