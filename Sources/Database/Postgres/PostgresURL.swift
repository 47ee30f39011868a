import CLibpq

/// A PostgreSQL URL as libpq takes it, and what of it may be shown.
struct PostgresURL: Sendable {
    /// With its password: only for libpq.
    let text: String
    /// `postgres://USER@HOST:PORT/DATABASE`, put together from the parts that hold no secret.
    let shown: String
    let database: String?

    /// - Throws: `configuration` for what is no URL of PostgreSQL, and when its client library cannot be opened.
    init(_ text: String) throws(DatabaseError) {
        // Before anything else of libpq is called: whoever has a connection has had a URL.
        if let reason = clibpq_open() {
            throw DatabaseError(
                .configuration,
                "PostgreSQL's client library can't be opened: \(String(cString: reason))",
                hint: "install it: apt-get install libpq5"
            )
        }
        // libpq's own words repeat the URL, password and all.
        guard !text.utf8.contains(0), let options = PQconninfoParse(text, nil) else {
            throw DatabaseError(
                .configuration,
                "the PostgreSQL URL can't be parsed",
                hint: "it looks like postgres://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=verify-full"
            )
        }
        defer { PQconninfoFree(options) }
        var parts: [String: String] = [:]
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val { parts[String(cString: keyword)] = String(cString: value) }
            option += 1
        }
        // A password with a bare @ in it: the rest of it would be shown as part of the host's name.
        guard parts["host"]?.contains("@") != true else {
            throw DatabaseError(
                .configuration,
                "the PostgreSQL URL can't be parsed: there is an @ in the host's name",
                hint: "write an @ in the password as %40"
            )
        }
        self.text = text
        database = parts["dbname"]
        let user = parts["user"].map { "\($0)@" } ?? ""
        let port = parts["port"].map { ":\($0)" } ?? ""
        let database = parts["dbname"].map { "/\($0)" } ?? ""
        shown = "postgres://\(user)\(parts["host"] ?? parts["hostaddr"] ?? "localhost")\(port)\(database)"
    }
}
