import CLibpq

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

extension PostgresConnection {
    /// Begins to connect; keys and values as libpq documents them, the last of a key counts.
    static func start(_ parameters: [(String, String)]) -> OpaquePointer? {
        let keys = parameters.map { strdup($0.0) }
        let values = parameters.map { strdup($0.1) }
        defer { for pointer in keys + values { free(pointer) } }
        let keyPointers = keys.map { $0.map { UnsafePointer($0) } } + [nil]
        let valuePointers = values.map { $0.map { UnsafePointer($0) } } + [nil]
        return PQconnectStartParams(keyPointers, valuePointers, 1)
    }

    /// Drives the login to its end.
    func finishLogin(
        _ url: PostgresURL,
        _ control: CallControl,
        _ waitEnd: ContinuousClock.Instant
    ) throws {
        // Once the server has answered, it isn't the network that is wrong.
        var hasAnswered = false
        var events = Int16(POLLOUT)
        try listening(control) {
            while PQstatus(handle) != CONNECTION_BAD {
                try control.check()
                guard .now < waitEnd else { throw DatabaseError.timedOut("connecting to PostgreSQL at \(url.shown)") }
                if wait(for: events, until: waitEnd) == 0 { continue }
                switch PQconnectPoll(handle) {
                case PGRES_POLLING_OK: return try checkServer(url)
                case PGRES_POLLING_READING: events = Int16(POLLIN)
                case PGRES_POLLING_WRITING: events = Int16(POLLOUT)
                default: break
                }
                let status = PQstatus(handle)
                if status == CONNECTION_AWAITING_RESPONSE || status == CONNECTION_SSL_STARTUP { hasAnswered = true }
            }
            throw loginFailure(url, hasAnswered: hasAnswered)
        }
    }

    private func checkServer(_ url: PostgresURL) throws {
        let version = PQserverVersion(handle)
        guard version >= 150_000 else {
            throw DatabaseError(
                .configuration,
                "PostgreSQL at \(url.shown) is version \(version / 10_000); 15 or newer is needed"
            )
        }
        let encoding = PQparameterStatus(handle, "server_encoding").map { String(cString: $0) } ?? "unknown"
        guard encoding == "UTF8" else {
            throw DatabaseError(
                .configuration,
                "the database at \(url.shown) has the encoding \(encoding); UTF8 is needed",
                hint: "create it with ENCODING 'UTF8' TEMPLATE template0"
            )
        }
    }

    private func loginFailure(_ url: PostgresURL, hasAnswered: Bool) -> DatabaseError {
        // libpq's words name host, user and database, never the password.
        let reason = String(cString: PQerrorMessage(handle))
        // The server says so in whatever language; while it starts or stops it will let us in later.
        let isTemporary = ["starting up", "shutting down", "recovery", "too many clients", "remaining connection"]
            .contains { reason.contains($0) }
        // libpq's own complaints about the URL, in English because we set no locale.
        let isMisspelt = !hasAnswered && reason.contains("invalid ")
        if isMisspelt || (hasAnswered && !isTemporary) {
            return DatabaseError(
                .configuration,
                isMisspelt
                    ? "the PostgreSQL URL for \(url.shown) has a parameter that can't be used"
                    : "PostgreSQL at \(url.shown) refused the connection",
                hint: "check user, password, database and sslmode of the URL",
                detail: reason
            )
        }
        return DatabaseError(
            .connection,
            "PostgreSQL at \(url.shown) can't be reached",
            hint: "is the server running, and the URL right?",
            detail: reason
        )
    }
}
