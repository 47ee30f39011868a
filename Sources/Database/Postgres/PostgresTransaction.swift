/// One body's view of a PostgreSQL transaction.
final class PostgresTransaction: Transaction {
    private let connection: PostgresConnection
    private let control: CallControl
    private let isWritable: Bool
    /// Why no further statement runs: one failed, or the body has returned.
    private(set) var death: (any Error)?
    private var depth = 0
    private var isStreaming = false
    /// How the transaction begins, until it has: sent together with the first statement, which saves a round trip.
    private var opening: PostgresOpening?

    let dialect = SQLDialect.postgres

    /// Statements sent together by `execute(_:each:)`: bounds what libpq holds of their answers.
    private static let batchMax = 512

    init(_ connection: PostgresConnection, _ control: CallControl, opening: PostgresOpening, isWritable: Bool) {
        self.connection = connection
        self.control = control
        self.opening = opening
        self.isWritable = isWritable
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row] {
        var rows: [Row] = []
        try run {
            try connection.run(sql, arguments, opening: opening, control) { result in
                rows.reserveCapacity(Int(result.rowCount))
                for position in 0..<result.rowCount { rows.append(try result.row(position)) }
            }
        }
        return rows
    }

    func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws {
        // What `body` throws is not a failure of the statement. The rest is received and dropped.
        var thrown: (any Error)?
        try run {
            try sendBegin()
            try connection.stream(sql, arguments, control) { result in
                guard thrown == nil, result.rowCount > 0 else { return }
                let row = try result.row(0)
                isStreaming = true
                defer { isStreaming = false }
                do { try body(row) } catch { thrown = error }
            }
        }
        if let thrown { throw thrown }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        var changes = 0
        try run {
            try connection.run(sql, arguments, opening: opening, control) { changes = $0.changes }
        }
        return changes
    }

    @discardableResult
    func execute(_ sql: String, each argumentLists: [[SQLValue]]) throws -> Int {
        var changes = 0
        var rest = argumentLists[...]
        while !rest.isEmpty {
            try run {
                try sendBegin()
                changes += try connection.runEach(sql, rest.prefix(Self.batchMax), control)
            }
            rest = rest.dropFirst(Self.batchMax)
        }
        return changes
    }

    func savepoint<T>(_ body: () throws -> T) throws -> T {
        try checkUsable()
        depth += 1
        defer { depth -= 1 }
        let name = "body_\(depth)"
        try driver("SAVEPOINT \(name)")
        do {
            let value = try body()
            if let death { throw death }
            try driver("RELEASE \(name)")
            return value
        } catch {
            guard !connection.isBroken, control.interruption == nil, !isFinal(error) else {
                death = death ?? error
                throw publicError(error)
            }
            death = nil
            try driver("ROLLBACK TO \(name)")
            try driver("RELEASE \(name)")
            throw publicError(error)
        }
    }

    func lock(_ name: String) throws {
        if !isWritable { throw DatabaseError.internalError("a read transaction takes no lock") }
        try execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", [.text(name)])
    }

    /// Whether the body ended the transaction itself, which it must not.
    var hasEnded: Bool { opening == nil && !connection.isInTransaction }

    /// Called when the body has returned: a transaction that was kept is of no use.
    func end() {
        death = DatabaseError.internalError("a transaction was used after its body had returned")
    }

    /// A lost serialization race needs the whole body to run again.
    private func isFinal(_ error: any Error) -> Bool {
        (error as? PostgresFailure)?.isRetryable ?? (death as? PostgresFailure)?.isRetryable ?? false
    }

    private func driver(_ sql: String) throws {
        do {
            try sendBegin()
            try connection.run(sql, control)
        } catch {
            death = error
            throw publicError(error)
        }
    }

    private func sendBegin() throws {
        guard let opening else { return }
        try connection.open(opening, control)
        self.opening = nil
    }

    private func checkUsable() throws {
        if let death { throw publicError(death) }
        if isStreaming { throw DatabaseError.nestedStatement }
    }

    private func run(_ work: () throws -> Void) throws {
        try checkUsable()
        do {
            try control.check()
            try work()
            opening = nil
        } catch {
            death = error
            throw publicError(error)
        }
    }

    /// A body sees our errors only; `death` keeps what the driver needs to know.
    private func publicError(_ error: any Error) -> any Error { (error as? PostgresFailure)?.error ?? error }
}
