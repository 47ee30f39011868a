import Access
import Domain
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// A socket that may be opened: for whom, and their place among all sockets.
struct SocketAdmission: Sendable {
    /// Of the handshake. Each message gets one of its own, with the rights the caller has then.
    let context: Domain.RequestContext
    let place: SocketPlace
}

enum HandshakeAnswer: Sendable {
    case accepted(SocketAdmission)
    case refused(HTTPResponseHead, ByteBuffer)
}

extension GatewayResponder {
    /// Decides about a WebSocket's handshake; counted and logged as any request, with 101 when it may be opened.
    func handshake(_ head: HTTPRequestHead, hub: SocketHub, peer: RemoteAddress?) async -> HandshakeAnswer {
        var headers = HTTPFields(head.headers, splitCookie: false)
        let client = clients.client(of: headers, peer: peer)
        headers = ForwardedFields.removed(from: headers) ?? headers
        let parts = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var exchange = Exchange(
            requestID: RequestIdentifier.identifier(for: headers),
            trace: TraceParent(headers),
            method: .get,
            path: String(parts[0]),
            query: parts.count > 1 ? String(parts[1]) : nil,
            started: .now,
            client: client,
            isBodyDone: true
        )
        metrics.began()
        var admission: SocketAdmission?
        var reply: Reply?
        do {
            admission = try await admit(head, headers, &exchange, hub)
        } catch {
            reply = problem(error, headers, &exchange)
        }
        var body: [UInt8] = []
        if case .bytes(let bytes)? = reply?.body { body = bytes }
        let account = ExchangeAccount(
            exchange,
            route: exchange.route.map { table.routes[$0].pattern.description } ?? "unmatched",
            status: reply?.status.code ?? 101,
            log: log,
            metrics: metrics
        )
        account.end(byteCount: body.count)
        if let admission { return .accepted(admission) }
        var response = HTTPResponseHead(version: .http1_1, status: .internalServerError)
        if let reply {
            response.status = HTTPResponseStatus(statusCode: reply.status.code, reasonPhrase: reply.status.reasonPhrase)
            response.headers = HTTPHeaders(self.headers(of: reply, exchange))
        }
        return .refused(response, ByteBuffer(bytes: body))
    }

    /// In this order, so that a ticket is used up only by a handshake that is otherwise right: form, page, caller,
    /// permission, place.
    private func admit(
        _ head: HTTPRequestHead,
        _ headers: HTTPFields,
        _ exchange: inout Exchange,
        _ hub: SocketHub
    ) async throws -> SocketAdmission {
        try GatewayError.checkLength(ofTarget: head.uri, path: exchange.path)
        let match = try match(&exchange)
        exchange.route = match.position
        let route = table.routes[match.position]
        try edge.limiter.admit(exchange.client, route.cost, &exchange.limit)
        try edge.gate(of: route).checkRoom()
        let query = try QueryParameters(parsing: exchange.query, allowed: route.query)
        try SocketHandshake.check(headers)
        try checkOrigin(headers, host: head.headers["host"].first)
        let (requestID, timeout, logger) = (exchange.requestID, requestTimeout, log.logger(in: exchange.trace))
        let context = try await proven(&exchange) { exchange in
            if let ticket = query.text("ticket"), !headers.contains(.authorization) {
                try await services.access.redeemTicket(
                    ticket,
                    client: exchange.address,
                    timeout: timeout,
                    requestID: requestID,
                    logger: logger
                )
            } else {
                try await services.access.authenticate(
                    bearer: BearerKey.text(in: headers),
                    client: exchange.address,
                    timeout: timeout,
                    requestID: requestID,
                    logger: logger
                )
            }
        }
        try edge.limiter.admit(context, route.cost, &exchange.limit)
        if let permission = route.permission { try context.require(permission) }
        return SocketAdmission(context: context, place: try hub.place(for: context.principal.user))
    }

    /// A browser always names the page. Who names none is a program, and programs can send their key: a ticket without
    /// an origin is one that was picked up somewhere.
    private func checkOrigin(_ headers: HTTPFields, host: String?) throws(GatewayError) {
        try origins.check(origins: headers[values: .origin], host: host)
        guard headers.contains(.origin) || headers.contains(.authorization) else {
            throw GatewayError(
                .foreignOrigin,
                "A ticket opens a socket for a page only.",
                hint: "send `Origin`, or a key as `Authorization: Bearer …`"
            )
        }
    }
}
