import GRDBSQLite

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// Copies a SQLite file that others are writing to.
public enum SQLiteCopy {
    /// The path of a `sqlite:` URL; nil for another database's.
    public static func path(of url: String) -> String? {
        guard case .sqlite(let path)? = try? DatabaseURL(url) else { return nil }
        return path
    }

    /// Copies the file at `source`, as one snapshot of what is committed, to the new file `target`, and syncs it.
    ///
    /// By SQLite's backup interface, over a connection of its own. Writers go on meanwhile; the log that they write to
    /// cannot be reset until the copy is done. Cancelling leaves a broken `target`.
    public static func copy(from source: String, to target: String) async throws {
        let control = CallControl(deadline: nil)
        try await withTaskCancellationHandler {
            try await Lanes.run { try run(source, target, control) }
        } onCancel: {
            control.cancel()
        }
    }

    /// Copied between two looks whether somebody cancelled: some 16 MB.
    private static let pagesAtOnce: Int32 = 4_096
    private static let busyMilliseconds: Int32 = 60_000

    private static func run(_ source: String, _ target: String, _ control: CallControl) throws {
        let from = try open(source, flags: SQLITE_OPEN_READWRITE)
        defer { sqlite3_close_v2(from) }
        guard access(target, F_OK) != 0 else {
            throw DatabaseError(.configuration, "there is a file \(target) already", hint: "name another one")
        }
        let to = try open(target, flags: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)
        defer { sqlite3_close_v2(to) }
        // The snapshot: without it the copy would begin again whenever another connection commits.
        try check(sqlite3_exec(from, "BEGIN; SELECT COUNT(*) FROM sqlite_schema", nil, nil, nil), from)
        defer { sqlite3_exec(from, "ROLLBACK", nil, nil, nil) }
        guard let backup = sqlite3_backup_init(to, "main", from, "main") else { throw failure(to) }
        var code = SQLITE_OK
        repeat {
            code = sqlite3_backup_step(backup, pagesAtOnce)
            if control.isCancelled { break }
        } while code == SQLITE_OK || code == SQLITE_BUSY || code == SQLITE_LOCKED
        let end = sqlite3_backup_finish(backup)
        try control.check()
        guard code == SQLITE_DONE, end == SQLITE_OK else { throw failure(to) }
    }

    private static func open(_ path: String, flags: Int32) throws -> OpaquePointer {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, flags | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            defer { sqlite3_close_v2(handle) }
            throw DatabaseError(.configuration, "\(path) can't be opened: \(String(cString: sqlite3_errstr(code)))")
        }
        sqlite3_busy_timeout(handle, busyMilliseconds)
        return handle
    }

    private static func check(_ code: Int32, _ handle: OpaquePointer) throws {
        guard code == SQLITE_OK else { throw failure(handle) }
    }

    private static func failure(_ handle: OpaquePointer) -> DatabaseError {
        let code: DatabaseError.Code =
            switch sqlite3_errcode(handle) {
            case SQLITE_CORRUPT, SQLITE_NOTADB: .corrupt
            case SQLITE_BUSY, SQLITE_LOCKED: .busy
            default: .configuration
            }
        return DatabaseError(code, "the database can't be copied: \(String(cString: sqlite3_errmsg(handle)))")
    }
}
