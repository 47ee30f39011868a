import CoreMetrics
import Domain
import Synchronization

/// Counts the connections of one listener, and of each address, so that nobody has them all.
final class ConnectionLedger: Sendable {
    private struct State {
        var total = 0
        /// By `RemoteAddress.group`; as long as there are connections of it.
        var ofAddress: [RemoteAddress: Int] = [:]
    }

    private let state = Mutex(State())
    private let perAddressMax: Int
    private let trusted: [AddressBlock]

    /// - Parameter trusted: proxies, through which everybody comes.
    init(perAddressMax: Int, trusted: [AddressBlock], registry: PrometheusRegistry, listener: String) {
        self.perAddressMax = perAddressMax
        self.trusted = trusted
        registry.addGauge(
            "pyairtable_http_connections_open",
            "Connections that are open now.",
            labels: [("listener", listener)]
        ) { [weak self] in Double(self?.count ?? 0) }
    }

    var count: Int { state.withLock { $0.total } }

    /// Counts a connection; it must be given to `closed` in any case.
    ///
    /// - Returns: false when it is one too many of its address.
    func opened(_ address: RemoteAddress?) -> Bool {
        state.withLock { state in
            state.total += 1
            guard let address else { return true }
            let count = state.ofAddress[address.group, default: 0] + 1
            state.ofAddress[address.group] = count
            return count <= perAddressMax || trusted.contains { $0.contains(address) }
        }
    }

    func closed(_ address: RemoteAddress?) {
        state.withLock { state in
            state.total -= 1
            guard let address, let count = state.ofAddress[address.group] else { return }
            state.ofAddress[address.group] = count > 1 ? count - 1 : nil
        }
    }
}
