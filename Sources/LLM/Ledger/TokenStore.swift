import Database
import Domain

/// The ledger in SQL: one row a user and day, and one for each call that is not over.
struct TokenStore: Sendable {
    let database: any SQLDatabase

    static let migrations: [Migration] = [
        Migration(
            id: "llm/0001-tokens",
            [
                """
                CREATE TABLE llm_token_days (
                    tenant {text} NOT NULL,
                    day {int} NOT NULL,
                    user_id {text} NOT NULL,
                    input {int} NOT NULL,
                    cached_input {int} NOT NULL,
                    output {int} NOT NULL,
                    thoughts {int} NOT NULL,
                    lost {int} NOT NULL,
                    PRIMARY KEY (tenant, day, user_id)
                ) {strict}
                """,
                """
                CREATE TABLE llm_token_reservations (
                    tenant {text} NOT NULL,
                    id {text} NOT NULL,
                    run {text},
                    day {int} NOT NULL,
                    user_id {text} NOT NULL,
                    tokens {int} NOT NULL,
                    expires_time {int} NOT NULL,
                    PRIMARY KEY (tenant, id)
                ) {strict}
                """,
            ]
        )
    ]

    enum Outcome: Sendable {
        case reserved(TokenReservation)
        /// The cap that has no room, and whether it is the user's.
        case refused(cap: Int, isUsers: Bool)
    }

    static func day(of time: Instant) -> Int { Int(time.microseconds / (86_400 * 1_000_000)) }

    func reserve(
        _ demand: TokenDemand,
        caps: TokenCaps,
        run: RunID?,
        user: UserID,
        time: Instant,
        expires: Instant,
        tenant: TenantID,
        deadline: ContinuousClock.Instant?
    ) async throws -> Outcome {
        let id = RunID.random().description
        let day = Self.day(of: time)
        return try await database.write(of: .tenant(tenant), deadline: deadline) { transaction in
            try Self.lock(tenant, transaction)
            try Self.settleExpired(time: time, tenant: tenant, transaction)
            var output = demand.output
            for (cap, capUser) in [(caps.perUser, Optional(user)), (caps.perTenant, nil)] {
                guard let cap else { continue }
                let used = try Self.used(day: day, user: capUser, tenant: tenant, transaction).total
                let room = (cap - used) / demand.attempts - demand.input
                guard room >= demand.outputMin else { return .refused(cap: cap, isUsers: capUser != nil) }
                output = min(output, room)
            }
            let reservation = TokenReservation(
                id: id,
                tenant: tenant,
                user: user,
                day: day,
                tokens: demand.tokens(output: output),
                outputTokensMax: output
            )
            try transaction.execute(
                """
                INSERT INTO llm_token_reservations (tenant, id, run, day, user_id, tokens, expires_time)
                VALUES ($1, $2, $3, $4, $5, $6, $7)
                """,
                [
                    .text(tenant.description), .text(id), SQLValue(run?.description), SQLValue(day),
                    .text(user.description), SQLValue(reservation.tokens), SQLValue(expires.microseconds),
                ]
            )
            return .reserved(reservation)
        }
    }

    /// Without its row a reservation was settled before, or had expired and counts at its maximum already.
    func settle(
        _ reservation: TokenReservation,
        usage: TokenUsage,
        deadline: ContinuousClock.Instant?
    ) async throws {
        try await database.write(of: .tenant(reservation.tenant), deadline: deadline) { transaction in
            try Self.lock(reservation.tenant, transaction)
            let wasOpen = try transaction.execute(
                "DELETE FROM llm_token_reservations WHERE tenant = $1 AND id = $2",
                [.text(reservation.tenant.description), .text(reservation.id)]
            )
            guard wasOpen == 1 else { return }
            try Self.add(
                usage,
                lost: 0,
                day: reservation.day,
                user: reservation.user.description,
                tenant: reservation.tenant,
                transaction
            )
        }
    }

    func settleExpired(time: Instant, tenant: TenantID) async throws -> Int {
        try await database.write(of: .tenant(tenant)) { transaction in
            try Self.lock(tenant, transaction)
            return try Self.settleExpired(time: time, tenant: tenant, transaction)
        }
    }

    /// - Parameter user: nil for the whole tenant.
    func used(
        day: Int,
        user: UserID?,
        tenant: TenantID,
        deadline: ContinuousClock.Instant?
    ) async throws -> TokenDay {
        try await database.read(of: .tenant(tenant), deadline: deadline) { transaction in
            try Self.used(day: day, user: user, tenant: tenant, transaction)
        }
    }

    /// Two reservations at once would each see the room and take it.
    private static func lock(_ tenant: TenantID, _ transaction: any Transaction) throws {
        try transaction.lock("llm_tokens \(tenant)")
    }

    @discardableResult
    private static func settleExpired(
        time: Instant,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> Int {
        let rows = try transaction.rows(
            """
            SELECT id, day, user_id, tokens FROM llm_token_reservations WHERE tenant = $1 AND expires_time <= $2
            """,
            [.text(tenant.description), SQLValue(time.microseconds)]
        )
        for row in rows {
            try transaction.execute(
                "DELETE FROM llm_token_reservations WHERE tenant = $1 AND id = $2",
                [.text(tenant.description), .text(try row.text(0))]
            )
            try add(
                TokenUsage(),
                lost: Int(try row.integer(3)),
                day: Int(try row.integer(1)),
                user: try row.text(2),
                tenant: tenant,
                transaction
            )
        }
        return rows.count
    }

    private static func add(
        _ usage: TokenUsage,
        lost: Int,
        day: Int,
        user: String,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws {
        try transaction.execute(
            """
            INSERT INTO llm_token_days (tenant, day, user_id, input, cached_input, output, thoughts, lost)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
            ON CONFLICT (tenant, day, user_id) DO UPDATE SET
                input = llm_token_days.input + excluded.input,
                cached_input = llm_token_days.cached_input + excluded.cached_input,
                output = llm_token_days.output + excluded.output,
                thoughts = llm_token_days.thoughts + excluded.thoughts,
                lost = llm_token_days.lost + excluded.lost
            """,
            [
                .text(tenant.description), SQLValue(day), .text(user), SQLValue(usage.input),
                SQLValue(usage.cachedInput), SQLValue(usage.output), SQLValue(usage.thoughts), SQLValue(lost),
            ]
        )
    }

    private static func used(
        day: Int,
        user: UserID?,
        tenant: TenantID,
        _ transaction: any Transaction
    ) throws -> TokenDay {
        let whose = user == nil ? "" : " AND user_id = $3"
        let arguments: [SQLValue] =
            [.text(tenant.description), SQLValue(day)] + (user.map { [.text($0.description)] } ?? [])
        var result = TokenDay()
        // A day has few rows a tenant; summing them here spares the engines' different types of SUM.
        let days = try transaction.rows(
            """
            SELECT input, cached_input, output, thoughts, lost FROM llm_token_days
            WHERE tenant = $1 AND day = $2\(whose)
            """,
            arguments
        )
        for row in days {
            result.usage += TokenUsage(
                input: Int(try row.integer(0)),
                cachedInput: Int(try row.integer(1)),
                output: Int(try row.integer(2)),
                thoughts: Int(try row.integer(3))
            )
            result.lost += Int(try row.integer(4))
        }
        let open = try transaction.rows(
            "SELECT tokens FROM llm_token_reservations WHERE tenant = $1 AND day = $2\(whose)",
            arguments
        )
        for row in open { result.reserved += Int(try row.integer(0)) }
        return result
    }
}
