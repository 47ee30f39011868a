import Database
import Domain
import Embeddings

/// A second index that is being made beside the live one.
struct IndexBuild: Sendable, Hashable {
    let target: EmbeddingModelName
    /// Distinguishes this build from one of the same model that was given up.
    let number: Int64
    /// The unit that was dealt with last; nil at the beginning, and the largest key when all were.
    var cursor: Int64
    /// Units dealt with, and there to deal with, about.
    var done: Int
    var total: Int
    var counts: EncodingCounts
    /// Encode also what the cache has had since before this moment.
    let reencodes: Instant?
    /// Why it does not get on, safe to show.
    var trouble: String?
    /// The trouble will not pass: the build stands until it is asked for again.
    var isStuck: Bool
    /// Its model is the live one now; the row is kept for what it tells.
    var isFinished = false

    var isFilled: Bool { cursor == .max }
}

/// What encoding has cost, and what it met.
struct EncodingCounts: Sendable, Hashable {
    /// Texts that the model read.
    var encoded = 0
    /// Records, or texts of a build, whose vectors were there.
    var skipped = 0
    var tokens = 0
    /// Records with a text that the model would not take, and some of them.
    var failed = 0
    var failedRecords: [RecordID] = []

    mutating func add(_ other: Self) {
        encoded += other.encoded
        skipped += other.skipped
        tokens += other.tokens
        failed += other.failed
        failedRecords = Array((failedRecords + other.failedRecords).prefix(Limits.jobFailedRecords))
    }

    var failedText: String { failedRecords.map(\.description).joined(separator: " ") }

    static func failedRecords(_ text: String) -> [RecordID] {
        text.split(separator: " ").compactMap { RecordID(String($0)) }
    }
}

/// What became of a unit's vector in the index that is being made.
enum BuildKeyState: String, Sendable {
    /// The unit was written, or went, since it was dealt with.
    case changed
    /// The new model would not take its text.
    case refused
    /// The new model took a text that the old one would not.
    case accepted
}

extension SearchStore {
    static let modelMigration = Migration(
        id: "search/0003-models",
        [
            """
            CREATE TABLE search_models (
                tenant {text} PRIMARY KEY,
                live {text} NOT NULL,
                configured {text} NOT NULL,
                needs_pass {int} NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE search_builds (
                tenant {text} PRIMARY KEY,
                target {text} NOT NULL,
                number {int} NOT NULL,
                position {int} NOT NULL,
                done {int} NOT NULL,
                total {int} NOT NULL,
                encoded {int} NOT NULL,
                skipped {int} NOT NULL,
                tokens {int} NOT NULL,
                failed {int} NOT NULL,
                failed_records {text} NOT NULL,
                reencodes {int} NOT NULL,
                trouble {text},
                is_stuck {int} NOT NULL,
                is_finished {int} NOT NULL
            ) {strict}
            """,
            """
            CREATE TABLE search_build_keys (
                tenant {text} NOT NULL,
                key {int} NOT NULL,
                state {text} NOT NULL,
                version {int} NOT NULL,
                PRIMARY KEY (tenant, key)
            ) {strict}
            """,
            "ALTER TABLE search_backfills ADD COLUMN job {text}",
            "ALTER TABLE search_backfills ADD COLUMN reencodes {int} NOT NULL DEFAULT 0",
            "ALTER TABLE search_backfills ADD COLUMN encoded {int} NOT NULL DEFAULT 0",
            "ALTER TABLE search_backfills ADD COLUMN skipped {int} NOT NULL DEFAULT 0",
            "ALTER TABLE search_backfills ADD COLUMN tokens {int} NOT NULL DEFAULT 0",
            "ALTER TABLE search_backfills ADD COLUMN failed {int} NOT NULL DEFAULT 0",
            "ALTER TABLE search_backfills ADD COLUMN failed_records {text} NOT NULL DEFAULT ''",
            "ALTER TABLE search_backfills ADD COLUMN trouble {text}",
        ]
    )

    // MARK: The live model

    func liveModel(tenant: TenantID, in transaction: any Transaction) throws -> EmbeddingModelName? {
        let row = try transaction.firstRow(
            "SELECT live FROM search_models WHERE tenant = $1",
            [.text(tenant.description)]
        )
        return try row.map { try Self.name(try $0.text(0)) }
    }

    /// The live model, the one last configured, and whether all records have to be rendered once more.
    func models(
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> (live: EmbeddingModelName, configured: String, needsPass: Bool)? {
        let row = try transaction.firstRow(
            "SELECT live, configured, needs_pass FROM search_models WHERE tenant = $1",
            [.text(tenant.description)]
        )
        guard let row else { return nil }
        return (try Self.name(try row.text(0)), try row.text(1), try row.bool(2))
    }

    func setLiveModel(
        _ live: EmbeddingModelName,
        configured: String,
        needsPass: Bool,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO search_models (tenant, live, configured, needs_pass) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant) DO UPDATE SET
                live = excluded.live, configured = excluded.configured, needs_pass = excluded.needs_pass
            """,
            [.text(tenant.description), .text(live.description), .text(configured), SQLValue(needsPass)]
        )
    }

    private static func name(_ text: String) throws -> EmbeddingModelName {
        guard let name = EmbeddingModelName(text) else { throw SearchError.corrupt("model's name") }
        return name
    }

    // MARK: Builds

    func build(tenant: TenantID, in transaction: any Transaction) throws -> IndexBuild? {
        let row = try transaction.firstRow(
            """
            SELECT target, number, position, done, total, encoded, skipped, tokens, failed, failed_records, reencodes,
                trouble, is_stuck, is_finished
            FROM search_builds WHERE tenant = $1
            """,
            [.text(tenant.description)]
        )
        guard let row else { return nil }
        return IndexBuild(
            target: try Self.name(try row.text(0)),
            number: try row.integer(1),
            cursor: try row.integer(2),
            done: Int(try row.integer(3)),
            total: Int(try row.integer(4)),
            counts: EncodingCounts(
                encoded: Int(try row.integer(5)),
                skipped: Int(try row.integer(6)),
                tokens: Int(try row.integer(7)),
                failed: Int(try row.integer(8)),
                failedRecords: EncodingCounts.failedRecords(try row.text(9))
            ),
            reencodes: Self.moment(try row.integer(10)),
            trouble: try row.optionalText(11),
            isStuck: try row.bool(12),
            isFinished: try row.bool(13)
        )
    }

    /// Begins a build in place of any other.
    func startBuild(
        _ target: EmbeddingModelName,
        reencodes: Instant?,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try stopBuild(tenant: tenant, in: transaction)
        let total = try encodedCounts(tenant: tenant, in: transaction).values.reduce(0, +)
        try transaction.execute(
            """
            INSERT INTO search_builds (tenant, target, number, position, done, total, encoded, skipped, tokens, failed,
                failed_records, reencodes, is_stuck, is_finished)
            VALUES ($1, $2, $3, -1, 0, $4, 0, 0, 0, 0, '', $5, 0, 0)
            """,
            [
                .text(tenant.description), .text(target.description),
                .integer(try nextNumber("build", in: transaction)), SQLValue(total),
                .integer(reencodes?.microseconds ?? 0),
            ]
        )
    }

    func stopBuild(tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM search_builds WHERE tenant = $1", [.text(tenant.description)])
        try transaction.execute("DELETE FROM search_build_keys WHERE tenant = $1", [.text(tenant.description)])
    }

    /// Remembers how far `build` has come.
    ///
    /// - Returns: false when another has taken its place, and nothing was remembered.
    func update(_ build: IndexBuild, tenant: TenantID, in transaction: any Transaction) throws -> Bool {
        try transaction.execute(
            """
            UPDATE search_builds SET position = $3, done = $4, total = $5, encoded = $6, skipped = $7, tokens = $8,
                failed = $9, failed_records = $10, trouble = $11, is_stuck = $12
            WHERE tenant = $1 AND number = $2
            """,
            [
                .text(tenant.description), .integer(build.number), .integer(build.cursor), SQLValue(build.done),
                SQLValue(build.total), SQLValue(build.counts.encoded), SQLValue(build.counts.skipped),
                SQLValue(build.counts.tokens), SQLValue(build.counts.failed), .text(build.counts.failedText),
                SQLValue(build.trouble), SQLValue(build.isStuck),
            ]
        ) > 0
    }

    /// Encoded units after `key`, by key, over all of the tenant's partitions, up to `limit`.
    func units(
        after key: Int64,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [(unit: StoredUnit, partition: Partition)] {
        var found: [(StoredUnit, Partition)] = []
        for partition in try partitions(tenant: tenant, in: transaction) where found.count < limit {
            let first = UnitKey(partition: partition.number, entry: 0).sqlInteger
            if first + (1 << 32) <= key { continue }
            let units = try units(
                in: partition.number,
                after: max(key - first, -1),
                limit: limit - found.count,
                tenant: tenant,
                transaction
            )
            found += units.map { ($0, partition) }
        }
        return found
    }

    /// Units by their keys, of the tenant's partitions only.
    func units(
        _ keys: [UnitKey],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [(unit: StoredUnit, partition: Partition)] {
        let all = try partitions(tenant: tenant, in: transaction)
        let byNumber = Dictionary(all.map { ($0.number, $0) }, uniquingKeysWith: { first, _ in first })
        var found: [(StoredUnit, Partition)] = []
        for key in keys {
            guard let partition = byNumber[key.partition] else { continue }
            let units = try units(
                in: key.partition,
                after: Int64(key.entry) - 1,
                limit: 1,
                tenant: tenant,
                transaction
            )
            if let unit = units.first, unit.key == key { found.append((unit, partition)) }
        }
        return found
    }

    // MARK: Keys of a build

    /// Notes changed keys for the build, if there is one: part of the transaction that changes the units.
    func noteForBuild(
        _ keys: [UnitKey],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        if keys.isEmpty { return }
        let build = try transaction.firstRow(
            "SELECT 1 FROM search_builds WHERE tenant = $1 AND is_finished = 0",
            [.text(tenant.description)]
        )
        if build == nil { return }
        let version = try nextNumber("build", in: transaction)
        try transaction.execute(
            """
            INSERT INTO search_build_keys (tenant, key, state, version) VALUES ($1, $2, $3, $4)
            ON CONFLICT (tenant, key) DO UPDATE SET state = excluded.state, version = excluded.version
            """,
            each: keys.map { key in
                [
                    .text(tenant.description), .integer(key.sqlInteger), .text(BuildKeyState.changed.rawValue),
                    .integer(version),
                ]
            }
        )
    }

    /// Notes what became of keys, but of those that changed meanwhile.
    func noteOutcome(
        _ state: BuildKeyState,
        of keys: [UnitKey],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO search_build_keys (tenant, key, state, version) VALUES ($1, $2, $3, 0)
            ON CONFLICT (tenant, key) DO NOTHING
            """,
            each: keys.map { [.text(tenant.description), .integer($0.sqlInteger), .text(state.rawValue)] }
        )
    }

    /// Makes the build's model the live one, and the units as the build has them.
    func finish(_ build: IndexBuild, tenant: TenantID, in transaction: any Transaction) throws {
        try applyBuildStates(tenant: tenant, in: transaction)
        try transaction.execute("DELETE FROM search_build_keys WHERE tenant = $1", [.text(tenant.description)])
        try transaction.execute(
            "UPDATE search_builds SET is_finished = 1, done = total, trouble = NULL WHERE tenant = $1 AND number = $2",
            [.text(tenant.description), .integer(build.number)]
        )
        try transaction.execute(
            "UPDATE search_models SET live = $2, needs_pass = 1 WHERE tenant = $1",
            [.text(tenant.description), .text(build.target.description)]
        )
    }

    func buildKeys(
        _ state: BuildKeyState,
        limit: Int,
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [(key: UnitKey, version: Int64)] {
        try transaction.rows(
            """
            SELECT key, version FROM search_build_keys WHERE tenant = $1 AND state = $2 ORDER BY version, key LIMIT $3
            """,
            [.text(tenant.description), .text(state.rawValue), SQLValue(limit)]
        ).map { (UnitKey(sqlInteger: try $0.integer(0)), try $0.integer(1)) }
    }

    /// Forgets keys that were not noted again since.
    func forgetBuildKeys(
        _ keys: [(key: UnitKey, version: Int64)],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws {
        try transaction.execute(
            "DELETE FROM search_build_keys WHERE tenant = $1 AND key = $2 AND version = $3",
            each: keys.map { [.text(tenant.description), .integer($0.key.sqlInteger), .integer($0.version)] }
        )
    }

    /// Makes units as the build has them, as its model becomes the live one.
    private func applyBuildStates(tenant: TenantID, in transaction: any Transaction) throws {
        for (state, isEncoded) in [(BuildKeyState.refused, 0), (.accepted, 1)] {
            try transaction.execute(
                """
                UPDATE search_units SET is_encoded = $3 WHERE key IN
                    (SELECT key FROM search_build_keys WHERE tenant = $1 AND state = $2)
                """,
                [.text(tenant.description), .text(state.rawValue), SQLValue(isEncoded)]
            )
        }
    }

    /// A number that was never given before under that name.
    func nextNumber(_ name: String, in transaction: any Transaction) throws -> Int64 {
        let row = try transaction.firstRow(
            """
            INSERT INTO search_counters (name, value) VALUES ($1, 1)
            ON CONFLICT (name) DO UPDATE SET value = search_counters.value + 1 RETURNING value
            """,
            [.text(name)]
        )
        guard let row else { throw SearchError.corrupt("counter \(name)") }
        return try row.integer(0)
    }
}
