import CLibpq

/// A statement that one connection has prepared.
struct PostgresStatement {
    let name: String
    let sql: String
    /// Parameter types as we declared them; 0 where the server was to infer.
    let declared: [Oid]
    /// Parameter types as they are.
    let actual: [Oid]
    let columns: RowColumns
    let columnTypes: [Oid]
    /// Whether all columns are of types that are read in binary form.
    let isBinary: Bool
    fileprivate(set) var lastUse: UInt64 = 0

    /// - Parameter description: what PQdescribePrepared gave.
    init(name: String, sql: String, declared: [Oid], description: OpaquePointer) {
        self.name = name
        self.sql = sql
        self.declared = declared
        actual = (0..<PQnparams(description)).map { PQparamtype(description, $0) }
        (columns, columnTypes) = PostgresResult.columns(of: description)
        isBinary = columnTypes.allSatisfy(PostgresType.isReadAsBinary)
    }

    func accepts(_ arguments: [SQLValue]) -> Bool {
        guard arguments.count == actual.count else { return false }
        for (position, argument) in arguments.enumerated()
        where !PostgresType.accepts(argument, declared: declared[position], actual: actual[position]) {
            return false
        }
        return true
    }
}

/// The prepared statements of one connection, the least recently used given up first.
///
/// One SQL text may be prepared several times, once for each combination of argument types that needs it.
final class PostgresStatements {
    /// Those that begin transactions, by their SQL: one or two.
    var openings: [String: PostgresStatement] = [:]
    private let max: Int
    private var bySQL: [String: [PostgresStatement]] = [:]
    private var count = 0
    private var useClock: UInt64 = 0
    private var nameCount = 0

    init(max: Int) { self.max = max }

    func find(_ sql: String, _ arguments: [SQLValue]) -> PostgresStatement? {
        guard let position = bySQL[sql]?.firstIndex(where: { $0.accepts(arguments) }) else { return nil }
        useClock += 1
        bySQL[sql]?[position].lastUse = useClock
        return bySQL[sql]?[position]
    }

    func nextName() -> String {
        nameCount += 1
        return "s\(nameCount)"
    }

    func add(_ statement: PostgresStatement) {
        useClock += 1
        var statement = statement
        statement.lastUse = useClock
        bySQL[statement.sql, default: []].append(statement)
        count += 1
    }

    /// Names to be deallocated so that one more statement has room; they are forgotten here.
    func evicted() -> [String] {
        guard count >= max else { return [] }
        // A quarter at once, so that the search is rare.
        let oldest = bySQL.values.joined().sorted { $0.lastUse < $1.lastUse }.prefix(Swift.max(1, max / 4))
        for statement in oldest {
            bySQL[statement.sql]?.removeAll { $0.name == statement.name }
            if bySQL[statement.sql]?.isEmpty == true { bySQL[statement.sql] = nil }
        }
        count -= oldest.count
        return oldest.map(\.name)
    }

    /// After DEALLOCATE ALL.
    func removeAll() {
        openings = [:]
        bySQL = [:]
        count = 0
    }
}
