import GRDBSQLite

extension SQLiteConnection {
    /// Adds `cell_of(cells, key)`: the member of a JSON object under a whole number.
    ///
    /// A text is TEXT, a number REAL, anything else BLOB as it is written, an absent one NULL. What is no such object
    /// fails with SQLITE_CORRUPT. Only queries may use it, no index and no view: other programs do not know it.
    func addFunctions() {
        sqlite3_create_function_v2(
            handle,
            "cell_of",
            2,
            SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
            nil,
            { context, _, arguments in cellOf(context, arguments) },
            nil,
            nil,
            nil
        )
    }
}

private func cellOf(_ context: OpaquePointer?, _ arguments: UnsafeMutablePointer<OpaquePointer?>?) {
    guard let arguments, let start = sqlite3_value_text(arguments[0]) else { return sqlite3_result_null(context) }
    let cells = UnsafeBufferPointer(start: start, count: Int(sqlite3_value_bytes(arguments[0])))
    switch StoredMember.find(sqlite3_value_int64(arguments[1]), in: cells) {
    case .absent: sqlite3_result_null(context)
    case .number(let number): sqlite3_result_double(context, number)
    case .other(let bytes): sqlite3_result_blob(context, bytes.baseAddress, Int32(bytes.count), transient)
    case .text(let bytes, hasEscapes: false): give(bytes, to: context)
    case .text(let bytes, hasEscapes: true):
        guard let text = StoredMember.unescaped(bytes) else { return fail(context) }
        text.withUnsafeBufferPointer { give($0, to: context) }
    case .damaged: fail(context)
    }
}

/// SQLite takes a copy: the row's bytes are its own only until the next step.
private let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

private func give(_ bytes: UnsafeBufferPointer<UInt8>, to context: OpaquePointer?) {
    guard let base = bytes.baseAddress else { return sqlite3_result_text(context, "", 0, nil) }
    base.withMemoryRebound(to: CChar.self, capacity: bytes.count) {
        sqlite3_result_text(context, $0, Int32(bytes.count), transient)
    }
}

private func fail(_ context: OpaquePointer?) { sqlite3_result_error_code(context, SQLITE_CORRUPT) }
