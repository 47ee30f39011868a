import CoreMetrics
import HTTPTypes
import NIOCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

extension GatewayResponder {
    /// The whole answer to bytes that are no request to be answered otherwise; counted and logged as any request.
    func refusal(_ refused: WireRefusal, from peer: RemoteAddress?) -> ByteBuffer {
        var exchange = Exchange(
            requestID: RequestIdentifier.identifier(for: [:]),
            method: refused.method.flatMap { HTTPRequest.Method(rawValue: $0) } ?? HTTPMetrics.otherMethod,
            path: refused.path ?? "",
            query: nil,
            started: .now,
            client: EdgeClient(address: peer),
            isBodyDone: false
        )
        metrics.began()
        metrics.refused(refused.fault)
        let reply = problem(error(refused, exchange), [:], &exchange)
        var body: [UInt8] = []
        if case .bytes(let bytes) = reply.body { body = bytes }
        let account = ExchangeAccount(
            exchange,
            route: "unmatched",
            status: reply.status.code,
            log: log,
            metrics: metrics
        )
        account.end(byteCount: body.count)

        var headers = HTTPHeaders(self.headers(of: reply, exchange))
        headers.replaceOrAdd(name: "connection", value: "close")
        headers.replaceOrAdd(name: "content-length", value: "\(body.count)")
        var bytes = ByteBuffer()
        bytes.writeString("HTTP/1.1 \(reply.status.code) \(reply.status.reasonPhrase)\r\n")
        for (name, value) in headers { bytes.writeString("\(name): \(value)\r\n") }
        bytes.writeString("\r\n")
        if refused.method != "HEAD" { bytes.writeBytes(body) }
        return bytes
    }

    private func error(_ refused: WireRefusal, _ exchange: Exchange) -> any Error {
        let fault = refused.fault
        if fault == .unsupportedMethod, refused.path != nil {
            // What the address does take; what is no address is not found.
            do throws(GatewayError) { _ = try table.match(exchange.method, exchange.path[...]) } catch { return error }
        }
        return GatewayError(
            fault.code,
            fault.message,
            allowedMethods: fault == .unsupportedMethod ? ["OPTIONS"] : [],
            retryAfterSeconds: fault == .surplusConnection ? 5 : nil
        )
    }
}
