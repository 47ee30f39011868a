public import Database
public import Domain
public import Logging

/// What went to providers and came back, by run: for replaying a run and for finding out what a model really said.
///
/// Bounded: a body is kept up to `Limits.recordedBodyBytes`, a run up to `Limits.recordedRunBytes` and
/// `Limits.recordedExchanges`; beyond that only status and failure are kept, or nothing. Keys are never part of an
/// exchange. Rows live as long as their run.
public struct RunTrafficStore: Sendable {
    let database: any SQLDatabase
    let now: InstantSource

    public init(database: any SQLDatabase, now: @escaping InstantSource = { .now() }) {
        self.database = database
        self.now = now
    }

    public static let migrations: [Migration] = [
        Migration(
            id: "llm-traffic/0001-exchanges",
            [
                """
                CREATE TABLE llm_exchanges (
                    tenant {text} NOT NULL,
                    run {text} NOT NULL,
                    ordinal {int} NOT NULL,
                    provider {text} NOT NULL,
                    model {text} NOT NULL,
                    path {text} NOT NULL,
                    request {bytes} NOT NULL,
                    status {int},
                    reply {bytes} NOT NULL,
                    is_cut {int} NOT NULL,
                    failure {text},
                    time {int} NOT NULL,
                    PRIMARY KEY (tenant, run, ordinal)
                ) {strict}
                """
            ]
        )
    ]

    /// A recorder for the calls of one run. A failure to record is logged and harms no run.
    public func recorder(run: RunID, tenant: TenantID, logger: Logger) -> any TrafficRecorder {
        RunRecorder(store: self, run: run, tenant: tenant, logger: logger)
    }

    /// In the order in which they ended.
    public func exchanges(
        of run: RunID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws -> [RecordedExchange] {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.rows(
                """
                SELECT provider, model, path, request, status, reply, is_cut, failure, time FROM llm_exchanges
                WHERE tenant = $1 AND run = $2 ORDER BY ordinal
                """,
                [.text(tenant.description), .text(run.description)]
            ).map { row in
                RecordedExchange(
                    exchange: ProviderExchange(
                        model: ModelName(provider: try row.text(0), model: try row.text(1)),
                        path: try row.text(2),
                        request: try row.bytes(3),
                        status: try row.optionalInteger(4).map { Int($0) },
                        reply: try row.bytes(5),
                        failure: try row.optionalText(7)
                    ),
                    isCut: try row.bool(6),
                    time: Instant(microseconds: try row.integer(8))
                )
            }
        }
    }

    /// Removes what runs left; called when they are deleted.
    public func delete(
        runs: [RunID],
        tenant: TenantID,
        deadline: ContinuousClock.Instant? = nil
    ) async throws {
        guard !runs.isEmpty else { return }
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.execute(
                "DELETE FROM llm_exchanges WHERE tenant = $1 AND run = $2",
                each: runs.map { [.text(tenant.description), .text($0.description)] }
            )
        }
    }

    func append(
        _ exchange: ProviderExchange,
        to run: RunID,
        tenant: TenantID,
        deadline: ContinuousClock.Instant?
    ) async throws {
        let time = now()
        try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try transaction.lock("llm_exchanges \(run)")
            let keys: [SQLValue] = [.text(tenant.description), .text(run.description)]
            let kept = try transaction.rows(
                "SELECT length(request) + length(reply) FROM llm_exchanges WHERE tenant = $1 AND run = $2",
                keys
            )
            guard kept.count < Limits.recordedExchanges else { return }
            let bytes = try kept.reduce(0) { $0 + Int(try $1.integer(0)) }
            let room = max(0, Limits.recordedRunBytes - bytes)
            let request = exchange.request.prefix(min(Limits.recordedBodyBytes, room))
            let reply = exchange.reply.prefix(min(Limits.recordedBodyBytes, room - request.count))
            let isCut = request.count < exchange.request.count || reply.count < exchange.reply.count
            try transaction.execute(
                """
                INSERT INTO llm_exchanges (tenant, run, ordinal, provider, model, path, request, status, reply,
                    is_cut, failure, time)
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
                """,
                keys + [
                    SQLValue(kept.count), .text(exchange.model.provider), .text(exchange.model.model),
                    .text(exchange.path), .bytes(Array(request)), SQLValue(exchange.status), .bytes(Array(reply)),
                    SQLValue(isCut), SQLValue(exchange.failure.map { String($0.filter { $0 != "\0" }) }),
                    SQLValue(time.microseconds),
                ]
            )
        }
    }
}

/// An exchange as it is kept.
public struct RecordedExchange: Sendable, Hashable {
    public var exchange: ProviderExchange
    /// A body was longer than what is kept of one.
    public var isCut: Bool
    /// When it ended.
    public var time: Instant
}

private struct RunRecorder: TrafficRecorder {
    let store: RunTrafficStore
    let run: RunID
    let tenant: TenantID
    let logger: Logger

    func record(_ exchange: ProviderExchange) async {
        // Of a cancelled run too the last exchange counts. Owner: this method, which waits; bounded by the deadline.
        let recording = Task {
            try await store.append(exchange, to: run, tenant: tenant, deadline: .now + .seconds(10))
        }
        do { try await recording.value } catch {
            logger.warning("an exchange with a provider could not be recorded", metadata: ["error": "\(error)"])
        }
    }
}
