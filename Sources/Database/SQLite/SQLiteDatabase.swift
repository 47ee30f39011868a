import Dispatch
import Foundation
import GRDB
import GRDBSQLite
import Synchronization

/// SQLite in a file: connections that GRDB opens, WAL, `synchronous=FULL` and group commit.
///
/// Any number of processes may have the file open. Reads run beside each other and beside the writer.
final class SQLiteDatabase: SQLDatabase {
    let dialect = SQLDialect.sqlite
    let location: String

    private let pool: DatabasePool
    private let connections: SQLiteConnections
    private let lent: SQLiteReaders
    private let options: DatabaseOptions
    private let lanes: Lanes
    private let watch = DeadlineWatch()
    private let readers: Permits
    private let queue: WriteQueue
    private let writer: SQLiteWriter
    private let counters = DatabaseCounters()
    private let isClosed = Mutex(false)

    /// Opens `path`, or creates it with mode 0600. Blocks; waits for other processes' locks up to `waitMax`.
    init(path: String, options: DatabaseOptions) throws {
        location = "sqlite:\(path)"
        self.options = options
        connections = SQLiteConnections(statementsMax: options.statementsMax, waitMax: options.waitMax)
        try Self.createFile(path)
        let configuration = Self.configuration(options, connections)
        pool = try Self.openPool(path, configuration, options, connections)
        lent = SQLiteReaders(path: path, configuration, connections)
        lanes = Lanes(count: options.connectionsMax)
        readers = Permits(count: options.connectionsMax, waitersMax: options.waitersMax, watch: watch)
        queue = WriteQueue(max: options.waitersMax, watch: watch)
        writer = SQLiteWriter(
            queue: queue,
            turn: TurnLock(databasePath: path),
            counters: counters,
            groupMax: options.groupMax,
            groupDuration: options.groupDuration,
            waitMax: options.waitMax
        )
    }

    deinit { connections.forgetStatements() }

    var statistics: DatabaseStatistics {
        var statistics = counters.snapshot
        statistics.connectionsInUse = readers.inUse
        statistics.connectionsMax = readers.count
        statistics.waiting = readers.waiting + queue.count
        return statistics
    }

    func read<T: Sendable>(
        of _: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        let waitEnd = deadline ?? .now + options.waitMax
        try await readers.acquire(deadline: waitEnd)
        defer { readers.release() }
        let lane = lanes.take()
        defer { lanes.giveBack(lane) }
        let control = CallControl(deadline: deadline)
        do {
            let value = try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    lane.async {
                        continuation.resume(with: Result { try self.read(control, waitEnd: waitEnd, body) })
                    }
                }
            } onCancel: {
                control.cancel()
            }
            countRead(isFailure: false)
            return value
        } catch {
            countRead(isFailure: true)
            throw error
        }
    }

    func glance<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        if let value = try glimpse(deadline, body) { return value }
        return try await read(of: scope, deadline: deadline, body)
    }

    /// Nil when no connection is free, a lock is in the way, or it would take too long.
    private func glimpse<T>(
        _ deadline: ContinuousClock.Instant?,
        _ body: (any Transaction) throws -> T
    ) throws -> T? {
        guard try readers.tryAcquire() else { return nil }
        defer { readers.release() }
        let start = ContinuousClock.now
        let end = start + options.glanceMax
        let control = CallControl(deadline: deadline.map { min($0, end) } ?? end)
        do {
            let value = try read(control, waitEnd: start, body)
            countRead(isFailure: false)
            return value
        } catch let error as DatabaseError where error.code == .timedOut || error.code == .busy {
            return nil
        } catch {
            countRead(isFailure: true)
            throw error
        }
    }

    private func countRead(isFailure: Bool) {
        counters.add {
            $0.reads += 1
            if isFailure { $0.failures += 1 }
        }
    }

    func write<T: Sendable>(
        of _: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        let control = CallControl(deadline: deadline)
        let waiting = Mutex<(any WriteJob)?>(nil)
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let job = PendingWrite(control: control, continuation: continuation, body: body)
                waiting.withLock { $0 = job }
                if queue.add(job, deadline: deadline ?? .now + options.waitMax) { serveQueue() }
                if control.isCancelled { queue.abandon(job, .cancelled) }
            }
        } onCancel: {
            control.cancel()
            if let job = waiting.withLock({ $0 }) { queue.abandon(job, .cancelled) }
        }
    }

    func integrityCheck() async throws -> [String] {
        do {
            return try await read(of: .owner) { transaction in
                var findings: [String] = []
                try transaction.forEachRow("PRAGMA integrity_check(100)") { row in
                    let finding = try row.text(0)
                    if finding != "ok" { findings.append(finding) }
                }
                try transaction.forEachRow("PRAGMA foreign_key_check") { row in
                    guard findings.count < 200 else { return }
                    let table = try row.optionalText(0) ?? "?"
                    let parent = try row.optionalText(2) ?? "?"
                    findings.append("a row of \(table) refers to a missing row of \(parent)")
                }
                return findings
            }
        } catch let error as DatabaseError where error.code == .corrupt {
            // Too damaged to be checked to the end.
            return [error.message]
        }
    }

    func close() async {
        await queue.close()
        await readers.close()
        let wasClosed = isClosed.withLock { isClosed in
            defer { isClosed = true }
            return isClosed
        }
        // A handle that was closed is another connection's by now, perhaps of another file.
        guard !wasClosed else { return }
        let lane = lanes.take()
        defer { lanes.giveBack(lane) }
        await withCheckedContinuation { continuation in
            lane.async { [self] in
                // GRDB closes the readers last, which can't carry the log over into the file. Others that have the
                // file open may keep us from it, and then one of them does it.
                try? pool.writeWithoutTransaction { try connections.of($0).run("PRAGMA wal_checkpoint(TRUNCATE)") }
                connections.forgetStatements()
                lent.close()
                // A connection that can't be closed now is closed when the pool goes away.
                try? pool.close()
                continuation.resume()
            }
        }
    }

    /// One group after the other on GRDB's writer queue, until nothing waits.
    private func serveQueue() {
        pool.asyncWriteWithoutTransaction { [self] database in
            let connection = connections.of(database)
            repeat { writer.serveGroup(connection) } while queue.goesOn()
        }
    }

    private func read<T>(
        _ control: CallControl,
        waitEnd: ContinuousClock.Instant,
        _ body: (any Transaction) throws -> T
    ) throws -> T {
        try control.check()
        do {
            let reader = try lent.take()
            defer { lent.giveBack(reader) }
            let connection = reader.connection
            connection.control = control
            connection.waitsForLock = { !control.isCancelled && .now < waitEnd }
            defer {
                connection.control = nil
                // Nothing was written; ROLLBACK only ends the snapshot, and fails if SQLite did so itself. A BEGIN that was
                // stopped may have begun all the same.
                if connection.isInTransaction { try? connection.run("ROLLBACK") }
                connection.waitsForLock = { false }
            }
            try connection.run("BEGIN")
            let transaction = SQLiteTransaction(connection, control, isWritable: false)
            defer { transaction.end() }
            let value = try body(transaction)
            if let death = transaction.death { throw death }
            return value
        } catch let error as GRDB.DatabaseError {
            throw DatabaseError.sqlite(error, interruption: control.interruption)
        }
    }

    /// Creates the file so that nobody else may read it; SQLite gives its other files the same mode.
    private static func createFile(_ path: String) throws {
        let descriptor = Foundation.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        if descriptor >= 0 {
            _ = Foundation.close(descriptor)
            return
        }
        let reason = String(cString: strerror(errno))
        throw DatabaseError(
            .configuration,
            "the database file \(path) can't be opened: \(reason)",
            hint: "check that its directory exists and is yours"
        )
    }

    private static func configuration(_ options: DatabaseOptions, _ connections: SQLiteConnections) -> Configuration {
        let waitEnd = ContinuousClock.now + options.waitMax
        var configuration = Configuration()
        configuration.label = "database"
        configuration.busyMode = .callback { _ in
            usleep(1_000)
            return .now < waitEnd
        }
        configuration.prepareDatabase { database in
            // A damaged page is reported where it is read. `trusted_schema` stays on: without it triggers couldn't
            // keep a full text index.
            // The cache is in KiB and per connection; behind it is the system's own. A writer's hot pages are a few
            // trees' ends: an import took as long with 2 MB as with 4 and 16, and a server that streams grew by the rest.
            let isReader = database.configuration.readonly
            try database.execute(
                sql: """
                    PRAGMA cell_size_check = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -2000;
                    """
            )
            if isReader { try connections.adopt(database) }
        }
        return configuration
    }

    private static func openPool(
        _ path: String,
        _ configuration: Configuration,
        _ options: DatabaseOptions,
        _ connections: SQLiteConnections
    ) throws -> DatabasePool {
        do {
            let pool = try makePool(path, configuration, .now + options.waitMax)
            try pool.writeWithoutTransaction { database in
                // GRDB sets NORMAL, with which a commit may be lost when the power fails.
                try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 67108864")
                try connections.adopt(database)
            }
            return pool
        } catch {
            let error = DatabaseError.sqlite(error)
            throw DatabaseError(
                error.code,
                "\(path): \(error.message)",
                hint: error.hint,
                detail: error.detail
            )
        }
    }
}

extension SQLiteDatabase {
    /// Opens the pool; tried again while another process is making the same file into a WAL database, for which
    /// SQLite doesn't wait.
    private static func makePool(
        _ path: String,
        _ configuration: Configuration,
        _ waitEnd: ContinuousClock.Instant
    ) throws -> DatabasePool {
        while true {
            do {
                return try DatabasePool(path: path, configuration: configuration)
            } catch let error as GRDB.DatabaseError where error.resultCode == .SQLITE_BUSY && .now < waitEnd {
                usleep(5_000)
            }
        }
    }
}

/// Our side of each of the pool's connections.
final class SQLiteConnections: Sendable {
    private let statementsMax: Int
    private let waitMax: Duration
    private let connections = Mutex<[ObjectIdentifier: SQLiteConnection]>([:])

    init(statementsMax: Int, waitMax: Duration) {
        self.statementsMax = statementsMax
        self.waitMax = waitMax
    }

    /// Called while GRDB opens the connection, once.
    func adopt(_ database: GRDB.Database) throws {
        guard let handle = database.sqliteConnection else { throw DatabaseError.closed }
        let connection = SQLiteConnection(handle: handle, statementsMax: statementsMax)
        // GRDB reads once more before it lends the connection for the first time.
        let waitEnd = ContinuousClock.now + waitMax
        connection.waitsForLock = { .now < waitEnd }
        connection.install()
        connections.withLock { $0[ObjectIdentifier(database)] = connection }
    }

    func of(_ database: GRDB.Database) -> SQLiteConnection {
        guard let connection = connections.withLock({ $0[ObjectIdentifier(database)] }) else {
            preconditionFailure("GRDB lent a connection that was not prepared")
        }
        return connection
    }

    /// Called when no connection is in use: prepared statements would keep them open.
    func forgetStatements() {
        for connection in connections.withLock({ Array($0.values) }) { connection.forgetStatements() }
    }
}
