import Domain
public import Outbound

/// Calls one server of the dialect. One method is one exchange; retrying is the caller's, who knows what was shown.
public struct OpenAIClient: Sendable {
    /// Without a slash at its end.
    public let baseURL: String
    /// `host:port`, its name in errors.
    public let server: String
    private let key: OutboundSecret?
    private let transport: any HTTPTransport

    /// - Parameters:
    ///   - baseURL: with or without `/v1`: `http://localhost:11434` and `http://localhost:11434/v1` are the same. An
    ///     address with a path of its own is taken as it is.
    ///   - key: none for most local servers.
    /// - Throws: `OutboundError` `invalidAddress`.
    public init(baseURL: String, key: OutboundSecret?, transport: any HTTPTransport) throws(OutboundError) {
        var base = baseURL
        while base.hasSuffix("/") { base.removeLast() }
        let address = try OutboundAddress(base)
        guard !address.rest.contains("?") else {
            throw OutboundError(.invalidAddress, "the base address of \(address.authority) holds a query")
        }
        self.baseURL = address.rest.isEmpty ? base + "/v1" : base
        server = address.authority
        self.key = key
        self.transport = transport
    }

    /// The same server through another transport.
    public func through(_ decorate: (any HTTPTransport) -> any HTTPTransport) -> OpenAIClient {
        OpenAIClient(baseURL: baseURL, server: server, key: key, transport: decorate(transport))
    }

    private init(baseURL: String, server: String, key: OutboundSecret?, transport: any HTTPTransport) {
        self.baseURL = baseURL
        self.server = server
        self.key = key
        self.transport = transport
    }

    /// Asks for an answer as a stream.
    ///
    /// - Parameters:
    ///   - onUsage: called whenever the server tells a count, also when the stream breaks off later.
    ///   - onDelta: awaited, so that a slow consumer slows the server.
    /// - Throws: `OpenAIError`, `OutboundError`, `CancellationError`; what `onDelta` throws.
    public func stream(
        _ request: OpenAIChatRequest,
        deadlines: OutboundDeadlines,
        onUsage: @Sendable (OpenAIUsage) -> Void = { _ in },
        onDelta: @Sendable (OpenAIDelta) async throws -> Void
    ) async throws -> OpenAITurn {
        var request = request
        request.isStream = true
        request.includesUsage = true
        let outgoing = outgoing(.post, "/chat/completions", body: request.json.encoded(), deadlines: deadlines)
        let reply = try await send(outgoing)
        var assembler = OpenAIStreamAssembler(server: server)
        var isDelivered = false
        var isEnded = false
        do {
            for try await item in reply.body.serverSentEvents() {
                let deltas = try assembler.take(item)
                if let usage = assembler.usage { onUsage(usage) }
                for delta in deltas { try await onDelta(delta) }
                isDelivered = isDelivered || !deltas.isEmpty
                // Some servers leave the connection open after their last word.
                if assembler.isDone { break }
            }
            isEnded = true
            return try await turn(of: &assembler, isDelivered, onUsage: onUsage, onDelta: onDelta)
        } catch let error as OpenAIError {
            throw error.redacted(by: outgoing)
        } catch let error as OutboundError where error.code == .connectionLost && !isEnded {
            // What came may be whole all the same: some servers reset after their last frame.
            do {
                return try await turn(of: &assembler, isDelivered, onUsage: onUsage, onDelta: onDelta)
            } catch let error as OpenAIError {
                throw error.redacted(by: outgoing)
            }
        }
    }

    private func turn(
        of assembler: inout OpenAIStreamAssembler,
        _ isDelivered: Bool,
        onUsage: @Sendable (OpenAIUsage) -> Void,
        onDelta: @Sendable (OpenAIDelta) async throws -> Void
    ) async throws -> OpenAITurn {
        let turn = try assembler.finish()
        if let usage = turn.usage { onUsage(usage) }
        // A server that did not stream.
        if !isDelivered, !turn.reasoning.isEmpty { try await onDelta(.reasoning(turn.reasoning)) }
        if !isDelivered, !turn.content.isEmpty { try await onDelta(.content(turn.content)) }
        return turn
    }

    /// - Returns: one vector for each text, in their order, as the server made them: not always of unit length.
    /// - Throws: `OpenAIError`, `OutboundError`, `CancellationError`.
    public func embeddings(
        _ request: OpenAIEmbeddingRequest,
        deadlines: OutboundDeadlines = .standard
    ) async throws -> OpenAIEmbeddingReply {
        let body = try await json(outgoing(.post, "/embeddings", body: request.json.encoded(), deadlines: deadlines))
        return try OpenAIEmbeddingReply(json: body, count: request.input.count, server: server)
    }

    /// The names of the server's models.
    ///
    /// - Throws: `OpenAIError`, `OutboundError`, `CancellationError`.
    public func models(deadlines: OutboundDeadlines = .standard) async throws -> [String] {
        let body = try await json(outgoing(.get, "/models", body: [], deadlines: deadlines))
        guard case .array(let elements)? = body["data"] else {
            throw OpenAIError(.malformedReply, "\(server) answered with no list of models")
        }
        return elements.compactMap { $0["id"]?.stringValue }
    }

    private func outgoing(
        _ method: OutboundRequest.Method,
        _ path: String,
        body: [UInt8],
        deadlines: OutboundDeadlines
    ) -> OutboundRequest {
        var headers: [(name: String, value: String)] = []
        if !body.isEmpty { headers.append(("content-type", "application/json")) }
        let secrets = key.map { [(name: "authorization", value: $0.bearer)] } ?? []
        return OutboundRequest(
            method,
            baseURL + path,
            headers: headers,
            secretHeaders: secrets,
            body: body,
            deadlines: deadlines
        )
    }

    /// A reply of status 200; anything else is thrown as what it means.
    private func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let reply = try await transport.send(request)
        guard reply.status != 200 else { return reply }
        let bytes = try await reply.body.beginning(bytesMax: Limits.outboundErrorBytes)
        let retryAfter = RetryHints.retryAfter(reply.headers)
        if (300..<400).contains(reply.status) {
            throw OpenAIError(
                .malformedReply,
                "\(server) answered with a redirect (status \(reply.status)), which is not followed",
                hint: "set the address it leads to"
            )
        }
        let body =
            (try? JSONValue(parsing: bytes)).flatMap { OpenAIErrorBody(json: $0) }
            ?? OpenAIErrorBody(message: String(decoding: bytes.prefix(200), as: UTF8.self), type: "")
        throw body.failure(status: reply.status, server: server, retryAfter: retryAfter).redacted(by: request)
    }

    private func json(_ request: OutboundRequest) async throws -> JSONValue {
        let bytes = try await send(request).body.collect(bytesMax: request.replyBytesMax)
        // A batch of vectors is long and flat.
        let limits = JSONLimits(bytes: bytes.count, elements: 16_000_000, stringBytes: bytes.count)
        guard let json = try? JSONValue(parsing: bytes, limits: limits) else {
            throw OpenAIError(
                .malformedReply,
                "\(server) answered with something that is no JSON",
                detail: request.redacted(String(decoding: bytes.prefix(200), as: UTF8.self))
            )
        }
        if let error = OpenAIErrorBody(json: json) {
            throw error.failure(status: nil, server: server).redacted(by: request)
        }
        return json
    }
}

extension OpenAIError {
    /// The same, with the keys of `request` taken out of what the server wrote.
    fileprivate func redacted(by request: OutboundRequest) -> OpenAIError {
        OpenAIError(
            code,
            request.redacted(message),
            hint: hint,
            detail: detail.map { request.redacted($0) },
            retryAfter: retryAfter
        )
    }
}
