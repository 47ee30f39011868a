import Access
import Airtable
import Domain
import HTTPTypes
public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle

/// Answers every request of one listener: finds the route, asks who is calling and whether they may, reads the body,
/// calls the handler, and turns whatever happened into a response.
///
/// The order is the point: nothing is decoded before the permission is checked, and every way out passes through
/// `response`, where the headers, the log line and the metrics are made.
public struct GatewayResponder: HTTPResponder {
    public typealias Context = EdgeContext

    let table: RouteTable
    let services: GatewayServices
    let requestTimeout: Duration
    let heartbeatInterval: Duration
    let keyCheckInterval: Duration
    let origins: OriginPolicy
    let clients: ClientFinder
    let edge: EdgeGuards
    let log: AccessLog
    let metrics: HTTPMetrics

    public func respond(to request: Request, context: EdgeContext) async throws -> Response {
        let isAlone = edge.began()
        defer { edge.ended() }
        if isAlone { return try await respond(to: request, context, isAlone: true) }
        // With others about, an event loop that reads on while threads answer does more in all.
        return try await withTaskExecutorPreference(globalConcurrentExecutor) {
            try await respond(to: request, context, isAlone: false)
        }
    }

    private func respond(to request: Request, _ context: EdgeContext, isAlone: Bool) async throws -> Response {
        var request = request
        let client = clients.client(of: request.headers, peer: RemoteAddress(context.channel))
        if let headers = ForwardedFields.removed(from: request.headers) {
            var head = request.head
            head.headerFields = headers
            request = Request(head: head, body: request.body)
        }
        var exchange = Exchange(
            requestID: RequestIdentifier.identifier(for: request.headers),
            trace: TraceParent(request.headers),
            method: request.method,
            path: request.uri.path,
            query: request.uri.query,
            started: .now,
            client: client,
            isBodyDone: JSONBody.isSkippable(request.headers),
            isAlone: isAlone
        )
        metrics.began()
        var reply: Reply
        do {
            reply = try await answer(request, &exchange, context.channel)
        } catch {
            reply = problem(error, request.headers, &exchange)
        }
        allowNamedPage(request, exchange.path, &reply.headers)
        nameMetadata(request, exchange, reply.status, &reply.headers)
        let route = exchange.route.map { table.routes[$0].pattern.description } ?? "unmatched"
        let account = ExchangeAccount(exchange, route: route, status: reply.status.code, log: log, metrics: metrics)
        switch reply.body {
        case .bytes(let bytes):
            let response = response(reply, bytes, exchange, context)
            AfterAnswer.perform { account.end(byteCount: bytes.count) }
            return response
        case .stream(let stream):
            return response(reply, stream, exchange, context, account)
        }
    }

    private func answer(
        _ request: Request,
        _ exchange: inout Exchange,
        _ channel: any Channel
    ) async throws -> Reply {
        try GatewayError.checkLength(ofTarget: request.head.path ?? "", path: exchange.path)
        if exchange.method == .options, request.head.path == "*" {
            // RFC 9110, section 9.3.7: about the server as a whole.
            return Reply(status: .noContent, contentType: "", headers: [.allow: Self.allMethods], body: [])
        }
        let match = try match(&exchange)
        exchange.route = match.position
        let route = table.routes[match.position]
        try edge.limiter.admit(exchange.client, route.cost, &exchange.limit)
        if route.cost != .free { try edge.gate(of: route).checkRoom() }
        let deadline = exchange.started + max(requestTimeout, route.timeout ?? .zero)

        switch route.handler {
        case .open(let handle):
            let call = try await call(route, match, request, &exchange, deadline)
            return try await work(route, until: deadline, isAlone: exchange.isAlone) { try await handle(call) }
        case .requires(_, let handle), .requiresThere(_, let handle), .authenticated(let handle),
            .signedIn(let handle), .operates(let handle):
            let context = try await proven(&exchange) { try await caller(of: route, request, $0) }
            try edge.limiter.admit(context, route.cost, &exchange.limit)
            try await admit(context, to: route)
            let call = try await naming(match, route, context) {
                try await self.call(route, match, request, &exchange, deadline)
            }
            let client = route.endsWithClient ? channel : nil
            let conditional = conditional(match.position, handle)
            let handled: @Sendable () async throws -> Reply = {
                try await naming(match, route, context) { try await conditional(call, context) }
            }
            guard let replies = services.replies, let keyed = try IdempotentRequest(route, call, context) else {
                return try await work(route, until: deadline, for: client, isAlone: exchange.isAlone, handled)
            }
            let failed = exchange
            return try await work(route, until: deadline, for: client, isAlone: exchange.isAlone) {
                try await keyed.run(replies, context, now: .now()) { error in
                    var exchange = failed
                    return problem(error, call.headers, &exchange)
                } _: {
                    try await handled()
                }
            }
        case .mcp(let handle):
            try origins.check(origins: request.headers[values: .origin], host: request.head.authority)
            let context = try await proven(&exchange) { exchange in
                if let guest = services.mcpGuest, request.headers[.authorization] == nil { return try await guest() }
                return try await services.access.authenticate(
                    bearer: BearerKey.text(in: request.headers),
                    at: .resource(services.mcpAddress(request, exchange.client)),
                    client: exchange.address,
                    // Work ends before the request does, so that the client gets a result that a model can read.
                    timeout: route.reply.isStream ? .seconds(Limits.streamSeconds) : requestTimeout * 0.9,
                    requestID: exchange.requestID,
                    origin: .mcpHTTP,
                    logger: log.logger(in: exchange.trace)
                )
            }
            try edge.limiter.admit(context, route.cost, &exchange.limit)
            let call = try await call(route, match, request, &exchange, deadline)
            let client = MCPRoutes.endsWithClient(request.headers) ? channel : nil
            return try await work(route, until: deadline, for: client, isAlone: exchange.isAlone) {
                try await handle(call, context)
            }
        }
    }

    /// What is asked of a known caller before anything of the request is read.
    private func admit(_ context: Domain.RequestContext, to route: Route) async throws {
        switch route.handler {
        case .requires(let permission, _): try context.require(permission)
        case .requiresThere(let permission, _):
            try await services.access.requireSomewhere(permission, context: context)
        case .signedIn:
            guard context.principal.ownSession != nil else { throw AccessError.sessionRequired }
        case .operates: try await services.access.requireOperator(context: context)
        case .open, .authenticated, .mcp: break
        }
    }

    /// Who asks, and what they may by a policy not older than they ask for.
    private func caller(
        of route: Route,
        _ request: Request,
        _ exchange: Exchange
    ) async throws -> Domain.RequestContext {
        let known = try await services.access.authenticate(
            bearer: BearerKey.text(in: request.headers),
            client: exchange.address,
            timeout: route.reply.isStream ? .seconds(Limits.streamSeconds) : workTimeout(route),
            requestID: exchange.requestID,
            logger: log.logger(in: exchange.trace)
        )
        return try await services.access.fresh(known, atLeast: request.headers[.policyVersion])
    }

    private func call(
        _ route: Route,
        _ match: RouteTable.Match,
        _ request: Request,
        _ exchange: inout Exchange,
        _ deadline: ContinuousClock.Instant
    ) async throws -> RouteCall {
        if !route.isMCP { try route.reply.checkAcceptance(request.headers[values: .accept]) }
        let query = try QueryParameters(parsing: route.readsQuery ? nil : exchange.query, allowed: route.query)
        var value = JSONValue.null
        var bytes: [UInt8] = []
        var file: SpooledFile?
        if let upload = route.upload {
            file = try await RequestDeadline.run(until: deadline) { [spool = services.spool] in
                try await FileBody.file(of: request, as: upload, query, in: spool)
            }
            exchange.isBodyDone = true
        }
        if let body = route.body {
            let end = min(deadline, exchange.started + workTimeout(route))
            (bytes, value) = try await RequestDeadline.run(until: end, beginning: .here) {
                let bytes = try await JSONBody.bytes(of: request, as: body)
                return (bytes, body.isChecked ? try JSONBody.value(of: bytes, as: body) : .null)
            }
            exchange.isBodyDone = true
        }
        return RouteCall(
            services: services,
            permission: route.permission,
            path: exchange.path,
            query: query,
            rawQuery: exchange.query ?? "",
            headers: request.headers,
            deadline: deadline,
            requestID: exchange.requestID,
            logger: log.logger,
            client: exchange.client,
            isDraining: edge.drain.isDraining || Task.isShuttingDownGracefully,
            authority: RouteCall.authority(request.head.authority),
            body: value,
            bytes: bytes,
            file: file,
            parameters: match.parameters,
            table: table
        )
    }

    private static let allMethods = "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"

    /// How long the body of a request may take to come, and its work the database: as for all requests, unless the body
    /// is large and the client's line slow.
    private func workTimeout(_ route: Route) -> Duration {
        let isLong = route.upload != nil || route.reply.isFile || (route.body?.limit ?? 0) > Limits.jsonBytes
        guard isLong else { return requestTimeout }
        return max(requestTimeout, route.timeout ?? .zero)
    }

    /// Lets a page of a named origin call the API and read its answers, refusals too.
    private func allowNamedPage(_ request: Request, _ path: String, _ headers: inout HTTPFields) {
        guard origins.namesAny, CrossOrigin.covers(path) else { return }
        // Also without an origin: what is kept for one page must not be given to another.
        headers[.vary] = [headers[.vary], "Origin"].compactMap(\.self).joined(separator: ", ")
        guard let origin = origins.named(origins: request.headers[values: .origin]) else { return }
        let isPreflight = request.method == .options
        let method = isPreflight ? request.headers[.accessControlRequestMethod] : request.method.rawValue
        // What is no method, and what is no route, has no permission to give.
        guard let method = method.flatMap({ HTTPRequest.Method(rawValue: $0) }),
            let match = try? table.match(method, path[...]),
            (try? origins.check(origins: [origin], host: request.head.authority)) != nil
        else { return }
        let methods = table.routes.filter { $0.pattern == table.routes[match.position].pattern }.map(\.method.rawValue)
        CrossOrigin.allow(origin, preflight: isPreflight ? methods : nil, in: &headers)
    }

    // MARK: Answers

    /// Turns what was thrown into a problem document, with the headers its status asks for.
    func problem(_ error: any Error, _ requestHeaders: HTTPFields, _ exchange: inout Exchange) -> Reply {
        let failure = error as? any Failure ?? UnknownFailure(error)
        if let refusal = failure as? GatewayError, refusal.code == .methodNotAllowed {
            let allowed: HTTPFields = [.allow: refusal.allowedMethods.joined(separator: ", ")]
            if exchange.method == .options {
                return Reply(status: .noContent, contentType: "", headers: allowed, body: [])
            }
            exchange.failure = failure
            return problem(failure, exchange, headers: allowed)
        }
        exchange.failure = failure
        noteRefusal(failure, exchange)
        var headers = HTTPFields()
        if failure.kind == .unauthenticated {
            headers[.wwwAuthenticate] = BearerKey.challenge(for: requestHeaders)
        }
        if let insufficient = failure as? InsufficientScope { headers[.wwwAuthenticate] = insufficient.challenge }
        if (failure as? GatewayError)?.code == .upgradeRequired {
            headers[.upgrade] = "websocket"
            headers[SocketHandshake.version] = "13"
        }
        if let seconds = (failure as? GatewayError)?.retryAfterSeconds ?? ProblemStatus.retryAfterSeconds(failure.kind)
        {
            headers[.retryAfter] = "\(seconds)"
        }
        return problem(failure, exchange, headers: headers)
    }

    private func problem(_ failure: any Failure, _ exchange: Exchange, headers: HTTPFields) -> Reply {
        if OpenAIProblem.covers(exchange.path) {
            return OpenAIProblem.reply(failure, requestID: exchange.requestID, headers: headers)
        }
        if AirtableProblem.covers(exchange.path) { return AirtableProblem.reply(failure, headers: headers) }
        let status = ProblemStatus.status(of: failure)
        let problem = Problem(failure, status: status, path: exchange.path, requestID: exchange.requestID)
        // Strings, one integer and plain JSON: encoding them cannot fail.
        let body = (try? JSONCoder.encode(problem)) ?? []
        return Reply(status: status, contentType: Problem.contentType, headers: headers, body: body)
    }

    private func response(
        _ reply: Reply,
        _ bytes: [UInt8],
        _ exchange: Exchange,
        _ context: EdgeContext
    ) -> Response {
        var headers = headers(of: reply, exchange)
        let buffer = ByteBuffer(bytes: bytes)
        let isClosing = !exchange.isBodyDone
        if isClosing { headers[.connection] = "close" }
        let hasNoBody = reply.status == .noContent || reply.status == .notModified
        if !hasNoBody { headers[.contentLength] = "\(buffer.readableBytes)" }

        let content = exchange.method == .head ? ByteBuffer() : buffer
        let body = isClosing ? LingeringClose.body(content, on: context.channel) : ResponseBody(byteBuffer: content)
        var response = Response(status: reply.status, headers: headers, body: body)
        if hasNoBody { response.headers[.contentLength] = nil }
        return response
    }

    private func response(
        _ reply: Reply,
        _ stream: ReplyStream,
        _ exchange: Exchange,
        _ context: EdgeContext,
        _ account: ExchangeAccount
    ) -> Response {
        var headers = headers(of: reply, exchange)
        let channel = context.channel
        if let byteCount = stream.byteCount { headers[.contentLength] = "\(byteCount)" }
        if exchange.method == .head, stream.byteCount != nil {
            account.end(byteCount: 0)
            return Response(status: reply.status, headers: headers)
        }
        if exchange.method == .head {
            // Nobody knows the length, so the head is all, and the connection's end is its end.
            headers[.connection] = "close"
            return Response(
                status: reply.status,
                headers: headers,
                body: ResponseBody { _ in
                    await stream.finish?()
                    account.end(byteCount: 0)
                    channel.close(promise: nil)
                }
            )
        }
        if !exchange.isBodyDone { headers[.connection] = "close" }
        let run = StreamRun(
            stream: stream,
            channel: channel,
            heartbeatInterval: heartbeatInterval,
            keyWatch: exchange.context.map { context in
                KeyWatch(
                    access: services.access,
                    context: context,
                    permission: exchange.route.flatMap { table.routes[$0].permission },
                    interval: keyCheckInterval
                )
            },
            stallLimit: .seconds(Limits.streamStallSeconds),
            grace: stream.isOpenEnded ? (stream.finish == nil ? .zero : StreamRun.farewell) : edge.drainGrace,
            lengthLimit: .seconds(Limits.streamSeconds)
        )
        let body = ResponseBody(contentLength: stream.byteCount.map { Int($0) }) { writer in
            account.streamBegan()
            let sink = ReplyWriter(writer, on: channel.eventLoop)
            let (end, error) = await withTaskExecutorPreference(globalConcurrentExecutor) { await run.run(sink) }
            account.end(byteCount: sink.byteCount, end, error)
            switch end {
            case .complete, .shutdown, .tooLong, .keyDied: try await writer.finish(nil)
            // Without the last chunk the client knows that this was not the end.
            case .gone, .stalled, .failed: throw error ?? CancellationError()
            }
        }
        return Response(status: reply.status, headers: headers, body: body)
    }

    func headers(of reply: Reply, _ exchange: Exchange) -> HTTPFields {
        var headers = reply.headers
        if !reply.contentType.isEmpty { headers[.contentType] = reply.contentType }
        headers[RequestIdentifier.header] = exchange.requestID
        exchange.limit?.write(to: &headers)
        SecurityHeaders.add(to: &headers, isSecure: exchange.client.isSecure)
        return headers
    }
}
