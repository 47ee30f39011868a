import Access
import App
import ArgumentParser
import Chat
import Domain
import Embeddings
import Foundation
import Gateway
import LLM
import Logging
import MCP
import Search
import ServiceLifecycle

/// What streaming adds to each token, and what a socket and a stream cost in memory.
///
/// A whole server in this process: gateway, chat, orchestrator, ledger and store, with a model that says a token every
/// 20 ms, and the time in it. Clients are plain file descriptors in one thread of the same process, so a latency is the
/// difference of two readings of one clock, and the memory is the server's but for a few hundred bytes a client.
struct ChatBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chat",
        abstract: "Measure latency a token and memory a stream with many clients."
    )

    @OptionGroup var shared: SharedOptions

    @Option(help: "Streams at once.")
    var streams = 200

    @Option(help: "Tokens of each answer.")
    var tokens = 500

    @Option(help: "Tokens a second.")
    var rate = 50

    @Option(help: "Idle WebSockets, opened before the streams.")
    var sockets = 1_000

    private struct Report: Encodable {
        var streams: Int
        var tokensPerSecond: Int
        var tokensReceived: Int
        var answersWhole: Int
        var latencyMsP50: Double
        var latencyMsP99: Double
        var latencyMsMax: Double
        /// Of how late the model itself was with its tokens: what the machine's load did, not the server.
        var modelLateMsP99: Double
        var idleSockets: Int
        var kilobytesPerIdleSocket: Double
        var kilobytesPerStream: Double
    }

    func validate() throws {
        guard streams > 0, tokens > 0, (1...1_000).contains(rate), (0...2_000).contains(sockets) else {
            throw ValidationError("--streams and --tokens above 0, --rate up to 1000, --sockets up to 2000")
        }
    }

    func run() async throws {
        try await withServices(shared) { services, context in
            let search = try await services.openSearch()
            defer { search.pool.close() }
            let model = ClockModel(tokens: tokens, rate: rate)
            let provider = ModelProvider(ClockModel.provider, defaultModel: ClockModel.model) { _ in model }
            let chat = chat(services, search, provider)
            let keys = try await keys(services.access, context)
            let (ports, port) = AsyncStream.makeStream(of: Int.self)
            let server = GatewayServer.make(
                configuration: GatewayConfiguration(
                    address: .init(host: "127.0.0.1", port: 0),
                    adminAddress: nil,
                    heartbeatInterval: .seconds(600)
                ),
                services: GatewayServices(
                    access: services.access,
                    airtable: services.airtable,
                    search: search.search,
                    chat: chat,
                    mcp: MCPEndpoint(info: Product.mcpInfo, offer: search.mcpOffer(services), logger: services.logger),
                    readiness: []
                ),
                metrics: PrometheusRegistry(),
                logger: services.logger
            ) { port.yield($0 ?? 0) }
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(
                    services: [
                        .init(service: RunMaking(chat: chat)), .init(service: server.publicApplication),
                    ],
                    logger: services.logger
                )
            )
            try await withThrowingTaskGroup { tasks in
                tasks.addTask { try await group.run() }
                var iterator = ports.makeAsyncIterator()
                guard let port = await iterator.next() else { throw CancellationError() }
                let report = try await measure(port: port, keys: keys, model, services.access, chat)
                try ANNBenchProcess.writeLine(report)
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
        }
    }

    /// As the server has it, but for who answers.
    private func chat(_ services: Services, _ search: SearchServices, _ provider: ModelProvider) -> ChatService {
        let traffic = RunTrafficStore(database: services.database)
        let ledger = TokenLedger(database: services.database, logger: services.logger)
        return ChatService(
            database: services.database,
            access: services.access,
            airtable: services.airtable,
            search: search.search,
            extractor: AnswerExtractor(search: search.search),
            performer: OrchestratorPerformer(
                orchestrator: Orchestrator(
                    tools: search.tools,
                    ledger: ledger,
                    traffic: traffic,
                    logger: services.logger
                ),
                catalog: ModelCatalog(providers: [provider]),
                traffic: traffic
            ),
            logger: services.logger
        )
    }

    private func measure(
        port: Int,
        keys: [String],
        _ model: ClockModel,
        _ access: AccessService,
        _ chat: ChatService
    ) async throws -> Report {
        var paths: [(key: String, path: String)] = []
        for number in 0..<streams {
            let key = keys[number % keys.count]
            let context = try await access.authenticate(
                bearer: key,
                timeout: .seconds(60),
                requestID: "bench-\(number)",
                logger: Logger(label: "bench")
            )
            let conversation = try await chat.createConversation(
                title: "bench",
                settings: ChatSettings(model: "\(ClockModel.provider)/\(ClockModel.model)"),
                context: context
            )
            paths.append((key, "/api/v1/chat/conversations/\(conversation.id)/messages"))
        }
        let (requests, idleCount) = (paths, sockets)
        let outcome = try await Self.onThread {
            let before = ANNBenchProcess.residentBytes()
            let idle = try ChatBenchClients.openSockets(idleCount, port: port, keys: keys)
            let afterSockets = ANNBenchProcess.residentBytes()
            let clients = try ChatBenchClients(port: port, requests: requests)
            let result = clients.run { ANNBenchProcess.residentBytes() }
            idle.forEach { close($0) }
            return (result, before, afterSockets)
        }
        let (result, before, afterSockets) = outcome
        return Report(
            streams: streams,
            tokensPerSecond: rate,
            tokensReceived: result.latencies.count,
            answersWhole: result.wholeCount,
            latencyMsP50: result.latencies.quantile(0.5),
            latencyMsP99: result.latencies.quantile(0.99),
            latencyMsMax: result.latencies.max,
            modelLateMsP99: model.lateness.quantile(0.99),
            idleSockets: sockets,
            kilobytesPerIdleSocket: sockets == 0 ? 0 : Double(afterSockets - before) / Double(sockets) / 1_024,
            kilobytesPerStream: Double(result.residentBytesMax - afterSockets) / Double(streams) / 1_024
        )
    }

    /// A key of its own for each few streams: one user may have only so many runs at once.
    private func keys(_ access: AccessService, _ context: RequestContext) async throws -> [String] {
        var keys: [String] = []
        for number in 0..<((streams + Self.streamsPerUser - 1) / Self.streamsPerUser) {
            let user = try await access.createUser(name: "bench \(number)", context: context)
            let draft = APIKeyDraft(name: "bench", scopes: [.chat], owner: user.id)
            keys.append(try await access.createKey(draft, context: context).text)
        }
        return keys
    }

    private static let streamsPerUser = 4

    /// Runs `body`, which blocks, on a thread of its own.
    private static func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            Thread { continuation.resume(with: Result(catching: body)) }.start()
        }
    }
}

/// Makes runs until the server ends.
private struct RunMaking: Service {
    let chat: ChatService

    func run() async throws {
        do {
            try await cancelWhenGracefulShutdown { try await chat.run() }
        } catch is CancellationError {
            // Shutting down is how it ends.
        }
    }
}
