import Domain
public import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore

/// The HTTP edge: the public listener with the API and the page, and the admin listener with the metrics.
///
/// Both are ServiceLifecycle services. Put them last into a service group: it then stops them first. On graceful
/// shutdown they stop accepting, `/ready` answers 503 on the connections that are left, requests under way are
/// answered, and idle connections are closed.
public struct GatewayServer: Sendable {
    public let publicApplication: Application<GatewayResponder>
    /// Nil when the configuration names no address for it.
    public let adminApplication: Application<GatewayResponder>?
    /// Put it behind the listeners: it stops first, and `/ready` says so while requests are still taken.
    public let drain: DrainNotice

    /// - Parameters:
    ///   - metrics: where the listeners count, and what the admin listener shows.
    ///   - tls: what the public listener ends TLS with; nil when it speaks in the clear.
    ///   - logger: for one line a request, and for the server itself.
    ///   - onRunning: called when the public listener accepts connections, with the port it got.
    public static func make(
        configuration: GatewayConfiguration,
        services: GatewayServices,
        metrics: PrometheusRegistry,
        tls: TLSKeeper? = nil,
        logger: Logger,
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) -> GatewayServer {
        let drain = DrainNotice(notice: configuration.drainNotice)
        return GatewayServer(
            publicApplication: application(
                table: .standard,
                address: configuration.address,
                name: "public",
                drain: drain,
                tls: tls,
                configuration,
                services,
                metrics,
                logger,
                onRunning
            ),
            adminApplication: configuration.adminAddress.map { address in
                application(
                    table: .admin(metrics),
                    address: address,
                    name: "admin",
                    drain: drain,
                    configuration,
                    services,
                    metrics,
                    logger,
                    { _ in }
                )
            },
            drain: drain
        )
    }

    /// - Parameter name: `public` or `admin`; only the public one takes WebSockets.
    static func application(
        table: RouteTable,
        address: GatewayConfiguration.Address,
        name: String,
        drain: DrainNotice = DrainNotice(notice: .zero),
        tls: TLSKeeper? = nil,
        _ configuration: GatewayConfiguration,
        _ services: GatewayServices,
        _ metrics: PrometheusRegistry,
        _ logger: Logger,
        _ onRunning: @escaping @Sendable (Int?) async -> Void
    ) -> Application<GatewayResponder> {
        let responder = GatewayResponder(
            table: table,
            services: services,
            requestTimeout: configuration.requestTimeout,
            heartbeatInterval: configuration.heartbeatInterval,
            keyCheckInterval: configuration.keyCheckInterval,
            origins: OriginPolicy(allowed: configuration.allowedOrigins, boundTo: address.host),
            clients: ClientFinder(trusted: configuration.trustedProxies, isEncrypted: tls != nil),
            edge: EdgeGuards(configuration, drain: drain, registry: metrics, listener: name),
            log: AccessLog(logger: logger),
            metrics: HTTPMetrics(registry: metrics, listener: name)
        )
        return Application(
            responder: responder,
            server: server(responder, configuration, metrics, listener: name, tls),
            configuration: ApplicationConfiguration(
                address: .hostname(address.host, port: address.port),
                availableConnectionsDelegate: MaximumAvailableConnections(configuration.connectionsMax)
            ),
            onServerRunning: { channel in
                let port = channel.localAddress?.port
                logger.notice("listening", metadata: ["listener": .string(name), "port": "\(port ?? address.port)"])
                await onRunning(port)
            },
            logger: logger
        )
    }

    private static func server(
        _ gateway: GatewayResponder,
        _ configuration: GatewayConfiguration,
        _ metrics: PrometheusRegistry,
        listener: String,
        _ tls: TLSKeeper?
    ) -> HTTPServerBuilder {
        let hub = SocketHub(registry: metrics)
        let ledger = ConnectionLedger(
            perAddressMax: configuration.connectionsPerAddressMax,
            trusted: configuration.trustedProxies,
            registry: metrics,
            listener: listener
        )
        return HTTPServerBuilder { responder in
            GatewayChannel(
                responder: AfterAnswer.following(responder),
                configuration: channelConfiguration(configuration),
                times: WireGuard.Times(
                    head: TimeAmount(configuration.headTimeout),
                    bodyIdle: TimeAmount(configuration.bodyIdleTimeout),
                    idle: TimeAmount(configuration.idleTimeout),
                    stall: .seconds(Int64(Limits.streamStallSeconds)),
                    drain: TimeAmount(configuration.drainGrace + .seconds(5))
                ),
                gateway: gateway,
                hub: hub,
                ledger: ledger,
                tls: tls
            )
        }
    }

    private static func channelConfiguration(_ configuration: GatewayConfiguration) -> HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [ClientWatch()],
            idleTimeout: TimeAmount(configuration.idleTimeout),
            httpDecoderConfiguration: HTTP1Channel.Configuration.DecoderConfiguration(
                // The decoder counts the address as if it were a field.
                maxHeaderFieldSize: Limits.airtableURIBytes + Limits.headerBytes,
                maxHeaderListSize: Limits.airtableURIBytes + Limits.headerBytes,
                maxHeaderFieldCount: Limits.headerFields
            )
        )
    }
}
