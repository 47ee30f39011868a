package import Database
import Domain

/// The audit log in SQL: chains of entries that are added to and never changed.
///
/// Every method takes the chain, which names its tenant; `AuditChain.server` is for what has none.
package struct AuditStore: Sendable {
    let database: any SQLDatabase

    package init(database: any SQLDatabase) { self.database = database }

    /// Tenants may go; their entries, which name nobody but by identifiers, stay: hence no reference to them.
    package static let migration = Migration(
        id: "access/0040-audit",
        sqlite: tables + [
            """
            CREATE TRIGGER access_audit_unchanged BEFORE UPDATE ON access_audit
            BEGIN SELECT RAISE(ABORT, 'entries of the audit log are not changed'); END
            """,
            """
            CREATE TRIGGER access_audit_kept BEFORE DELETE ON access_audit
            BEGIN SELECT RAISE(ABORT, 'entries of the audit log are not deleted'); END
            """,
        ],
        postgres: tables + [
            """
            CREATE FUNCTION access_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN RAISE EXCEPTION ''entries of the audit log are neither changed nor deleted''; END'
            """,
            """
            CREATE TRIGGER access_audit_unchanged BEFORE UPDATE OR DELETE ON access_audit
            FOR EACH ROW EXECUTE FUNCTION access_audit_refuse()
            """,
            """
            CREATE TRIGGER access_audit_kept BEFORE TRUNCATE ON access_audit
            FOR EACH STATEMENT EXECUTE FUNCTION access_audit_refuse()
            """,
        ]
    )

    private static let tables = [
        """
        CREATE TABLE access_audit (
            chain {text} NOT NULL,
            sequence {int} NOT NULL,
            time {int} NOT NULL,
            action {text} NOT NULL,
            result {text} NOT NULL,
            actor {text},
            key_id {text},
            object {text},
            body {text} NOT NULL,
            hash {bytes} NOT NULL,
            PRIMARY KEY (chain, sequence)
        ) {strict}
        """,
        "CREATE INDEX access_audit_by_action ON access_audit (chain, action, sequence)",
        "CREATE INDEX access_audit_by_actor ON access_audit (chain, actor, sequence)",
        "CREATE INDEX access_audit_by_object ON access_audit (chain, object, sequence)",
        // Where each chain ends, so that an end that was cut off shows before the next checkpoint does.
        """
        CREATE TABLE access_audit_heads (
            chain {text} NOT NULL PRIMARY KEY,
            sequence {int} NOT NULL,
            hash {bytes} NOT NULL
        ) {strict}
        """,
        """
        CREATE TABLE access_audit_checkpoints (
            chain {text} NOT NULL,
            sequence {int} NOT NULL,
            body {text} NOT NULL,
            signature {bytes} NOT NULL,
            PRIMARY KEY (chain, sequence)
        ) {strict}
        """,
    ]

    // MARK: Adding

    /// Adds events at the end of a chain, in the caller's transaction.
    ///
    /// Writers take turns from here until their transactions end: call it last.
    static func append(_ events: [AuditEvent], to chain: AuditChain, in transaction: any Transaction) throws {
        guard !events.isEmpty else { return }
        try transaction.lock("access_audit \(chain.name)")
        var (sequence, hash) = try head(of: chain, in: transaction) ?? (0, AuditEntry.genesis(chain))
        var rows: [[SQLValue]] = []
        for event in events {
            let entry = AuditEntry(event, chain: chain, after: hash, sequence: sequence + 1)
            rows.append(values(of: entry))
            sequence = entry.sequence
            hash = entry.hash
        }
        try transaction.execute(
            """
            INSERT INTO access_audit (chain, sequence, time, action, result, actor, key_id, object, body, hash)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
            """,
            each: rows
        )
        try transaction.execute(
            """
            INSERT INTO access_audit_heads (chain, sequence, hash) VALUES ($1, $2, $3)
            ON CONFLICT (chain) DO UPDATE SET sequence = excluded.sequence, hash = excluded.hash
            """,
            [.text(chain.name), .integer(sequence), .bytes(hash)]
        )
    }

    /// Adds events at the end of a chain, in a transaction of their own.
    package func append(
        _ events: [AuditEvent],
        to chain: AuditChain,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: chain.scope, deadline: deadline) { transaction in
            try Self.append(events, to: chain, in: transaction)
        }
    }

    /// What the columns say beside the body: for looking entries up, and compared with the body by whoever verifies.
    static func values(of entry: AuditEntry) -> [SQLValue] {
        let event = entry.event
        return [
            .text(entry.chain.name), .integer(entry.sequence), .integer(event.time.milliseconds),
            .text(event.action.rawValue), .text(event.result.rawValue), SQLValue(event.user?.description),
            SQLValue(event.key?.description), SQLValue(event.object.map { AuditEntry.bounded($0.id) }),
            .text(String(decoding: entry.body, as: UTF8.self)), .bytes(entry.hash),
        ]
    }

    static func head(
        of chain: AuditChain,
        in transaction: any Transaction
    ) throws -> (sequence: Int64, hash: [UInt8])? {
        try transaction.firstRow(
            "SELECT sequence, hash FROM access_audit_heads WHERE chain = $1",
            [.text(chain.name)]
        ).map { (try $0.integer(0), try $0.bytes(1)) }
    }

    // MARK: Reading

    /// Entries as stored, oldest first, from behind `sequence` on: `limit` of them at most.
    package func rows(
        of chain: AuditChain,
        after sequence: Int64,
        limit: Int,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [StoredEntry] {
        try await database.read(of: chain.scope, deadline: deadline) { transaction in
            try transaction.rows(Self.page, [.text(chain.name), .integer(sequence), SQLValue(limit)])
                .map(StoredEntry.init)
        }
    }

    /// `rows(of:after:limit:)`, and where the chain ends at the same moment.
    package func rowsAndHead(
        of chain: AuditChain,
        after sequence: Int64,
        limit: Int,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> (rows: [StoredEntry], head: (sequence: Int64, hash: [UInt8])?) {
        try await database.read(of: chain.scope, deadline: deadline) { transaction in
            let rows = try transaction.rows(Self.page, [.text(chain.name), .integer(sequence), SQLValue(limit)])
            return (try rows.map(StoredEntry.init), try Self.head(of: chain, in: transaction))
        }
    }

    private static let page = """
        SELECT \(columns) FROM access_audit WHERE chain = $1 AND sequence > $2 ORDER BY sequence LIMIT $3
        """

    /// Entries that fit `query`, newest first.
    package func rows(
        of chain: AuditChain,
        _ query: AuditQuery,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [StoredEntry] {
        var conditions = ["chain = $1"]
        var arguments: [SQLValue] = [.text(chain.name)]
        func add(_ condition: String, _ value: SQLValue?) {
            guard let value else { return }
            arguments.append(value)
            conditions.append("\(condition) $\(arguments.count)")
        }
        add("sequence <", query.before.map { .integer($0) })
        add("time >=", query.from.map { .integer($0.milliseconds) })
        add("time <", query.until.map { .integer($0.milliseconds) })
        add("action =", query.action.map { .text($0.rawValue) })
        add("result =", query.result.map { .text($0.rawValue) })
        add("actor =", query.user.map { .text($0.description) })
        add("key_id =", query.key.map { .text($0.description) })
        add("object =", query.object.map { .text($0) })
        let sql = """
            SELECT \(Self.columns) FROM access_audit WHERE \(conditions.joined(separator: " AND "))
            ORDER BY sequence DESC LIMIT \(query.limit)
            """
        return try await database.read(of: chain.scope, deadline: deadline) { [arguments] transaction in
            try transaction.rows(sql, arguments).map(StoredEntry.init)
        }
    }

    private static let columns = "chain, sequence, time, action, result, actor, key_id, object, body, hash"

    /// Where each chain ends, by itself and by its newest entry: everything that has a chain's name.
    package func heads(deadline: ContinuousClock.Instant? = nil) async throws -> [Head] {
        try await database.read(of: .everyTenant, deadline: deadline) { transaction in
            let rows = try transaction.rows(
                """
                SELECT c.chain, h.sequence, h.hash, (SELECT MAX(k.sequence) FROM access_audit_checkpoints k
                    WHERE k.chain = c.chain)
                FROM (SELECT chain FROM access_audit_heads UNION SELECT DISTINCT chain FROM access_audit
                    UNION SELECT DISTINCT chain FROM access_audit_checkpoints) c
                LEFT JOIN access_audit_heads h ON h.chain = c.chain ORDER BY c.chain
                """
            )
            return try rows.map { row in
                Head(
                    chain: try row.text(0),
                    sequence: try row.optionalInteger(1),
                    hash: try row.optionalBytes(2),
                    checkpoint: try row.optionalInteger(3)
                )
            }
        }
    }

    package struct Head: Sendable, Hashable {
        package let chain: String
        /// Nil when the chain's end is not recorded.
        package let sequence: Int64?
        package let hash: [UInt8]?
        /// The newest checkpoint's.
        package let checkpoint: Int64?
    }

    // MARK: Checkpoints

    /// Adds checkpoints; of two of one place, the first stays.
    package func add(
        _ checkpoints: [AuditCheckpoint],
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        try await database.write(of: .everyTenant, deadline: deadline) { transaction in
            for checkpoint in checkpoints {
                try transaction.execute(
                    """
                    INSERT INTO access_audit_checkpoints (chain, sequence, body, signature)
                    VALUES ($1, $2, $3, $4) ON CONFLICT (chain, sequence) DO NOTHING
                    """,
                    [
                        .text(checkpoint.chain), .integer(checkpoint.sequence),
                        .text(String(decoding: checkpoint.body, as: UTF8.self)), .bytes(checkpoint.signature),
                    ]
                )
            }
        }
    }

    /// Of one chain, in the order of their places. One that cannot be read is given as its place alone.
    package func checkpoints(
        of chain: AuditChain,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [(sequence: Int64, checkpoint: AuditCheckpoint?)] {
        try await database.read(of: chain.scope, deadline: deadline) { transaction in
            try transaction.rows(
                "SELECT sequence, body, signature FROM access_audit_checkpoints WHERE chain = $1 ORDER BY sequence",
                [.text(chain.name)]
            ).map { row in
                (
                    try row.integer(0),
                    AuditCheckpoint(body: Array(try row.text(1).utf8), signature: try row.bytes(2))
                )
            }
        }
    }
}

/// A row of the log, whatever it holds.
package struct StoredEntry: Sendable {
    package let sequence: Int64
    package let values: [SQLValue]
    package let body: [UInt8]
    package let hash: [UInt8]

    init(_ row: Row) throws {
        sequence = try row.integer(1)
        body = Array(try row.text(8).utf8)
        hash = try row.bytes(9)
        values = row.values
    }

    /// One line of an export: whoever has all lines can check every hash without us.
    var exportLine: [UInt8] { Array(#"{"hash":"\#(hexadecimal(hash))","entry":"#.utf8) + body + Array("}\n".utf8) }
}

extension AuditChain {
    /// Whose rows it is among.
    fileprivate var scope: RowScope {
        switch self {
        case .tenant(let id): .tenant(id)
        case .server: .server
        }
    }
}
