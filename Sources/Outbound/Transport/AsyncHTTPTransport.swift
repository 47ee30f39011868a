import AsyncHTTPClient
public import Domain
import NIOCore
import NIOHTTP1

/// HTTP/1.1 over TCP or TLS, with pooled connections.
///
/// - One connection carries one call at a time, so that giving a call up closes its socket and nothing else.
/// - Redirects are not followed: the caller gets the 3xx reply.
/// - A pooled connection that the server closed while it lay idle is noticed and the call sent once more on another,
///   but only when not a byte of a reply had come.
/// - Compression is neither asked for nor undone.
public final class AsyncHTTPTransport: HTTPTransport {
    public struct Options: Sendable {
        /// For a TCP connection and its TLS handshake; within the deadline of the first byte.
        public var connect: Duration
        /// How long an unused connection is kept.
        public var idle: Duration
        /// To one host; further calls wait for one of them, within their deadline of the first byte.
        public var connectionsMax: Int
        /// Decides about each new connection before anything is written to it; nil allows all.
        public var connections: AddressGuard?

        public init(
            connect: Duration = .seconds(10),
            idle: Duration = .seconds(50),
            connectionsMax: Int = Limits.outboundConnections,
            connections: AddressGuard? = nil
        ) {
            self.connect = connect
            self.idle = idle
            self.connectionsMax = connectionsMax
            self.connections = connections
        }
    }

    private let client: HTTPClient

    public init(options: Options = Options()) {
        var configuration = HTTPClient.Configuration(
            redirectConfiguration: .disallow,
            timeout: HTTPClient.Configuration.Timeout(connect: options.connect.timeAmount),
            connectionPool: HTTPClient.Configuration.ConnectionPool(
                idleTimeout: options.idle.timeAmount,
                concurrentHTTP1ConnectionsPerHostSoftLimit: options.connectionsMax
            )
        )
        configuration.httpVersion = .http1Only
        // The library would go on trying to connect until the deadline; retrying is decided in one place, above.
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.http1_1ConnectionDebugInitializer = { [addresses = options.connections] channel in
            channel.eventLoop.makeCompletedFuture {
                try ConnectionWatch.install(in: channel, addresses: addresses)
            }
        }
        client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }

    deinit {
        // Who forgot `shutdown()` loses nothing: the client keeps itself until its connections are closed.
        client.shutdown().whenComplete { _ in }
    }

    /// Closes every connection; calls under way fail with `closed`.
    public func shutdown() async {
        // Fails only when it is shut down already.
        try? await client.shutdown()
    }

    public func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let began = ContinuousClock.now
        let address = try OutboundAddress(request.url)
        let outgoing = try Self.outgoing(request)
        let totalEnd = began + request.deadlines.total
        let headEnd = min(began + request.deadlines.firstByte, totalEnd)
        let response: HTTPClientResponse
        do {
            response = try await execute(outgoing, until: headEnd, isRepeatable: request.isRepeatable)
        } catch {
            try Task.checkCancellation()
            throw TransportFailure.beforeHead(error, address, request, isTotal: headEnd == totalEnd)
        }
        let headers = response.headers.map { (name: $0.name.lowercased(), value: $0.value) }
        try Self.check(headers, of: request, from: address)
        let limits = BodyReader.Limits(stall: request.deadlines.stall, end: totalEnd, byteCount: request.replyBytesMax)
        let once = OneTime(response.body)
        return OutboundReply(
            status: Int(response.status.code),
            headers: headers,
            body: OutboundBody {
                let reader = once.take().map { BodyReader($0, limits: limits, address: address, request: request) }
                return {
                    guard let reader else { throw OutboundError(.closed, "the body of a reply is read only once") }
                    return try await reader.next()
                }
            }
        )
    }

    private func execute(
        _ outgoing: HTTPClientRequest,
        until end: ContinuousClock.Instant,
        isRepeatable: Bool
    ) async throws -> HTTPClientResponse {
        do {
            return try await client.execute(outgoing, deadline: .now() + (end - .now).timeAmount)
        } catch  where ConnectionWatch.wasStale(error) && (isRepeatable || !ConnectionWatch.wasWritten(error)) {
            try Task.checkCancellation()
            return try await client.execute(outgoing, deadline: .now() + (end - .now).timeAmount)
        }
    }

    private static func outgoing(_ request: OutboundRequest) throws -> HTTPClientRequest {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.headers + request.secretHeaders.map({ ($0.name, $0.value.revealed) }) {
            // The library would name the value in its error, which may be a key.
            guard isToken(name), isHeaderValue(value) else {
                throw OutboundError(
                    .invalidAddress,
                    "the header \(isToken(name) ? name : "of an outgoing call") holds what no header may",
                    hint: "look for line breaks or letters beyond ASCII in the key or setting it is made from"
                )
            }
            outgoing.headers.add(name: name, value: value)
        }
        if !outgoing.headers.contains(name: "user-agent") {
            outgoing.headers.add(name: "user-agent", value: "pyairtable-ai")
        }
        if !request.body.isEmpty { outgoing.body = .bytes(ByteBuffer(bytes: request.body)) }
        return outgoing
    }

    private static func isToken(_ name: String) -> Bool {
        !name.isEmpty
            && name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func isHeaderValue(_ value: String) -> Bool {
        value.utf8.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x09 }
    }

    /// What the head alone gives away.
    private static func check(
        _ headers: [(name: String, value: String)],
        of request: OutboundRequest,
        from address: OutboundAddress
    ) throws(OutboundError) {
        for (name, value) in headers {
            if name == "content-length", let length = Int(value), length > request.replyBytesMax {
                throw TransportFailure.tooLarge(address, request)
            }
            if name == "content-encoding", value.lowercased() != "identity" {
                throw OutboundError(
                    .malformedReply,
                    "\(address.authority) sent a compressed reply, which was not asked for"
                )
            }
        }
    }
}

extension Duration {
    /// Rounded down to nanoseconds; what is longer than the type can say, and below zero, becomes its end.
    var timeAmount: TimeAmount {
        guard self > .zero else { return .zero }
        guard components.seconds < 4_000_000_000 else { return .nanoseconds(.max / 2) }
        return .nanoseconds(components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000)
    }
}
