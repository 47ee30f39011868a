import Access
import Airtable
import Chat
import Database
import Domain
import Embeddings
import Gateway
import Jobs
import LLM
import Logging
import MCP
import Search
import ServiceLifecycle
import UnixSignals

/// The long-running process: both listeners, the indexer, and housekeeping, as one service group.
public struct Server: Sendable {
    private let services: Services
    private let search: SearchServices
    private let chat: ChatServices
    private let gateway: GatewayServer
    private let listening: GatewayConfiguration
    private let tls: TLSKeeper?

    /// - Throws: `TLSError`.
    /// - Parameters:
    ///   - fixtures: what a conformance suite finds in place of the product's tools.
    ///   - onRunning: called when the public listener accepts connections, with the port it got.
    public init(
        _ services: Services,
        _ search: SearchServices,
        _ chat: ChatServices,
        fixtures: FixtureMode? = nil,
        onRunning: @escaping @Sendable (Int?) async -> Void = { _ in }
    ) throws {
        self.services = services
        self.search = search
        self.chat = chat
        let metrics = PrometheusRegistry()
        let configuration = services.configuration
        listening = GatewayConfiguration(
            address: configuration.bind.address,
            adminAddress: configuration.adminBind?.address,
            connectionsPerAddressMax: configuration.edge.connectionsPerAddress,
            trustedProxies: configuration.edge.trustedProxies,
            limits: configuration.edge.limits(boundTo: configuration.bind),
            drainNotice: .seconds(configuration.edge.drainNoticeSeconds),
            allowedOrigins: configuration.allowedOrigins
        )
        tls = try configuration.edge.tls.map { try TLSKeeper($0) }
        let spool = SpoolDirectory(configuration.dataDirectory + "/spool")
        spool.clear()
        let embedding = EmbeddingService(jobs: search.embeddingJobs, texts: search.textEmbedding)
        gateway = GatewayServer.make(
            configuration: listening,
            services: GatewayServices(
                access: services.access,
                accounts: services.accounts,
                airtable: services.airtable,
                search: search.search,
                chat: chat.chat,
                mcp: MCPEndpoint(
                    info: Product.mcpInfo,
                    offer: fixtures?.offer(services) ?? search.mcpOffer(services),
                    logger: services.logger
                ),
                tools: search.audited(by: "rest", services),
                mcpGuest: fixtures?.guest(services),
                models: CatalogModels(catalog: chat.catalog, ledger: chat.ledger) { context in
                    RecordsModel(extractor: chat.extractor, context: context)
                },
                vectors: search.textEmbedding,
                embedding: embedding,
                emulation: configuration.airtable.emulation,
                spool: spool,
                attachments: services.attachments,
                webhooks: services.webhooks,
                publicURL: configuration.airtable.publicURL,
                replies: KeptReplies(database: services.database),
                readiness: Self.readiness(services)
            ),
            metrics: metrics,
            tls: tls,
            logger: services.logger,
            onRunning: onRunning
        )
        Self.addMetrics(to: metrics, services, search)
    }

    /// Runs until SIGTERM or SIGINT, or until a listener fails; then everything ends in reverse order.
    ///
    /// - Throws: `ListenError` when an address is taken.
    public func run() async throws {
        let mailSender = try services.mailSender()
        var members: [any Service] = [
            Member { try await search.indexer.run() },
            Member { try await search.worker.run() },
            Member { try await chat.chat.run() },
            Member { try await Housekeeping(services, models: search.models, chat: chat.chat).run() },
            Member { try await mailSender.run() },
            Member { try await ComputedRefresher(services).run() },
            Member { try await services.mirrorKeeper.run() },
            Member {
                try await services.airtable.fieldIndexes.run { error in
                    services.logger.warning("an index of a field was not made", metadata: ["error": "\(error)"])
                }
            },
            Member { try await WebhookNotifier(services.webhooks, logger: services.logger).run() },
            Member { try await AuditCheckpoints(services).run() },
            Member { try await LimitsLearner(catalog: chat.catalog, logger: services.logger).run() },
        ]
        if let tls { members.append(Member { await Self.reload(tls, services.logger) }) }
        if let admin = gateway.adminApplication { members.append(admin) }
        members.append(gateway.publicApplication)
        members.append(gateway.drain)
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: members.map { ServiceGroupConfiguration.ServiceConfiguration(service: $0) },
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: services.logger
            )
        )
        do { try await Self.run(group, services.logger) } catch {
            throw ListenError(error, configuration: listening) ?? error
        }
        await AuditCheckpoints(services).keep()
    }

    /// SIGHUP: whoever renews certificates replaces the files and says so.
    private static func reload(_ tls: TLSKeeper, _ logger: Logger) async {
        for await _ in await UnixSignalsSequence(trapping: .sighup) {
            do {
                try tls.reload()
                logger.notice("certificate read again")
            } catch {
                logger.error("certificate not read again", metadata: ["error": "\(error) \(error.detail ?? "")"])
            }
        }
    }

    /// The first signal lets everything come to its end, the second ends it at once.
    private static func run(_ group: ServiceGroup, _ logger: Logger) async throws {
        try await withThrowingTaskGroup(of: Bool.self) { tasks in
            let signals = await UnixSignalsSequence(trapping: [.sigterm, .sigint])
            tasks.addTask {
                try await group.run()
                return true
            }
            tasks.addTask {
                var count = 0
                for await _ in signals {
                    count += 1
                    if count == 2 { return false }
                }
                return false
            }
            defer { tasks.cancelAll() }
            while let isDone = try await tasks.next() {
                if isDone { return }
                logger.notice("ending at once, at the second signal")
                tasks.cancelAll()
                do { try await tasks.waitForAll() } catch is CancellationError {}
                return
            }
        }
    }

    private static func readiness(_ services: Services) -> [ReadinessCheck] {
        [
            ReadinessCheck("database") {
                do {
                    return try await services.database.read(of: .server, deadline: .now + .seconds(2)) { transaction in
                        try transaction.firstRow("SELECT 1") != nil
                    }
                } catch {
                    services.logger.warning("the database does not answer", metadata: ["error": "\(error)"])
                    return false
                }
            }
        ]
    }

    private static func addMetrics(to metrics: PrometheusRegistry, _ services: Services, _ search: SearchServices) {
        metrics.addProcessMetrics()
        metrics.addPasswords(services.accounts.hasher)
        metrics.addHosted(services.hosted.upstream.client)
        let pool = search.pool
        metrics.addGauge("pyairtable_compute_running", "Work running on the compute pool.") {
            Double(pool.load.running)
        }
        metrics.addGauge("pyairtable_compute_waiting", "Work waiting for the compute pool.") {
            Double(pool.load.waitingInteractive + pool.load.waitingBulk)
        }
        let database = services.database
        metrics.addCounter("pyairtable_database_reads_total", "Read transactions.") {
            Double(database.statistics.reads)
        }
        metrics.addCounter("pyairtable_database_writes_total", "Write transactions.") {
            Double(database.statistics.writes)
        }
        metrics.addCounter("pyairtable_database_commits_total", "Commits; writes that wait together share one.") {
            Double(database.statistics.commits)
        }
    }
}

/// A service that ends, without error, when the group shuts down.
private struct Member: Service {
    let body: @Sendable () async throws -> Void

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await body() }
        } catch is CancellationError {
            // Shutting down is how these end.
        }
    }
}

extension BindAddress {
    fileprivate var address: GatewayConfiguration.Address { .init(host: host, port: port) }
}
