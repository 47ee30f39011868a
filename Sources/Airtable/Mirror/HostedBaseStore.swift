import Database
import Domain

/// Which bases live at the hosted service, who keeps each in step, and how far that has come, in SQL.
///
/// A base without a row here is embedded. Every method works inside the caller's transaction.
struct HostedBaseStore: Sendable {
    static let migration = Migration(
        id: "airtable/0020-hosted-bases",
        [
            // The owner is whoever keeps the base in step until `lease_end`; `wants_sweep` is raised by who has
            // reason to believe that the copy is not as it should be.
            """
            CREATE TABLE hosted_bases (
                tenant {text} NOT NULL,
                base {text} NOT NULL,
                home {text} NOT NULL,
                owner {text} NOT NULL,
                lease_end {int} NOT NULL,
                wants_sweep {int} NOT NULL,
                state {text} NOT NULL,
                PRIMARY KEY (tenant, base)
            ) {strict}
            """
        ]
    )

    struct Entry: Sendable {
        let base: BaseID
        let home: BaseHome
        let owner: String
        let leaseEnd: Instant
        let wantsSweep: Int64
        let state: MirrorState
    }

    private static let columns = "base, home, owner, lease_end, wants_sweep, state"

    // MARK: Reading

    func homes(tenant: TenantID, in transaction: any Transaction) throws -> [BaseID: BaseHome] {
        let rows = try transaction.rows("SELECT base, home FROM hosted_bases WHERE tenant = $1", [tenant.sql])
        return Dictionary(
            try rows.map { (try $0.identifier(0) as BaseID, try Self.home($0.text(1))) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func entries(tenant: TenantID, in transaction: any Transaction) throws -> [Entry] {
        let rows = try transaction.rows(
            "SELECT \(Self.columns) FROM hosted_bases WHERE tenant = $1 ORDER BY base",
            [tenant.sql]
        )
        return try rows.map(Self.entry)
    }

    func entry(_ base: BaseID, tenant: TenantID, in transaction: any Transaction) throws -> Entry? {
        let row = try transaction.firstRow(
            "SELECT \(Self.columns) FROM hosted_bases WHERE tenant = $1 AND base = $2",
            [tenant.sql, base.sql]
        )
        return try row.map(Self.entry)
    }

    private static func entry(_ row: Row) throws -> Entry {
        let state: MirrorState
        do {
            state = try JSONCoder.decode(MirrorState.self, from: Array(try row.text(5).utf8), limits: .trusted)
        } catch {
            throw AirtableError.corrupt("The state of a hosted base cannot be read.", detail: "\(error)")
        }
        return Entry(
            base: try row.identifier(0),
            home: try home(row.text(1)),
            owner: try row.text(2),
            leaseEnd: Instant(microseconds: try row.integer(3)),
            wantsSweep: try row.integer(4),
            state: state
        )
    }

    private static func home(_ text: String) throws(AirtableError) -> BaseHome {
        guard let home = BaseHome(rawValue: text) else { throw .corrupt("It is not known where a base lives.") }
        return home
    }

    /// Identifiers of a table's records in the order they came, and the place of the last one.
    func records(
        of model: TableModel,
        after position: Int64?,
        limit: Int,
        in transaction: any Transaction
    ) throws -> (ids: [RecordID], last: Int64?) {
        let range = model.positionRange
        let rows = try transaction.rows(
            "SELECT id, position FROM records WHERE position > $1 AND position <= $2 ORDER BY position LIMIT $3",
            [SQLValue(position ?? range.lowerBound), SQLValue(range.upperBound), SQLValue(limit)]
        )
        return (try rows.map { try $0.identifier(0) }, try rows.last?.integer(1))
    }

    // MARK: Writing

    /// Notes a base, or where one that is noted lives from now on. The caller raises the schema's version.
    func put(_ base: BaseID, home: BaseHome, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            """
            INSERT INTO hosted_bases (tenant, base, home, owner, lease_end, wants_sweep, state)
            VALUES ($1, $2, $3, '', 0, 0, $4) ON CONFLICT (tenant, base) DO UPDATE SET home = $3
            """,
            [tenant.sql, base.sql, .text(home.rawValue), .text(try Self.text(MirrorState()))]
        )
    }

    func remove(_ base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "DELETE FROM hosted_bases WHERE tenant = $1 AND base = $2",
            [tenant.sql, base.sql]
        )
    }

    /// Writes how far a base has come, and holds it for `owner` until `leaseEnd`.
    ///
    /// - Throws: `.mirrorElsewhere` when somebody else holds it by now, or nobody may.
    func set(
        _ state: MirrorState,
        of base: BaseID,
        owner: String,
        until leaseEnd: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        let count = try transaction.execute(
            "UPDATE hosted_bases SET state = $3, lease_end = $5 WHERE tenant = $1 AND base = $2 AND owner = $4",
            [
                tenant.sql, base.sql, .text(try Self.text(state)), .text(owner), SQLValue(leaseEnd.microseconds),
            ]
        )
        guard count == 1 else { throw AirtableError.tendedElsewhere() }
    }

    /// Makes `owner` the one who keeps a base in step.
    func setOwner(
        _ owner: String,
        of base: BaseID,
        until leaseEnd: Instant,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            "UPDATE hosted_bases SET owner = $3, lease_end = $4 WHERE tenant = $1 AND base = $2",
            [tenant.sql, base.sql, .text(owner), SQLValue(leaseEnd.microseconds)]
        )
    }

    /// Asks whoever keeps the base in step to compare every record soon.
    func wantSweep(of base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE hosted_bases SET wants_sweep = wants_sweep + 1 WHERE tenant = $1 AND base = $2",
            [tenant.sql, base.sql]
        )
    }

    /// A comparison that began at `count` is over.
    func forgetSweep(wanted count: Int64, of base: BaseID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute(
            "UPDATE hosted_bases SET wants_sweep = wants_sweep - $3 WHERE tenant = $1 AND base = $2",
            [tenant.sql, base.sql, SQLValue(count)]
        )
    }

    /// The records of a table that got an entry in the change log after `sequence`.
    func changedRecords(
        of table: TableID,
        after sequence: Int64,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> Set<RecordID> {
        let rows = try transaction.rows(
            """
            SELECT DISTINCT record FROM change_log
            WHERE tenant = $1 AND sequence > $2 AND table_id = $3 AND record IS NOT NULL
            """,
            [tenant.sql, SQLValue(sequence), table.sql]
        )
        return Set(try rows.map { try $0.identifier(0) as RecordID })
    }

    private static func text(_ state: MirrorState) throws -> String {
        String(decoding: try JSONCoder.encode(state), as: UTF8.self)
    }
}

extension AirtableError {
    static func tendedElsewhere() -> Self {
        Self(.busy, "Another process keeps this base in step.", hint: "end it first, or let it")
    }
}
