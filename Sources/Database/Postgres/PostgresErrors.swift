import CLibpq

/// What the server said about a statement that failed.
struct PostgresFailure: Error {
    let state: String
    let error: DatabaseError

    /// The body may be run again: the transaction lost against another one, or a plan is outdated.
    var isRetryable: Bool {
        switch state {
        case "40001", "40P01": true
        case "26000", "0A000": isStalePlan
        default: false
        }
    }

    /// A prepared statement that the server no longer knows, or whose result type has changed.
    let isStalePlan: Bool

    /// - Parameters:
    ///   - result: a failed result; read, not cleared.
    ///   - interruption: why we asked the server to stop, if we did.
    init(_ result: OpaquePointer?, sql: String, interruption: DatabaseError?) {
        func field(_ code: Int32) -> String? {
            PQresultErrorField(result, code).map { String(cString: $0) }
        }
        state = field(diagnosticState) ?? ""
        let primary = field(diagnosticMessage)
        // In every language the message is, the code and the routine are the same.
        let routine = field(diagnosticRoutine)
        isStalePlan = state == "26000" || (state == "0A000" && routine == "RevalidateCachedQuery")
        if state == "57014", let interruption {
            error = interruption
            return
        }
        let (code, message, hint) = Self.meaning(state)
        // The primary message quotes values in class 22; DETAIL quotes them in class 23.
        let names = ["constraint": diagnosticConstraint, "table": diagnosticTable]
            .compactMap { name, code in field(code).map { "\(name) \($0)" } }.sorted()
        let parts = ["SQLSTATE \(state)", state.hasPrefix("22") ? nil : primary] + names + ["in: \(sql.prefix(500))"]
        error = DatabaseError(code, message, hint: hint, detail: parts.compactMap(\.self).joined(separator: "; "))
    }

    private static func meaning(_ state: String) -> (DatabaseError.Code, String, hint: String?) {
        switch state {
        case "23505", "23P01": return (.uniqueViolation, "a row with this key exists already", nil)
        case "23503":
            return (.foreignKeyViolation, "a row that is referred to is missing, or still referred to", nil)
        case "23502": return (.notNullViolation, "a value that must be there is missing", nil)
        case "40001", "40P01", "55P03", "53300":
            return (.busy, "the database is busy with other writes", "try again in a moment")
        case "57014": return (.timedOut, "the database stopped a statement that took too long", nil)
        case "53100": return (.full, "the disk that holds the database is full", "free some space and try again")
        case "25006", "42501":
            return (.readOnly, "the database refuses this to its user", "check the user's rights; is it a standby?")
        case "57P01", "57P02", "57P03", "25P03", "57P05": return (.connection, "PostgreSQL ended the connection", nil)
        case "3D000": return (.configuration, "the PostgreSQL database does not exist", "create it, or check the URL")
        case "XX001", "XX002":
            return (.corrupt, "PostgreSQL found damaged data", "check its log; restore from a backup")
        default: break
        }
        switch state.prefix(2) {
        case "22", "23": return (.checkViolation, "a value does not fit its column", nil)
        case "08": return (.connection, "the connection to PostgreSQL was lost", nil)
        case "28": return (.configuration, "PostgreSQL refused the login", "check user and password of the URL")
        case "42", "0A", "26", "34": return (.syntax, "a statement of the program is wrong", nil)
        default: return (.internal, "the database failed", nil)
        }
    }
}

// libpq-fe.h gives the field codes as characters.
private let diagnosticState = Int32(UInt8(ascii: "C"))
private let diagnosticMessage = Int32(UInt8(ascii: "M"))
private let diagnosticConstraint = Int32(UInt8(ascii: "n"))
private let diagnosticTable = Int32(UInt8(ascii: "t"))
private let diagnosticRoutine = Int32(UInt8(ascii: "R"))
