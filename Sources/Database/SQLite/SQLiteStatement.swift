import GRDBSQLite

/// A prepared statement of one connection. Used by whom the connection is lent to only.
final class SQLiteStatement {
    let sql: String
    /// Set while rows are being read, so that the same text run inside gets a statement of its own.
    var isInUse = false
    /// The connection's clock when it was last used.
    var lastUse: UInt64 = 0

    private let handle: OpaquePointer
    private let database: OpaquePointer
    private let parameterCount: Int
    private var columns: RowColumns?
    private var columnsPreparation: Int32 = -1

    init(_ sql: String, on database: OpaquePointer, isCached: Bool) throws {
        self.sql = sql
        self.database = database
        var text = Placeholders.rewritten(sql)
        var handle: OpaquePointer?
        let flags = isCached ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let (status, hasMore) = text.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                var tail: UnsafePointer<CChar>?
                let status = sqlite3_prepare_v3(
                    database,
                    characters.baseAddress,
                    Int32(characters.count),
                    flags,
                    &handle,
                    &tail
                )
                let rest = tail.map { characters.baseAddress! + characters.count - $0 } ?? 0
                return (status, !characters.suffix(rest).allSatisfy { isBlankOrSemicolon($0) })
            }
        }
        guard status == SQLITE_OK else { throw Self.error(status, database, sql) }
        guard let handle, !hasMore else {
            sqlite3_finalize(handle)
            throw DatabaseError(.syntax, "a call runs exactly one statement", detail: "in: \(sql.prefix(500))")
        }
        self.handle = handle
        parameterCount = Int(sqlite3_bind_parameter_count(handle))
    }

    deinit { sqlite3_finalize(handle) }

    var isReadOnly: Bool { sqlite3_stmt_readonly(handle) != 0 }

    /// Binds `arguments` to `$1…$n`. SQLite copies them.
    func bind(_ arguments: [SQLValue]) throws {
        guard arguments.count == parameterCount else {
            throw DatabaseError.wrongArgumentCount(expected: parameterCount, received: arguments.count, sql: sql)
        }
        for (offset, argument) in arguments.enumerated() {
            let position = Int32(offset + 1)
            try argument.validate(position: offset + 1)
            let status =
                switch argument {
                case .null: sqlite3_bind_null(handle, position)
                case .integer(let value): sqlite3_bind_int64(handle, position, value)
                case .real(let value): sqlite3_bind_double(handle, position, value)
                case .text(let value): bind(value, at: position)
                case .bytes(let value): bind(value, at: position)
                }
            guard status == SQLITE_OK else { throw Self.error(status, database, sql) }
        }
    }

    /// Steps once. True when there is a row to read.
    func step() throws -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let status: throw Self.error(status, database, sql)
        }
    }

    /// The row the last `step` stopped at.
    func row() throws -> Row {
        let columns = currentColumns()
        let values = try columns.names.indices.map { try value(Int32($0)) }
        return Row(columns: columns, values: values)
    }

    /// Makes the statement ready to be run again, and forgets the arguments.
    func reset() {
        // Reset repeats the error of the last step, which was thrown then.
        sqlite3_reset(handle)
        if parameterCount > 0 { sqlite3_clear_bindings(handle) }
    }

    private func bind(_ value: String, at position: Int32) -> Int32 {
        var value = value
        return value.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { characters in
                // An empty string may have no address; SQLite would take that for NULL.
                withUnsafePointer(to: CChar(0)) { empty in
                    sqlite3_bind_text64(
                        handle,
                        position,
                        characters.baseAddress ?? empty,
                        UInt64(characters.count),
                        copies,
                        UInt8(SQLITE_UTF8)
                    )
                }
            }
        }
    }

    private func bind(_ value: [UInt8], at position: Int32) -> Int32 {
        guard !value.isEmpty else { return sqlite3_bind_zeroblob(handle, position, 0) }
        return value.withUnsafeBytes {
            sqlite3_bind_blob64(handle, position, $0.baseAddress, UInt64($0.count), copies)
        }
    }

    private func value(_ position: Int32) throws -> SQLValue {
        switch sqlite3_column_type(handle, position) {
        case SQLITE_INTEGER: return .integer(sqlite3_column_int64(handle, position))
        case SQLITE_FLOAT: return .real(sqlite3_column_double(handle, position))
        case SQLITE_TEXT:
            let address = sqlite3_column_text(handle, position)
            let bytes = UnsafeBufferPointer(start: address, count: Int(sqlite3_column_bytes(handle, position)))
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw DatabaseError(
                    .corrupt,
                    "the database holds text that is not UTF-8",
                    detail: "in: \(sql.prefix(500))"
                )
            }
            return .text(text)
        case SQLITE_BLOB:
            let count = Int(sqlite3_column_bytes(handle, position))
            guard let address = sqlite3_column_blob(handle, position) else { return .bytes([]) }
            return .bytes([UInt8](UnsafeRawBufferPointer(start: address, count: count)))
        default: return .null
        }
    }

    /// The column names, read again when SQLite prepared the statement anew because the schema changed.
    private func currentColumns() -> RowColumns {
        let preparation = sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_REPREPARE, 0)
        if let columns, columnsPreparation == preparation { return columns }
        let names = (0..<sqlite3_column_count(handle)).map { position in
            sqlite3_column_name(handle, position).map { String(cString: $0) } ?? ""
        }
        let columns = RowColumns(names)
        self.columns = columns
        columnsPreparation = preparation
        return columns
    }

    private static func error(_ status: Int32, _ database: OpaquePointer, _ sql: String) -> SQLiteFailure {
        SQLiteFailure(code: status, message: sqlite3_errmsg(database).map { String(cString: $0) }, sql: sql)
    }
}

/// A result code that is not yet translated: the connection knows why a statement was interrupted.
struct SQLiteFailure: Error {
    let code: Int32
    let message: String?
    let sql: String
}

/// SQLITE_TRANSIENT: the value is copied before the call returns.
private var copies: sqlite3_destructor_type { unsafeBitCast(-1, to: sqlite3_destructor_type.self) }

private func isBlankOrSemicolon(_ character: CChar) -> Bool {
    character == 0x20 || character == 0x3b || (character >= 0x09 && character <= 0x0d) || character == 0
}
