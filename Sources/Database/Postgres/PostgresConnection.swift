import CLibpq

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// One connection of libpq, driven by blocking waits that end at a deadline or when the call is cancelled.
///
/// Unchecked, because everything is used on one queue at a time only: the pool lends a connection to one call, and
/// the call runs on the connection's queue. What other threads touch is `wake`, which is made for it.
final class PostgresConnection: @unchecked Sendable {
    /// Statements that were prepared, with what they take and give.
    let statements: PostgresStatements

    let handle: OpaquePointer
    private let wake: WakeSignal
    /// No further use: the server hung up, or an answer never came.
    private(set) var isBroken = false

    /// How long the server may take to obey a cancellation before we hang up.
    private static let cancelGrace: Duration = .seconds(5)

    /// Connects; blocks until the login is through, or throws at `waitEnd` or when `control` says so.
    init(
        _ url: PostgresURL,
        options: DatabaseOptions,
        control: CallControl,
        waitEnd: ContinuousClock.Instant
    ) throws {
        // Later entries win: what the URL says overrules our defaults, but not the encoding.
        let statementMax = options.statementMax.components.seconds * 1_000
        let parameters: [(String, String)] = [
            ("application_name", "pyairtable-ai"),
            ("keepalives_idle", "30"), ("keepalives_interval", "10"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "30000"),
            ("options", "-c statement_timeout=\(statementMax) -c idle_in_transaction_session_timeout=600000"),
            ("dbname", url.text),
            ("client_encoding", "UTF8"),
        ]
        wake = try WakeSignal()
        statements = PostgresStatements(max: options.statementsMax)
        guard let handle = Self.start(parameters) else { throw DatabaseError.internalError("libpq is out of memory") }
        self.handle = handle
        PQsetNoticeProcessor(handle, { _, _ in }, nil)
        try finishLogin(url, control, waitEnd)
        PQsetnonblocking(handle, 1)
    }

    deinit { PQfinish(handle) }

    /// Whether the server says that a transaction is open or failed.
    var isInTransaction: Bool { PQtransactionStatus(handle) != PQTRANS_IDLE }

    /// Runs one of the driver's own statements, which has no parameters and gives no rows.
    ///
    /// - Returns: the server's word for what it did, such as `COMMIT`.
    @discardableResult
    func run(_ sql: String, _ control: CallControl) throws -> String {
        guard PQsendQuery(handle, sql) == 1 else { throw lost(sql) }
        var tag = ""
        try receive(sql, control) { result in tag = String(cString: PQcmdStatus(result)) }
        return tag
    }

    /// Prepares, or finds prepared, and runs `sql`.
    ///
    /// - Parameters:
    ///   - opening: how the transaction begins, sent ahead in the same packet; nil when it has begun.
    ///   - body: called with the result; must not keep it.
    func run(
        _ sql: String,
        _ arguments: [SQLValue],
        opening: PostgresOpening?,
        _ control: CallControl,
        _ body: (PostgresResult) throws -> Void
    ) throws {
        let statement = try prepared(sql, arguments, control)
        let packed = try PostgresArguments(arguments)
        guard let opening else {
            try send(statement, packed)
            return try receive(sql, control) { try body(PostgresResult($0, of: statement)) }
        }
        let scope = try prepared(opening, control)
        try pipelined(sql) {
            try send(opening, scope)
            try send(statement, packed)
            try synchronize(sql, control) { position, result in
                if position == PostgresOpening.statementCount { try body(PostgresResult(result, of: statement)) }
            }
        }
    }

    /// Begins a transaction for statements that can't be sent together with its beginning.
    func open(_ opening: PostgresOpening, _ control: CallControl) throws {
        let scope = try prepared(opening, control)
        try pipelined(opening.begin) {
            try send(opening, scope)
            try synchronize(opening.begin, control) { _, _ in }
        }
    }

    private func send(_ opening: PostgresOpening, _ scope: PostgresStatement) throws {
        guard PQsendQueryParams(handle, opening.begin, 0, nil, nil, nil, nil, 0) == 1 else { throw lost(opening.begin) }
        try send(scope, try PostgresArguments(opening.arguments))
    }

    /// Runs `sql` and calls `body` with each row as it comes. What `body` throws ends the reading only after all rows
    /// have been received.
    func stream(
        _ sql: String,
        _ arguments: [SQLValue],
        _ control: CallControl,
        _ body: (PostgresResult) throws -> Void
    ) throws {
        let statement = try prepared(sql, arguments, control)
        try send(statement, try PostgresArguments(arguments))
        PQsetSingleRowMode(handle)
        try receive(sql, control) { try body(PostgresResult($0, of: statement)) }
    }

    /// Runs `sql` once for each of `argumentLists` and waits for the server only once.
    ///
    /// - Returns: rows changed in all.
    func runEach(_ sql: String, _ argumentLists: ArraySlice<[SQLValue]>, _ control: CallControl) throws -> Int {
        var changes = 0
        let statements = try argumentLists.map { try prepared(sql, $0, control) }
        try pipelined(sql) {
            for (statement, arguments) in zip(statements, argumentLists) {
                try send(statement, try PostgresArguments(arguments))
            }
            try synchronize(sql, control) { position, result in
                changes += PostgresResult(result, of: statements[position]).changes
            }
        }
        return changes
    }

    /// Waits up to `duration`, less when the call is cancelled.
    func pause(_ duration: Duration, _ control: CallControl) throws {
        let end = ContinuousClock.now + duration
        try listening(control) {
            while .now < end {
                try control.check()
                wait(for: 0, until: min(end, control.deadline ?? end))
            }
        }
    }

    private func prepared(
        _ sql: String,
        _ arguments: [SQLValue],
        _ control: CallControl
    ) throws -> PostgresStatement {
        if let statement = statements.find(sql, arguments) { return statement }
        // The server doesn't mind arguments that no placeholder takes, and SQLite does.
        let count = Placeholders.count(in: sql, .postgres)
        guard count == arguments.count else {
            throw DatabaseError.wrongArgumentCount(expected: count, received: arguments.count, sql: sql)
        }
        for name in statements.evicted() { try run("DEALLOCATE \(name)", control) }
        let statement = try prepare(sql, arguments, control)
        statements.add(statement)
        return statement
    }

    /// Found first by every transaction, and never given up for another.
    private func prepared(_ opening: PostgresOpening, _ control: CallControl) throws -> PostgresStatement {
        if let statement = statements.openings[opening.sql] { return statement }
        let statement = try prepare(opening.sql, opening.arguments, control)
        statements.openings[opening.sql] = statement
        return statement
    }

    private func prepare(
        _ sql: String,
        _ arguments: [SQLValue],
        _ control: CallControl
    ) throws -> PostgresStatement {
        let declared = arguments.map(PostgresType.declared)
        let name = statements.nextName()
        guard PQsendPrepare(handle, name, sql, Int32(declared.count), declared) == 1 else { throw lost(sql) }
        try receive(sql, control) { _ in }
        guard PQsendDescribePrepared(handle, name) == 1 else { throw lost(sql) }
        var statement: PostgresStatement?
        try receive(sql, control) { result in
            statement = PostgresStatement(name: name, sql: sql, declared: declared, description: result)
        }
        guard let statement else { throw lost(sql) }
        return statement
    }

    private func send(_ statement: PostgresStatement, _ arguments: PostgresArguments) throws {
        let sent = arguments.withPointers { values, lengths, formats in
            PQsendQueryPrepared(
                handle,
                statement.name,
                Int32(arguments.count),
                values,
                lengths,
                formats,
                statement.isBinary ? 1 : 0
            )
        }
        guard sent == 1 else { throw lost(statement.sql) }
    }

    /// Runs `body` in libpq's pipeline mode, in which statements are sent without waiting for answers.
    private func pipelined(_ sql: String, _ body: () throws -> Void) throws {
        guard PQenterPipelineMode(handle) == 1 else { throw lost(sql) }
        defer {
            // It can't be left with answers outstanding; then the connection is of no use.
            if PQexitPipelineMode(handle) == 0 { isBroken = true }
        }
        try body()
    }

    /// Ends a pipeline and receives its results; `body` gets each with its position among what was sent.
    private func synchronize(
        _ sql: String,
        _ control: CallControl,
        _ body: (Int, OpaquePointer) throws -> Void
    ) throws {
        guard PQpipelineSync(handle) == 1 else { throw lost(sql) }
        try receive(sql, control, isPipelined: true, body)
    }

    /// Receives every result of the one statement that was sent.
    private func receive(_ sql: String, _ control: CallControl, _ body: (OpaquePointer) throws -> Void) throws {
        try receive(sql, control, isPipelined: false) { _, result in try body(result) }
    }

    /// Receives every result, so that the connection is ready for the next statement, and throws the first failure.
    private func receive(
        _ sql: String,
        _ control: CallControl,
        isPipelined: Bool,
        _ body: (Int, OpaquePointer) throws -> Void
    ) throws {
        var failure: (any Error)?
        var position = 0
        var isOver = false
        let cancellation = PostgresCancellation()
        try listening(control) {
            while !isOver {
                guard let result = try nextResult(sql, control, cancellation) else {
                    // In a pipeline this ends one statement's results; the sync ends them all.
                    position += 1
                    isOver = !isPipelined || PQstatus(handle) == CONNECTION_BAD
                    continue
                }
                defer { PQclear(result) }
                switch PQresultStatus(result) {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE:
                    guard failure == nil else { continue }
                    do { try body(position, result) } catch { failure = error }
                case PGRES_PIPELINE_SYNC:
                    isOver = true
                case PGRES_PIPELINE_ABORTED:
                    continue
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    isBroken = true
                    throw DatabaseError(.syntax, "COPY can't be used here", detail: "in: \(sql.prefix(500))")
                default:
                    failure = failure ?? PostgresFailure(result, sql: sql, interruption: cancellation.reason)
                }
            }
        }
        // A request to cancel that is still under way would hit the next statement.
        if !cancellation.isOver(within: Self.cancelGrace) { isBroken = true }
        if PQstatus(handle) == CONNECTION_BAD { throw lost(sql) }
        if let failure { throw failure }
    }

    /// The next result, nil after the last. Asks the server to stop once the call should end.
    private func nextResult(
        _ sql: String,
        _ control: CallControl,
        _ cancellation: PostgresCancellation
    ) throws -> OpaquePointer? {
        var unsent = PQflush(handle)
        while PQisBusy(handle) == 1 || unsent == 1 {
            guard unsent >= 0 else { throw lost(sql) }
            if let reason = control.interruption {
                cancellation.request(handle, reason, grace: Self.cancelGrace)
                if cancellation.isOverdue {
                    isBroken = true
                    throw reason
                }
            }
            let end = cancellation.nextLook ?? control.deadline
            let ready = wait(for: Int16(POLLIN) | (unsent == 1 ? Int16(POLLOUT) : 0), until: end)
            if ready != 0, PQconsumeInput(handle) == 0 { throw lost(sql) }
            if unsent == 1 { unsent = PQflush(handle) }
        }
        return PQgetResult(handle)
    }

    /// Waits until the socket is ready for `events`, the call is cancelled, or `end`; at most a minute.
    ///
    /// - Returns: the events that happened on the socket.
    @discardableResult
    func wait(for events: Int16, until end: ContinuousClock.Instant?) -> Int16 {
        var descriptors = [
            pollfd(fd: wake.readDescriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: PQsocket(handle), events: events, revents: 0),
        ]
        let left = end.map { $0 - .now } ?? .seconds(60)
        let milliseconds = max(
            0,
            min(60_000, left.components.seconds * 1_000 + left.components.attoseconds / 1_000_000_000_000_000)
        )
        // Rounded up, or the last millisecond would be spent turning round.
        guard poll(&descriptors, events == 0 ? 1 : 2, Int32(milliseconds) + 1) > 0 else { return 0 }
        if descriptors[0].revents != 0 { wake.clear() }
        return events == 0 ? 0 : descriptors[1].revents
    }

    /// Runs `body` while a cancellation of `control` ends waits.
    func listening<T>(_ control: CallControl, _ body: () throws -> T) rethrows -> T {
        control.onCancel { [wake] in wake.raise() }
        defer {
            control.onCancel(nil)
            wake.clear()
        }
        return try body()
    }

    private func lost(_ sql: String) -> DatabaseError {
        isBroken = true
        return DatabaseError(
            .connection,
            "the connection to PostgreSQL was lost",
            hint: "is the server running?",
            detail: "\(String(cString: PQerrorMessage(handle))) in: \(sql.prefix(200))"
        )
    }
}
