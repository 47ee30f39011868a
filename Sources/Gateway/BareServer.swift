public import Hummingbird
public import Logging

/// The framework with one empty route and nothing of ours: what benchmarks of the gateway measure beside it.
public enum BareServer {
    /// - Parameter onRunning: called with the port once connections are accepted.
    public static func application(
        logger: Logger,
        onRunning: @escaping @Sendable (Int?) async -> Void
    ) -> some ApplicationProtocol {
        let router = Router()
        router.get("/") { _, _ in "" }
        return Application(
            router: router,
            configuration: ApplicationConfiguration(address: .hostname("127.0.0.1", port: 0)),
            onServerRunning: { await onRunning($0.localAddress?.port) },
            logger: logger
        )
    }
}
