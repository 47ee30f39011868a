import Crypto
public import Database
public import Domain
import Synchronization

/// Vectors by what they were made from: tenant, model identity, SHA-256 of the text.
///
/// A text is encoded once per tenant and model, whoever asks and however often; a rebuilt index or a new replica costs
/// reading only. Tenants share nothing, so that nobody can tell by the time it takes what another has stored.
/// Rows are bounded over all tenants; what goes first is a setting. Any number of processes may use one table.
public struct EmbeddingCache: Sendable {
    /// Which rows go first when there are too many.
    public enum Eviction: Sendable, Hashable {
        /// Those encoded first. Reading writes nothing.
        case oldest
        /// Those not asked for longest, to within `touchInterval`: reading writes once a row and interval.
        case leastRecentlyUsed
    }

    /// A vector as it is kept.
    public struct Entry: Sendable, Hashable {
        /// SHA-256 of the text: `contentHash`.
        public var hash: [UInt8]
        /// Of unit length.
        public var vector: [Float]
        /// The text was longer than the model reads.
        public var isTruncated: Bool

        public init(hash: [UInt8], vector: [Float], isTruncated: Bool = false) {
            self.hash = hash
            self.vector = vector
            self.isTruncated = isTruncated
        }
    }

    public static let migrations: [Migration] = [
        Migration(
            id: "embeddings/0001-cache",
            [
                """
                CREATE TABLE embedding_cache (
                    tenant {text} NOT NULL,
                    identity {text} NOT NULL,
                    hash {bytes} NOT NULL,
                    vector {bytes} NOT NULL,
                    truncated {int} NOT NULL,
                    used {int} NOT NULL,
                    PRIMARY KEY (tenant, identity, hash)
                ) {strict}
                """,
                "CREATE INDEX embedding_cache_by_use ON embedding_cache (used)",
            ]
        )
    ]

    /// Rows of one statement or one short transaction: about 0.4 MB of 384-dimensional vectors.
    static let groupMax = 256
    /// How exactly "recently used" is known: a day, so that reading hardly ever writes.
    static let touchInterval: Int64 = 24 * 3_600 * 1_000_000

    private let database: any SQLDatabase
    private let rowsMax: Int
    private let eviction: Eviction
    private let now: InstantSource
    private let sinceTrim = Counter()

    /// - Parameters:
    ///   - rowsMax: rows kept over all tenants; overstepped by less than `trimInterval` between two trims.
    ///   - now: where the time comes from.
    public init(
        database: any SQLDatabase,
        rowsMax: Int = Limits.embeddingCacheRows,
        eviction: Eviction = .oldest,
        now: @escaping InstantSource = { .now() }
    ) {
        self.database = database
        self.rowsMax = max(1, rowsMax)
        self.eviction = eviction
        self.now = now
    }

    /// SHA-256 of the text's UTF-8.
    public static func contentHash(_ text: String) -> [UInt8] {
        var text = text
        return text.withUTF8 { Array(SHA256.hash(data: UnsafeRawBufferPointer($0))) }
    }

    /// What is there, by content hash. A damaged row counts as not there.
    ///
    /// - Parameter earliest: leaves out what was kept before this moment; for `Eviction.oldest` only, as reading
    ///   changes the moment otherwise.
    public func entries(
        of hashes: [[UInt8]],
        identity: ModelIdentity,
        tenant: TenantID,
        notBefore earliest: Instant? = nil
    ) async throws -> [[UInt8]: Entry] {
        guard !hashes.isEmpty else { return [:] }
        let key = Self.key(identity)
        let stale = now().microseconds - Self.touchInterval
        let (found, touched) = try await database.read(of: .tenant(tenant)) { transaction in
            var found: [[UInt8]: Entry] = [:]
            var touched: [[UInt8]] = []
            for start in stride(from: 0, to: hashes.count, by: Self.groupMax) {
                let group = hashes[start..<min(start + Self.groupMax, hashes.count)]
                for row in try Self.rows(of: group, key, tenant, transaction) {
                    if let earliest, try row.integer(3) < earliest.microseconds { continue }
                    guard let vector = Self.vector(try row.bytes(1), identity.dimensions) else { continue }
                    let hash = try row.bytes(0)
                    found[hash] = Entry(hash: hash, vector: vector, isTruncated: try row.integer(2) != 0)
                    if try row.integer(3) < stale { touched.append(hash) }
                }
            }
            return (found, touched)
        }
        if eviction == .leastRecentlyUsed { try await touch(touched, key, tenant) }
        return found
    }

    /// Keeps entries, replacing what was there, and now and then removes rows beyond the bound.
    public func store(_ entries: [Entry], identity: ModelIdentity, tenant: TenantID) async throws {
        let key = Self.key(identity)
        for start in stride(from: 0, to: entries.count, by: Self.groupMax) {
            let group = entries[start..<min(start + Self.groupMax, entries.count)]
            let used = now().microseconds
            let rows: [[SQLValue]] = group.map { entry in
                [
                    .text(tenant.description), .text(key), .bytes(entry.hash), .bytes(Self.bytes(entry.vector)),
                    SQLValue(entry.isTruncated), .integer(used),
                ]
            }
            _ = try await database.write(of: .tenant(tenant)) { transaction in
                try transaction.execute(
                    """
                    INSERT INTO embedding_cache (tenant, identity, hash, vector, truncated, used)
                    VALUES ($1, $2, $3, $4, $5, $6)
                    ON CONFLICT (tenant, identity, hash) DO UPDATE
                    SET vector = excluded.vector, truncated = excluded.truncated, used = excluded.used
                    """,
                    each: rows
                )
            }
        }
        if sinceTrim.add(entries.count, restartingAt: trimInterval) { try await trim() }
    }

    /// Removes rows beyond the bound, in short transactions.
    ///
    /// - Returns: how many rows went.
    @discardableResult
    public func trim() async throws -> Int {
        let total = try await database.read(of: .everyTenant) { transaction in
            try transaction.firstRow("SELECT COUNT(*) FROM embedding_cache")?.integer(0) ?? 0
        }
        var excess = Int(total) - rowsMax
        var removed = 0
        while excess > 0 {
            try Task.checkCancellation()
            let count = min(excess, Self.groupMax)
            let gone = try await database.write(of: .everyTenant) { transaction in
                try transaction.execute(
                    """
                    DELETE FROM embedding_cache WHERE (tenant, identity, hash) IN
                    (SELECT tenant, identity, hash FROM embedding_cache ORDER BY used LIMIT $1)
                    """,
                    [SQLValue(count)]
                )
            }
            removed += gone
            // Another process may have removed them first.
            excess = gone == 0 ? 0 : excess - gone
        }
        return removed
    }

    /// Removes what a tenant has stored, with every model.
    public func removeAll(tenant: TenantID) async throws {
        _ = try await database.write(of: .tenant(tenant)) { transaction in
            try transaction.execute("DELETE FROM embedding_cache WHERE tenant = $1", [.text(tenant.description)])
        }
    }

    /// Rows stored between two counts: a hundredth of the bound, so that counting costs little beside storing.
    private var trimInterval: Int { max(1, rowsMax / 100) }

    private func touch(_ hashes: [[UInt8]], _ key: String, _ tenant: TenantID) async throws {
        guard !hashes.isEmpty else { return }
        let used = now().microseconds
        let rows: [[SQLValue]] = hashes.map { hash in
            [.integer(used), .text(tenant.description), .text(key), .bytes(hash)]
        }
        _ = try await database.write(of: .tenant(tenant)) { transaction in
            try transaction.execute(
                "UPDATE embedding_cache SET used = $1 WHERE tenant = $2 AND identity = $3 AND hash = $4",
                each: rows
            )
        }
    }

    private static func rows(
        of group: ArraySlice<[UInt8]>,
        _ key: String,
        _ tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> [Row] {
        // Filled up with its last hash: a few statements only, which stay prepared.
        let size = group.count == 1 ? 1 : group.count <= 16 ? 16 : group.count <= 96 ? 96 : groupMax
        var arguments: [SQLValue] = [.text(tenant.description), .text(key)] + group.map { .bytes($0) }
        while arguments.count < size + 2 { arguments.append(arguments[arguments.count - 1]) }
        let places = (3..<3 + size).map { "$\($0)" }.joined(separator: ", ")
        return try transaction.rows(
            """
            SELECT hash, vector, truncated, used FROM embedding_cache
            WHERE tenant = $1 AND identity = $2 AND hash IN (\(places))
            """,
            arguments
        )
    }

    /// A short name for an identity, for the rows: 32 hexadecimal digits of its SHA-256.
    private static func key(_ identity: ModelIdentity) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let bytes = contentHash(identity.text).prefix(16).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: bytes, as: UTF8.self)
    }

    // Little-endian Float32, as both x86-64 and arm64 have them in memory.
    private static func bytes(_ vector: [Float]) -> [UInt8] { vector.withUnsafeBytes { Array($0) } }

    /// Nil when the bytes are not a unit vector of `dimension`: the row was damaged, the text is encoded anew.
    private static func vector(_ bytes: [UInt8], _ dimension: Int) -> [Float]? {
        guard bytes.count == dimension * MemoryLayout<Float>.size else { return nil }
        let vector = [Float](unsafeUninitializedCapacity: dimension) { buffer, count in
            bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            count = dimension
        }
        let square = vector.reduce(0) { $0 + $1 * $1 }
        return abs(square - 1) < 1e-3 ? vector : nil
    }
}

/// Counts what copies of one cache store together.
private final class Counter: Sendable {
    private let count = Mutex(0)

    /// Adds; whether the sum reached `bound`, and starts again from zero if so.
    func add(_ amount: Int, restartingAt bound: Int) -> Bool {
        count.withLock { count in
            count += amount
            guard count >= bound else { return false }
            count = 0
            return true
        }
    }
}
