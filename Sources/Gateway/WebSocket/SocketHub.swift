import CoreMetrics
import Domain
import Synchronization

/// Every socket of one listener: how many there are, whose, and what they do.
final class SocketHub: Sendable {
    private let counts = Mutex<[UserID: Int]>([:])
    private let open: Meter
    private let registry: PrometheusRegistry

    init(registry: PrometheusRegistry) {
        self.registry = registry
        open = Meter(label: "pyairtable_sockets_open", factory: registry)
        registry.describe("pyairtable_sockets_open", "WebSockets open now.")
    }

    /// A place for one socket of `user`.
    ///
    /// - Throws: `tooManySockets`.
    func place(for user: UserID) throws(GatewayError) -> SocketPlace {
        let isFree = counts.withLock { counts in
            guard counts[user, default: 0] < Limits.socketsPerUser else { return false }
            counts[user, default: 0] += 1
            return true
        }
        guard isFree else {
            throw GatewayError(
                .tooManySockets,
                "You have \(Limits.socketsPerUser) sockets open.",
                hint: "close one; a socket follows many runs at once"
            )
        }
        open.increment()
        return SocketPlace(hub: self, user: user)
    }

    fileprivate func leave(_ user: UserID) {
        open.decrement()
        counts.withLock { counts in
            counts[user, default: 1] -= 1
            if counts[user] == 0 { counts[user] = nil }
        }
    }

    func count(_ message: ClientMessage.Kind) {
        Counter(
            label: "pyairtable_socket_messages_total",
            dimensions: [("type", message.rawValue)],
            factory: registry
        ).increment()
        registry.describe("pyairtable_socket_messages_total", "Messages of clients that were acted on.")
    }

    /// - Parameter code: of the close frame, or 1006 for a connection that just went. Clients may choose some freely.
    func ended(_ code: UInt16) {
        let label = (1000...1014).contains(code) ? "\(code)" : "other"
        Counter(label: "pyairtable_sockets_total", dimensions: [("code", label)], factory: registry).increment()
        registry.describe("pyairtable_sockets_total", "WebSockets that ended, by close code.")
    }

    /// For tests.
    func count(of user: UserID) -> Int { counts.withLock { $0[user] ?? 0 } }
}

/// One socket's place; given back when the last who holds it lets go, on whatever way that happens.
final class SocketPlace: Sendable {
    private let hub: SocketHub
    private let user: UserID

    fileprivate init(hub: SocketHub, user: UserID) {
        self.hub = hub
        self.user = user
    }

    deinit { hub.leave(user) }
}
