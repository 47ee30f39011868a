/// One body's view of a SQLite transaction.
final class SQLiteTransaction: Transaction {
    private let connection: SQLiteConnection
    private let control: CallControl
    private let isWritable: Bool
    /// Why no further statement runs: one failed, or the body has returned.
    private(set) var death: DatabaseError?
    private var depth = 0
    private var isStreaming = false

    let dialect = SQLDialect.sqlite

    init(_ connection: SQLiteConnection, _ control: CallControl, isWritable: Bool) {
        self.connection = connection
        self.control = control
        self.isWritable = isWritable
    }

    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row] {
        var rows: [Row] = []
        try run(sql, arguments) { statement in
            while try statement.step() { rows.append(try statement.row()) }
        }
        return rows
    }

    func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws {
        // What `body` throws is not a failure of the statement.
        var thrown: (any Error)?
        try run(sql, arguments) { statement in
            while thrown == nil, try statement.step() {
                let row = try statement.row()
                isStreaming = true
                defer { isStreaming = false }
                do { try body(row) } catch { thrown = error }
                if let death { throw death }
            }
        }
        if let thrown { throw thrown }
    }

    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
        try execute(sql, each: [arguments])
    }

    @discardableResult
    func execute(_ sql: String, each argumentLists: [[SQLValue]]) throws -> Int {
        guard let first = argumentLists.first else { return 0 }
        var changes: Int64 = 0
        try run(sql, first) { statement in
            for (position, arguments) in argumentLists.enumerated() {
                if position > 0 {
                    statement.reset()
                    try statement.bind(arguments)
                }
                let before = connection.totalChanges
                while try statement.step() {}
                // SQLite keeps the count of the last INSERT, UPDATE or DELETE for statements that change no row.
                if !statement.isReadOnly, connection.totalChanges != before { changes += connection.lastChanges }
            }
        }
        return Int(changes)
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
            guard connection.isInTransaction, control.interruption == nil else {
                death = death ?? control.interruption ?? .sqlite(error)
                throw error
            }
            death = nil
            try driver("ROLLBACK TO \(name)")
            try driver("RELEASE \(name)")
            throw error
        }
    }

    func lock(_ name: String) throws {
        if let death { throw death }
        if !isWritable { throw DatabaseError.internalError("a read transaction takes no lock") }
    }

    /// Called when the body has returned: a transaction that was kept is of no use.
    func end() {
        death = .internalError("a transaction was used after its body had returned")
    }

    private func checkUsable() throws {
        if let death { throw death }
        // PostgreSQL can't, and so nobody should.
        if isStreaming { throw DatabaseError.nestedStatement }
    }

    private func driver(_ sql: String) throws {
        do { try connection.run(sql) } catch {
            let error = DatabaseError.sqlite(error)
            death = error
            throw error
        }
    }

    private func run(_ sql: String, _ arguments: [SQLValue], _ body: (SQLiteStatement) throws -> Void) throws {
        try checkUsable()
        do {
            try control.check()
            try connection.translated {
                try connection.use(sql) { statement in
                    if !isWritable, !statement.isReadOnly {
                        throw DatabaseError(.readOnly, "a read transaction writes nothing", detail: "in: \(sql)")
                    }
                    try statement.bind(arguments)
                    try body(statement)
                }
            }
        } catch {
            let error = DatabaseError.sqlite(error)
            death = error
            throw error
        }
    }
}
