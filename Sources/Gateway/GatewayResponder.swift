import Access
import Domain
import HTTPTypes
public import Hummingbird
import HummingbirdCore
import Logging
import NIOCore

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
    let log: AccessLog
    let metrics: HTTPMetrics

    public func respond(to request: Request, context: EdgeContext) async throws -> Response {
        var exchange = Exchange(
            requestID: RequestIdentifier.identifier(for: request.headers),
            method: request.method,
            path: request.uri.path,
            query: request.uri.query,
            started: .now,
            isBodyDone: JSONBody.isSkippable(request.headers)
        )
        metrics.began()
        defer { metrics.ended() }
        let reply: Reply
        do {
            reply = try await answer(request, &exchange)
        } catch {
            reply = problem(error, request, &exchange)
        }
        let response = response(reply, exchange, context)
        let duration = exchange.started.duration(to: .now)
        let route = exchange.route.map { table.routes[$0].pattern.description } ?? "unmatched"
        metrics.record(exchange, route: route, status: reply.status.code, duration: duration)
        log.write(
            exchange,
            route: route,
            status: reply.status.code,
            byteCount: reply.body.count,
            duration: duration
        )
        return response
    }

    private func answer(_ request: Request, _ exchange: inout Exchange) async throws -> Reply {
        guard (request.head.path ?? "").utf8.count <= Limits.uriBytes else {
            throw GatewayError(.uriTooLong, "The address is longer than \(Limits.uriBytes) bytes.")
        }
        let match = try table.match(exchange.method, exchange.path[...])
        exchange.route = match.position
        let route = table.routes[match.position]
        let deadline = exchange.started + requestTimeout

        switch route.handler {
        case .open(let handle):
            let call = try await call(route, match, request, &exchange, deadline)
            return try await RequestDeadline.run(until: deadline) { try await handle(call) }
        case .requires(let permission, let handle):
            let context = try await services.access.authenticate(
                bearer: BearerKey.text(in: request.headers),
                timeout: requestTimeout,
                requestID: exchange.requestID,
                logger: log.logger
            )
            exchange.context = context
            try context.require(permission)
            let call = try await call(route, match, request, &exchange, deadline)
            return try await RequestDeadline.run(until: deadline) { try await handle(call, context) }
        }
    }

    private func call(
        _ route: Route,
        _ match: RouteTable.Match,
        _ request: Request,
        _ exchange: inout Exchange,
        _ deadline: ContinuousClock.Instant
    ) async throws -> RouteCall {
        let query = try QueryParameters(parsing: exchange.query, allowed: route.query)
        var value = JSONValue.null
        if let body = route.body {
            let bytes = try await RequestDeadline.run(until: deadline) {
                try await JSONBody.bytes(of: request, as: body)
            }
            exchange.isBodyDone = true
            value = try JSONBody.value(of: bytes, as: body)
        }
        return RouteCall(
            services: services,
            permission: route.permission,
            query: query,
            body: value,
            parameters: match.parameters,
            document: table.document
        )
    }

    // MARK: Answers

    private func problem(_ error: any Error, _ request: Request, _ exchange: inout Exchange) -> Reply {
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
        var headers = HTTPFields()
        if failure.kind == .unauthenticated {
            headers[.wwwAuthenticate] = BearerKey.challenge(for: request.headers)
        }
        if let seconds = ProblemStatus.retryAfterSeconds(failure.kind) { headers[.retryAfter] = "\(seconds)" }
        return problem(failure, exchange, headers: headers)
    }

    private func problem(_ failure: any Failure, _ exchange: Exchange, headers: HTTPFields) -> Reply {
        let status = ProblemStatus.status(of: failure)
        let problem = Problem(failure, status: status, path: exchange.path, requestID: exchange.requestID)
        // Strings and one integer: encoding them cannot fail.
        let body = (try? JSONCoder.encode(problem)) ?? []
        return Reply(status: status, contentType: Problem.contentType, headers: headers, body: body)
    }

    private func response(_ reply: Reply, _ exchange: Exchange, _ context: EdgeContext) -> Response {
        var headers = reply.headers
        if !reply.contentType.isEmpty { headers[.contentType] = reply.contentType }
        headers[RequestIdentifier.header] = exchange.requestID
        SecurityHeaders.add(to: &headers)
        let bytes = ByteBuffer(bytes: reply.body)
        let isClosing = !exchange.isBodyDone
        if isClosing { headers[.connection] = "close" }
        if reply.status != .noContent { headers[.contentLength] = "\(bytes.readableBytes)" }

        let content = exchange.method == .head ? ByteBuffer() : bytes
        let body = isClosing ? LingeringClose.body(content, on: context.channel) : ResponseBody(byteBuffer: content)
        var response = Response(status: reply.status, headers: headers, body: body)
        if reply.status == .noContent { response.headers[.contentLength] = nil }
        return response
    }
}
