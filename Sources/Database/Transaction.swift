/// What a body may do inside `SQLDatabase.read` or `write`. Valid only until the body returns.
///
/// SQL is portable: parameters are `$1…$n`, in any order, each as often as needed; one statement a call.
/// Booleans are INTEGER 0 and 1, moments INTEGER microseconds (UTC).
///
/// After a statement has failed the transaction is dead on both engines: further calls throw the same error,
/// and nothing is committed even if the body swallows it. To try something that may fail, use `savepoint`.
public protocol Transaction {
    var dialect: SQLDialect { get }

    /// All rows the query gives. For many or large rows use `forEachRow`.
    func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [Row]

    /// Calls `body` with each row as it arrives; memory is bounded by one row.
    ///
    /// `body` must not run statements in this transaction: the connection is busy sending. What `body` throws ends
    /// the loop and comes out unchanged; it doesn't kill the transaction.
    func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (Row) throws -> Void) throws

    /// Runs a statement for its effect.
    ///
    /// - Returns: rows inserted, updated or deleted; 0 for other statements.
    @discardableResult
    func execute(_ sql: String, _ arguments: [SQLValue]) throws -> Int

    /// Runs a statement once for each list of arguments, and waits for the server only once in a while.
    ///
    /// - Returns: rows changed in all. After a failure the transaction is dead, as after any.
    @discardableResult
    func execute(_ sql: String, each argumentLists: [[SQLValue]]) throws -> Int

    /// Runs `body` so that its failure undoes only what it did, and the transaction goes on.
    ///
    /// A deadline, a cancellation or a lost connection still ends the whole transaction.
    func savepoint<T>(_ body: () throws -> T) throws -> T

    /// Waits until no other write transaction holds `name`, and holds it until this one ends.
    ///
    /// Free on SQLite, where writes are serial anyway; a transaction's advisory lock on PostgreSQL. Take it first.
    func lock(_ name: String) throws
}

extension Transaction {
    /// `rows` without arguments.
    public func rows(_ sql: String) throws -> [Row] { try rows(sql, []) }

    /// `forEachRow` without arguments.
    public func forEachRow(_ sql: String, _ body: (Row) throws -> Void) throws { try forEachRow(sql, [], body) }

    /// `execute` without arguments.
    @discardableResult
    public func execute(_ sql: String) throws -> Int { try execute(sql, []) }

    /// The first row, or nil. The query should say `LIMIT 1` unless it can give one row only.
    public func firstRow(_ sql: String, _ arguments: [SQLValue] = []) throws -> Row? {
        try rows(sql, arguments).first
    }
}
