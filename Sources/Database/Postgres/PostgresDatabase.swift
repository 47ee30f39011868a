import Dispatch
import Synchronization

/// PostgreSQL 15 or newer by libpq: a bounded pool of connections, each with a queue of its own.
final class PostgresDatabase: SQLDatabase {
    let dialect = SQLDialect.postgres

    private let url: PostgresURL
    private let options: DatabaseOptions
    private let watch = DeadlineWatch()
    private let permits: Permits
    /// Connections that nobody uses, the last used last; there are never more than permits.
    private let idle = Mutex<[PostgresSlot]>([])
    private let counters = DatabaseCounters()
    private let role = PostgresRole()

    init(url: PostgresURL, options: DatabaseOptions) {
        self.url = url
        self.options = options
        permits = Permits(count: options.connectionsMax, waitersMax: options.waitersMax, watch: watch)
    }

    var location: String { url.shown }

    var statistics: DatabaseStatistics {
        var statistics = counters.snapshot
        statistics.connectionsInUse = permits.inUse
        statistics.connectionsMax = permits.count
        statistics.waiting = permits.waiting
        return statistics
    }

    func read<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await run(.read, of: scope, deadline, body)
    }

    func write<T: Sendable>(
        of scope: RowScope,
        deadline: ContinuousClock.Instant?,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await run(.write, of: scope, deadline, body)
    }

    func integrityCheck() async throws -> [String] {
        try await read(of: .owner) { transaction in
            let indexes = try transaction.rows(
                "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"
            )
            let constraints = try transaction.rows(
                "SELECT conname::text FROM pg_constraint WHERE NOT convalidated ORDER BY 1"
            )
            let checksums = try transaction.rows(
                "SELECT coalesce(checksum_failures, 0) FROM pg_stat_database WHERE datname = current_database()"
            )
            var findings = try indexes.map { "index \(try $0.text(0)) is not valid; REINDEX it" }
            findings += try constraints.map { "constraint \(try $0.text(0)) was never validated" }
            if let failures = try checksums.first?.integer(0), failures > 0 {
                findings.append("PostgreSQL counted \(failures) damaged pages")
            }
            return findings
        }
    }

    func close() async {
        await permits.close()
        idle.withLock { $0 = [] }
    }

    /// Connects once, so that a wrong URL is told at the start.
    func connect() async throws {
        try await run(.read, of: .owner, .now + options.waitMax, retriesConnecting: false) { _ in }
    }

    private func run<T: Sendable>(
        _ access: PostgresSlot.Access,
        of scope: RowScope,
        _ deadline: ContinuousClock.Instant?,
        retriesConnecting: Bool = true,
        _ body: @escaping @Sendable (any Transaction) throws -> T
    ) async throws -> T {
        try await permits.acquire(deadline: deadline ?? .now + options.waitMax)
        let slot =
            idle.withLock { $0.popLast() } ?? PostgresSlot(url: url, options: options, counters: counters, role: role)
        defer {
            idle.withLock { $0.append(slot) }
            permits.release()
        }
        let control = CallControl(deadline: deadline)
        do {
            let value = try await withTaskCancellationHandler {
                try await withCheckedThrowingContinuation { continuation in
                    slot.queue.async {
                        continuation.resume(
                            with: Result {
                                try slot.run(access, of: scope, control, retriesConnecting: retriesConnecting, body)
                            }
                        )
                        // The queue is serial: the slot's next call comes after this.
                        slot.finish()
                    }
                }
            } onCancel: {
                control.cancel()
            }
            counters.add { counters in
                if access == .read { counters.reads += 1 } else { counters.writes += 1 }
                if access == .write { counters.commits += 1 }
                if access == .write { counters.groupMax = 1 }
            }
            return value
        } catch {
            counters.add { counters in
                if access == .read { counters.reads += 1 }
                counters.failures += 1
            }
            throw error
        }
    }
}
