import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What we keep for each connection: prepared statements, and what may stop a statement.
///
/// GRDB opens and closes the connections. Statements are run through SQLite's C interface, because
/// GRDB's statement cache grows without bound and its rows and arguments cost several times the statement.
///
/// Unchecked, because everything is used by one call at a time, the one that the connection is lent to, and SQLite calls
/// the handlers on that call's thread.
final class SQLiteConnection: @unchecked Sendable {
    let handle: OpaquePointer
    private let statementsMax: Int
    private var statements: [String: SQLiteStatement] = [:]
    private var useClock: UInt64 = 0

    /// The call that is being served; its deadline and cancellation stop statements.
    var control: CallControl?
    /// Whether a wait for another process's lock should go on.
    var waitsForLock: () -> Bool = { false }

    init(handle: OpaquePointer, statementsMax: Int) {
        self.handle = handle
        self.statementsMax = statementsMax
    }

    var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

    /// Whether rows refer to missing ones and only the commit would find out.
    var hasDeferredViolations: Bool {
        var current: Int32 = 0
        var highest: Int32 = 0
        sqlite3_db_status(handle, SQLITE_DBSTATUS_DEFERRED_FKS, &current, &highest, 0)
        return current != 0
    }

    /// Rows changed since the connection was opened, also by triggers and foreign keys.
    var totalChanges: Int64 { sqlite3_total_changes64(handle) }

    /// Rows changed by the last INSERT, UPDATE or DELETE.
    var lastChanges: Int64 { sqlite3_changes64(handle) }

    /// Installs our handlers, and takes GRDB's observation away: it follows statements that GRDB itself runs.
    func install() {
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_busy_handler(
            handle,
            { context, _ in
                Unmanaged<SQLiteConnection>.fromOpaque(context!).takeUnretainedValue().pauseForLock() ? 1 : 0
            },
            context
        )
        // About every 20 µs of work: often enough for deadlines, too seldom to be measured.
        sqlite3_progress_handler(
            handle,
            2_000,
            { context in
                let connection = Unmanaged<SQLiteConnection>.fromOpaque(context!).takeUnretainedValue()
                return connection.control?.interruption == nil ? 0 : 1
            },
            context
        )
        sqlite3_set_authorizer(handle, nil, nil)
        _ = sqlite3_commit_hook(handle, nil, nil)
        _ = sqlite3_rollback_hook(handle, nil, nil)
        _ = sqlite3_update_hook(handle, nil, nil)
        addFunctions()
    }

    /// Runs one of the driver's own statements.
    func run(_ sql: String) throws {
        try translated {
            try use(sql) { statement in
                while try statement.step() {}
            }
        }
    }

    /// Lends the prepared statement of `sql`, and makes it ready for the next use afterwards.
    func use<T>(_ sql: String, _ body: (SQLiteStatement) throws -> T) throws -> T {
        let statement = try statement(sql)
        statement.isInUse = true
        defer {
            statement.reset()
            statement.isInUse = false
        }
        return try body(statement)
    }

    /// Turns SQLite's result codes into our errors.
    func translated<T>(_ body: () throws -> T) throws -> T {
        do {
            return try body()
        } catch let failure as SQLiteFailure {
            throw DatabaseError.sqlite(
                failure.code,
                engineMessage: failure.message,
                sql: failure.sql,
                interruption: control?.interruption
            )
        }
    }

    /// Lets go of all prepared statements, which would keep the connection open.
    func forgetStatements() { statements = [:] }

    private func statement(_ sql: String) throws -> SQLiteStatement {
        useClock += 1
        if let statement = statements[sql] {
            guard !statement.isInUse else { return try SQLiteStatement(sql, on: handle, isCached: false) }
            statement.lastUse = useClock
            return statement
        }
        let statement = try SQLiteStatement(sql, on: handle, isCached: true)
        statement.lastUse = useClock
        if statements.count >= statementsMax, let oldest = statements.values.min(by: { $0.lastUse < $1.lastUse }) {
            // In use or not: who uses it holds it.
            statements.removeValue(forKey: oldest.sql)
        }
        statements[sql] = statement
        return statement
    }

    /// Called by SQLite when another connection holds the lock it needs.
    ///
    /// SQLite's own handler backs off to 100 ms and so loses every race against writers of other processes.
    private func pauseForLock() -> Bool {
        guard waitsForLock() else { return false }
        usleep(1_000)
        return true
    }
}
