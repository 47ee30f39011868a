public import ServiceLifecycle
import Synchronization

/// Says that this server is about to stop, before it does: `/ready` answers 503 on every listener while they still take
/// requests, so that whoever spreads them looks elsewhere first.
///
/// Put it behind the listeners in a service group: it is then the first to be stopped.
public final class DrainNotice: Service, Sendable {
    private let draining = Atomic(false)
    private let notice: Duration

    /// - Parameter notice: how long requests are taken after `/ready` said no.
    init(notice: Duration) { self.notice = notice }

    public var isDraining: Bool { draining.load(ordering: .relaxed) }

    public func run() async throws {
        try? await gracefulShutdown()
        draining.store(true, ordering: .relaxed)
        // Whoever is in a hurry cancels.
        try? await Task.sleep(for: notice)
    }
}
