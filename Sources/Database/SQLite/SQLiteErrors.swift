import GRDB
import GRDBSQLite

extension DatabaseError {
    /// Another process held the lock until the deadline.
    static var lockedOut: DatabaseError { .sqlite(SQLITE_BUSY, engineMessage: nil, sql: nil) }

    /// A body left references to missing rows, which the commit would refuse.
    static var deferredForeignKey: DatabaseError {
        .sqlite(constraintForeignKey, engineMessage: "deferred", sql: nil)
    }

    /// The translation of SQLite's (extended) result codes.
    ///
    /// - Parameters:
    ///   - engineMessage: SQLite's own words; they name tables and columns, never values, except for codes that
    ///     a user-defined function raised, of which there are none. Goes to `detail` only.
    ///   - interruption: why the connection's progress handler stopped the statement, if it did.
    static func sqlite(
        _ resultCode: Int32,
        engineMessage: String?,
        sql: String?,
        interruption: DatabaseError? = nil
    ) -> DatabaseError {
        if resultCode & 0xff == SQLITE_INTERRUPT, let interruption { return interruption }
        let (code, message, hint) = meaning(resultCode)
        let detail = [
            "SQLite code \(resultCode)", engineMessage, sql.map { "in: \($0.prefix(500))" },
        ]
        return DatabaseError(code, message, hint: hint, detail: detail.compactMap(\.self).joined(separator: "; "))
    }

    private static func meaning(_ resultCode: Int32) -> (Code, String, hint: String?) {
        switch resultCode {
        case constraintUnique, constraintPrimaryKey, constraintRowID:
            return (.uniqueViolation, "a row with this key exists already", nil)
        case constraintForeignKey:
            return (.foreignKeyViolation, "a row that is referred to is missing, or still referred to", nil)
        case constraintNotNull:
            return (.notNullViolation, "a value that must be there is missing", nil)
        default:
            break
        }
        switch resultCode & 0xff {
        case SQLITE_CONSTRAINT, SQLITE_MISMATCH, SQLITE_TOOBIG:
            return (.checkViolation, "a value does not fit its column", nil)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return (.busy, "another process is writing to the database", "try again in a moment")
        case SQLITE_INTERRUPT:
            return (.cancelled, "the statement was stopped", nil)
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT:
            return (.corrupt, "the database file is damaged, or is no SQLite database", "restore it from a backup")
        case SQLITE_FULL:
            return (.full, "the disk that holds the database is full", "free some space and try again")
        case SQLITE_READONLY, SQLITE_PERM, SQLITE_AUTH:
            return (.readOnly, "the database can't be written here", "check the owner and mode of the file")
        case SQLITE_CANTOPEN:
            return (.configuration, "the database file can't be opened", "check its path, owner and mode")
        case SQLITE_ERROR, SQLITE_RANGE, SQLITE_MISUSE:
            return (.syntax, "a statement of the program is wrong", nil)
        default:
            return (.internal, "the database failed", nil)
        }
    }

    /// Translates what GRDB throws, such as while opening.
    static func sqlite(_ error: any Error, interruption: DatabaseError? = nil) -> DatabaseError {
        if let error = error as? DatabaseError { return error }
        guard let error = error as? GRDB.DatabaseError else {
            return .internalError("the database failed", detail: String(describing: type(of: error)))
        }
        return .sqlite(
            error.extendedResultCode.rawValue,
            engineMessage: error.message,
            sql: error.sql,
            interruption: interruption
        )
    }
}

// SQLite's headers give the extended codes as macros with shifts, which Swift doesn't import.
private let constraintUnique = SQLITE_CONSTRAINT | 8 << 8
private let constraintPrimaryKey = SQLITE_CONSTRAINT | 6 << 8
private let constraintRowID = SQLITE_CONSTRAINT | 10 << 8
private let constraintForeignKey = SQLITE_CONSTRAINT | 3 << 8
private let constraintNotNull = SQLITE_CONSTRAINT | 5 << 8
