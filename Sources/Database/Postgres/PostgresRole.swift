import Synchronization

/// Whom transactions act as: the role that `RowSecurity` has made for this database, or nobody but the URL's own user.
///
/// Found out once for all connections, and again after a transaction of the owner, which may have made it.
final class PostgresRole: Sendable {
    private enum State {
        case unknown
        case known(String?)
    }

    private let state = Mutex(State.unknown)

    /// Looks on `connection`, outside a transaction, when nobody knows yet.
    func name(_ connection: PostgresConnection, _ control: CallControl) throws -> String? {
        if case .known(let name) = state.withLock({ $0 }) { return name }
        var name: String?
        try connection.run(RowSecurity.usableRole, [], opening: nil, control) { result in
            for position in 0..<result.rowCount { name = try result.row(position).text(0) }
        }
        state.withLock { $0 = .known(name) }
        return name
    }

    func forget() { state.withLock { $0 = .unknown } }
}
