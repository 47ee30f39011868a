import Dispatch

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A place in the pool: a queue, and the connection it has at present.
///
/// Unchecked, because the pool lends a slot to one call at a time, which uses it on its queue.
final class PostgresSlot: @unchecked Sendable {
    enum Access {
        case read
        case write

        /// A read sees one snapshot; a write sees at each statement what is committed then, so that writers
        /// that queue at a row's lock go on when they get it, instead of failing and starting over.
        fileprivate var begin: String {
            switch self {
            case .read: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
            case .write: "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"
            }
        }
    }

    let queue = DispatchQueue(label: "database.postgres")
    private let url: PostgresURL
    private let options: DatabaseOptions
    private let counters: DatabaseCounters
    private let role: PostgresRole
    private var connection: PostgresConnection?
    private var wasConnected = false

    /// A restart of PostgreSQL takes a second or two; for so long a lost connection is tried again.
    private static let reconnectMax: Duration = .seconds(5)

    init(url: PostgresURL, options: DatabaseOptions, counters: DatabaseCounters, role: PostgresRole) {
        self.url = url
        self.options = options
        self.counters = counters
        self.role = role
    }

    /// Runs `body` in a transaction, again if the transaction could not have been committed and may succeed later.
    ///
    /// - Parameter retriesConnecting: whether a server that can't be reached is tried again for a while.
    func run<T>(
        _ access: Access,
        of scope: RowScope,
        _ control: CallControl,
        retriesConnecting: Bool,
        _ body: (any Transaction) throws -> T
    ) throws -> T {
        var attempt = 0
        while true {
            try control.check()
            do {
                let connection = try connected(control, retries: retriesConnecting)
                return try transact(connection, access, of: scope, control, body)
            } catch {
                let again = isRetryable(error, connection)
                if connection?.isBroken ?? true { connection = nil }
                guard again, attempt < options.retriesMax else { throw publicError(error) }
                attempt += 1
                counters.add { $0.retries += 1 }
                if let connection, (error as? PostgresFailure)?.isStalePlan == true { try forgetPlans(connection) }
                if let connection { try pause(attempt, connection, control) }
            }
        }
    }

    /// Ends what a read has left open; called once its caller has been answered.
    func finish() {
        guard let connection, !connection.isBroken, connection.isInTransaction else { return }
        rollback(connection)
        if connection.isBroken { self.connection = nil }
    }

    /// One attempt: BEGIN with the first statement, the body, and for a write COMMIT.
    private func transact<T>(
        _ connection: PostgresConnection,
        _ access: Access,
        of scope: RowScope,
        _ control: CallControl,
        _ body: (any Transaction) throws -> T
    ) throws -> T {
        let role = scope == .owner ? nil : try role.name(connection, control)
        let transaction = PostgresTransaction(
            connection,
            control,
            opening: PostgresOpening(begin: access.begin, scope: scope, role: role),
            isWritable: access == .write
        )
        defer { transaction.end() }
        let value: T
        do {
            do { value = try body(transaction) } catch {
                // What the body makes of a lost race or connection doesn't count: it is run again.
                if let death = transaction.death, isRetryable(death, connection) { throw death }
                throw error
            }
            if let death = transaction.death { throw death }
            if transaction.hasEnded { throw DatabaseError.endedByBody }
        } catch {
            rollback(connection)
            throw error
        }
        if access == .write, connection.isInTransaction { try commit(connection) }
        // It may have made the role, or what the role is for.
        if access == .write, scope == .owner { self.role.forget() }
        return value
    }

    /// From here on neither cancellation nor deadline counts: the answer decides whether the write is stored.
    private func commit(_ connection: PostgresConnection) throws {
        let tag: String
        do {
            tag = try connection.run("COMMIT", CallControl(deadline: .now + .seconds(30)))
        } catch let failure as PostgresFailure where !connection.isBroken {
            // A deferred constraint, or a lost race: the server has rolled back.
            throw failure
        } catch {
            throw DatabaseError(
                .outcomeUnknown,
                "the connection to PostgreSQL was lost while committing: the change may or may not be stored",
                hint: "read again before repeating it",
                detail: (publicError(error) as? DatabaseError)?.detail
            )
        }
        guard tag == "COMMIT" else { throw DatabaseError.internalError("PostgreSQL rolled back", detail: tag) }
    }

    private func rollback(_ connection: PostgresConnection) {
        guard !connection.isBroken, connection.isInTransaction else { return }
        // When it fails the connection is broken and dropped, which rolls back too.
        _ = try? connection.run("ROLLBACK", CallControl(deadline: .now + .seconds(10)))
    }

    /// Whether nothing is stored, and another attempt may do better.
    private func isRetryable(_ error: any Error, _ connection: PostgresConnection?) -> Bool {
        // A server that can't be reached was tried long enough.
        guard let connection else { return false }
        guard let failure = error as? PostgresFailure else {
            return connection.isBroken && (error as? DatabaseError)?.code == .connection
        }
        return failure.isRetryable || (connection.isBroken && failure.error.code == .connection)
    }

    private func connected(_ control: CallControl, retries: Bool) throws -> PostgresConnection {
        if let connection { return connection }
        let waitEnd = control.deadline ?? .now + options.waitMax
        let connectEnd = retries ? min(waitEnd, .now + Self.reconnectMax) : .now
        while true {
            do {
                let connection = try PostgresConnection(url, options: options, control: control, waitEnd: waitEnd)
                self.connection = connection
                if wasConnected { counters.add { $0.reconnects += 1 } }
                wasConnected = true
                return connection
            } catch let error as DatabaseError where error.code == .connection && .now < connectEnd {
                try control.check()
                usleep(50_000)
            }
        }
    }

    private func forgetPlans(_ connection: PostgresConnection) throws {
        try connection.run("DEALLOCATE ALL", CallControl(deadline: .now + .seconds(10)))
        connection.statements.removeAll()
    }

    /// Waits longer after each attempt, and not as long as the others who lost the same race.
    private func pause(_ attempt: Int, _ connection: PostgresConnection, _ control: CallControl) throws {
        let longest = min(100_000, 1_000 << min(attempt, 7))
        try connection.pause(.microseconds(Int.random(in: 500...longest)), control)
    }

    private func publicError(_ error: any Error) -> any Error { (error as? PostgresFailure)?.error ?? error }
}
