import Database
import Domain
import LLM

/// What processes say to each other through the database. A process holds a lease by its row in `chat_processes`;
/// every transaction that stores events renews it, and stores nothing once the row is gone. Whoever finds a lease run
/// out, or its process dead, removes the row and ends its runs in one transaction: an event is stored before that, or
/// never.
extension ChatStore {
    struct Orphan: Sendable, Hashable {
        let tenant: TenantID
        let run: RunID
    }

    func register(_ process: String, mark: String, until lease: Instant) async throws {
        try await database.write(of: .server) { transaction in
            try transaction.execute(
                "INSERT INTO chat_processes (id, mark, lease_until) VALUES ($1, $2, $3)",
                [.text(process), .text(mark), .instant(lease)]
            )
        }
    }

    /// The process ends, with no run of its own.
    func unregister(_ process: String) async throws {
        try await database.write(of: .everyTenant) { transaction in
            try transaction.execute(
                """
                DELETE FROM chat_processes WHERE id = $1
                    AND NOT EXISTS (SELECT 1 FROM chat_runs WHERE process = $1 AND state = 'running')
                """,
                [.text(process)]
            )
        }
    }

    /// - Returns: false when somebody else has taken the process for dead.
    func renew(_ process: String, until lease: Instant) async throws -> Bool {
        try await database.write(of: .server) { try Self.renew(process, until: lease, in: $0) }
    }

    /// Runs of this process that somebody asks to end.
    func cancelRequests(of process: String) async throws -> [RunID] {
        try await database.read(of: .everyTenant) { transaction in
            try transaction.rows(
                "SELECT id FROM chat_runs WHERE process = $1 AND state = 'running' AND cancel_requested = 1",
                [.text(process)]
            ).map { try $0.identifier(0, of: "chat_runs") }
        }
    }

    /// Stores events of any number of runs, and how some of them ended.
    ///
    /// May be repeated when its outcome is not known.
    ///
    /// - Returns: false when the process has lost its lease; nothing is stored then.
    func append(_ batches: [EventBatch], process: String, until lease: Instant) async throws -> Bool {
        let rows = batches.flatMap { batch in
            batch.events.map { event -> [SQLValue] in
                [.id(batch.tenant), .id(batch.run), SQLValue(event.sequence), .bytes(event.wireBytes)]
            }
        }
        let steps = try batches.flatMap { batch in try batch.steps.map { try Self.row($0, of: batch) } }
        return try await database.write(of: .everyTenant) { transaction in
            guard try Self.renew(process, until: lease, in: transaction) else { return false }
            try Self.insertEvents(rows, in: transaction)
            try Self.insertSteps(steps, in: transaction)
            for batch in batches {
                guard let conclusion = batch.conclusion, let time = batch.events.last?.time else { continue }
                try Self.conclude(batch.run, conclusion, at: time, tenant: batch.tenant, in: transaction)
            }
            return true
        }
    }

    // MARK: Orphans

    struct DeadProcess: Sendable, Hashable {
        let id: String
        let lease: Instant
    }

    /// Processes whose lease ended before `time`, or that `isGone` knows to be dead by their mark.
    func deadProcesses(
        at time: Instant,
        isGone: @escaping @Sendable (String) -> Bool
    ) async throws -> [DeadProcess] {
        try await database.read(of: .server) { transaction in
            try transaction.rows("SELECT id, mark, lease_until FROM chat_processes").compactMap { row in
                let lease = try row.instant(2)
                guard try lease < time || isGone(try row.text(1)) else { return nil }
                return DeadProcess(id: try row.text(0), lease: lease)
            }
        }
    }

    /// Takes a process for dead: its runs are `interrupted` from now on, with the text they have.
    ///
    /// - Parameter lease: as it was seen; nothing happens when the process has renewed it since.
    /// - Returns: the runs that were ended.
    func bury(_ process: String, leaseUntil lease: Instant, at time: Instant) async throws -> [Orphan] {
        try await database.write(of: .everyTenant) { transaction in
            let removed = try transaction.execute(
                "DELETE FROM chat_processes WHERE id = $1 AND lease_until <= $2",
                [.text(process), .instant(lease)]
            )
            guard removed == 1 else { return [] }
            let orphans = try transaction.rows(
                "SELECT tenant, id FROM chat_runs WHERE process = $1 AND state = 'running'",
                [.text(process)]
            ).map { row in
                Orphan(
                    tenant: try row.identifier(0, of: "chat_runs"),
                    run: try row.identifier(1, of: "chat_runs")
                )
            }
            for orphan in orphans {
                try Self.interrupt(orphan.run, at: time, tenant: orphan.tenant, in: transaction)
            }
            return orphans
        }
    }

    /// Ends one run of a living process whose events could not be stored.
    func interrupt(_ run: RunID, at time: Instant, tenant: TenantID) async throws {
        try await database.write(of: .tenant(tenant)) { try Self.interrupt(run, at: time, tenant: tenant, in: $0) }
    }

    // MARK: Purging

    /// Removes one deleted conversation whose runs have ended, some rows in a transaction.
    ///
    /// - Parameter forget: removes what is kept elsewhere about its runs. Before the runs go: after them nobody would know
    ///   which those were. May be called again for the same ones.
    /// - Returns: whether there was one to remove.
    func purgeOne(forgetting forget: ([RunID], TenantID) async throws -> Void) async throws -> Bool {
        let found = try await database.read(of: .everyTenant) { transaction -> (TenantID, ConversationID, [RunID])? in
            let row = try transaction.firstRow(
                """
                SELECT c.tenant, c.id FROM chat_conversations c WHERE c.deleted = 1 AND NOT EXISTS (
                    SELECT 1 FROM chat_runs r
                    WHERE r.tenant = c.tenant AND r.conversation = c.id AND r.state = 'running'
                ) LIMIT 1
                """
            )
            guard let row else { return nil }
            let runs = try transaction.rows(
                "SELECT id FROM chat_runs WHERE tenant = $1 AND conversation = $2",
                [row[0], row[1]]
            )
            return (
                try row.identifier(0, of: "chat_conversations"), try row.identifier(1, of: "chat_conversations"),
                try runs.map { try $0.identifier(0, of: "chat_runs") }
            )
        }
        guard let (tenant, conversation, runs) = found else { return false }
        try await forget(runs, tenant)
        for run in runs {
            while try await deleteEvents(of: run, tenant: tenant) {}
        }
        try await database.write(of: .tenant(tenant)) { transaction in
            for table in ["chat_messages", "chat_runs"] {
                try transaction.execute(
                    "DELETE FROM \(table) WHERE tenant = $1 AND conversation = $2",
                    [.id(tenant), .id(conversation)]
                )
            }
            try transaction.execute(
                "DELETE FROM chat_conversations WHERE tenant = $1 AND id = $2",
                [.id(tenant), .id(conversation)]
            )
        }
        return true
    }

    private func deleteEvents(of run: RunID, tenant: TenantID) async throws -> Bool {
        try await database.write(of: .tenant(tenant)) { transaction in
            let removed = try transaction.execute(
                """
                DELETE FROM chat_events WHERE tenant = $1 AND run = $2 AND sequence <= (
                    SELECT MIN(sequence) FROM chat_events WHERE tenant = $1 AND run = $2
                ) + $3
                """,
                [.id(tenant), .id(run), SQLValue(Limits.sweepRows)]
            )
            return removed > 0
        }
    }

    // MARK: Parts

    static func holdsLease(_ process: String, in transaction: any Transaction) throws -> Bool {
        // Changes nothing, but holds the row against whoever would take the process for dead.
        try transaction.execute(
            "UPDATE chat_processes SET lease_until = lease_until WHERE id = $1",
            [.text(process)]
        ) == 1
    }

    private static func renew(_ process: String, until lease: Instant, in transaction: any Transaction) throws -> Bool {
        try transaction.execute(
            "UPDATE chat_processes SET lease_until = $2 WHERE id = $1",
            [.text(process), .instant(lease)]
        ) == 1
    }

    /// Few different statements, so that each is prepared once.
    static func insertEvents(_ rows: [[SQLValue]], in transaction: any Transaction) throws {
        var position = 0
        while position < rows.count {
            let left = rows.count - position
            let count = left >= 64 ? 64 : left >= 8 ? 8 : 1
            let values = (0..<count).map { row in "($\(row * 4 + 1), $\(row * 4 + 2), $\(row * 4 + 3), $\(row * 4 + 4))"
            }
            try transaction.execute(
                "INSERT INTO chat_events (tenant, run, sequence, wire) VALUES \(values.joined(separator: ", "))"
                    + " ON CONFLICT (tenant, run, sequence) DO NOTHING",
                rows[position..<(position + count)].flatMap { $0 }
            )
            position += count
        }
    }
}
