/// Runs waiting writes on the writer connection, many in one commit.
///
/// With `synchronous=FULL` a commit costs a sync of the disk, whatever it holds. So whatever waits is run in one
/// BEGIN IMMEDIATE … COMMIT, each body in a savepoint of its own, and answered after the commit. While a group is
/// synced the next one gathers: nobody waits for company.
struct SQLiteWriter {
    let queue: WriteQueue
    let turn: TurnLock
    let counters: DatabaseCounters
    let groupMax: Int
    let groupDuration: Duration
    let waitMax: Duration

    /// Serves one group. Returns with no transaction open.
    func serveGroup(_ connection: SQLiteConnection) {
        serve(connection, carried: [], takesMore: true)
    }

    /// Runs `carried` and then, if `takesMore`, what waits, in one transaction.
    private func serve(_ connection: SQLiteConnection, carried: [any WriteJob], takesMore: Bool) {
        do {
            let waitEnd = ContinuousClock.now + waitMax
            try begin(
                connection,
                waits: {
                    // Who waits in the queue is taken out of it at its deadline; who carries on is asked.
                    guard takesMore else {
                        return .now < waitEnd && carried.contains { $0.control.interruption == nil }
                    }
                    return !queue.isEmpty
                }
            )
        } catch {
            let error = DatabaseError.sqlite(error)
            for job in carried { answer(job, job.control.interruption ?? error) }
            // Nobody waits any more: all gave up while another process held the lock.
            if error.code == .busy { return }
            while takesMore, let job = queue.take() { answer(job, error) }
            return
        }
        var waiting = carried[...]
        var done: [any WriteJob] = []
        let closing = ContinuousClock.now + groupDuration
        while done.count < groupMax {
            guard let job = waiting.popFirst() ?? (takesMore && .now < closing ? queue.take() : nil) else { break }
            do {
                try run(job, connection)
                done.append(job)
            } catch {
                answer(job, error)
                guard connection.isInTransaction else {
                    // An interrupted write or a full disk takes the whole transaction with it: the others,
                    // who are not to blame, run again.
                    counters.add { $0.retries += done.count }
                    return serve(connection, carried: done + waiting, takesMore: false)
                }
            }
        }
        commit(done, connection)
        if !waiting.isEmpty { serve(connection, carried: Array(waiting), takesMore: false) }
    }

    private func begin(_ connection: SQLiteConnection, waits: @escaping () -> Bool) throws {
        let stillWaits = {
            queue.setLockedOut(true)
            return waits()
        }
        defer { queue.setLockedOut(false) }
        guard turn.take(while: stillWaits) else { throw DatabaseError.lockedOut }
        defer { turn.yield() }
        connection.control = nil
        connection.waitsForLock = stillWaits
        defer { connection.waitsForLock = { false } }
        try connection.run("BEGIN IMMEDIATE")
    }

    private func run(_ job: any WriteJob, _ connection: SQLiteConnection) throws {
        try connection.run("SAVEPOINT job")
        connection.control = job.control
        defer { connection.control = nil }
        let transaction = SQLiteTransaction(connection, job.control, isWritable: true)
        defer { transaction.end() }
        do {
            try job.attempt(transaction)
            if let death = transaction.death { throw death }
            guard connection.isInTransaction else {
                throw DatabaseError.endedByBody
            }
            if connection.hasDeferredViolations {
                throw DatabaseError.deferredForeignKey
            }
            connection.control = nil
            try connection.run("RELEASE job")
        } catch {
            connection.control = nil
            if connection.isInTransaction {
                do {
                    try connection.run("ROLLBACK TO job")
                    try connection.run("RELEASE job")
                } catch {
                    rollback(connection)
                }
            }
            throw error
        }
    }

    private func commit(_ done: [any WriteJob], _ connection: SQLiteConnection) {
        guard !done.isEmpty else { return rollback(connection) }
        do {
            try connection.run("COMMIT")
        } catch {
            rollback(connection)
            if done.count == 1 { return answer(done[0], error) }
            // One of them is to blame: each alone.
            counters.add { $0.retries += done.count }
            for job in done { serve(connection, carried: [job], takesMore: false) }
            return
        }
        counters.add { counters in
            counters.commits += 1
            counters.writes += done.count
            counters.groupMax = max(counters.groupMax, done.count)
        }
        for job in done { job.succeed() }
    }

    private func answer(_ job: any WriteJob, _ error: any Error) {
        counters.add { $0.failures += 1 }
        job.fail(error)
    }

    private func rollback(_ connection: SQLiteConnection) {
        guard connection.isInTransaction else { return }
        // Fails only when SQLite has rolled back by itself meanwhile.
        try? connection.run("ROLLBACK")
    }
}
