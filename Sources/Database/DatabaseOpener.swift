/// Opens a database by its URL.
public enum DatabaseOpener {
    /// Opens `sqlite:PATH` (also `sqlite:///ABSOLUTE/PATH`), `postgres://…` or `postgresql://…`.
    ///
    /// A SQLite file is created when it is missing, its directory isn't. A PostgreSQL URL is what libpq takes,
    /// with `sslmode` and its other parameters.
    ///
    /// - Throws: `configuration` for a URL or a file that can't be used, `corrupt` for a damaged file,
    ///   `connection` when the server can't be reached, `busy`.
    public static func open(
        url: String,
        options: DatabaseOptions = DatabaseOptions()
    ) async throws -> any SQLDatabase {
        switch try DatabaseURL(url) {
        case .sqlite(let path): try await openSQLite(path: path, options: options)
        case .postgres(let url): try await openPostgres(url: url, options: options)
        }
    }

    /// Opens `url`, or the SQLite file at `defaultPath` when it is nil.
    public static func open(
        url: String?,
        defaultPath: String,
        options: DatabaseOptions = DatabaseOptions()
    ) async throws -> any SQLDatabase {
        if let url { return try await open(url: url, options: options) }
        return try await openSQLite(path: defaultPath, options: options)
    }

    private static func openSQLite(path: String, options: DatabaseOptions) async throws -> any SQLDatabase {
        try await Lanes.run { try SQLiteDatabase(path: path, options: options) }
    }

    private static func openPostgres(url: String, options: DatabaseOptions) async throws -> any SQLDatabase {
        let database = PostgresDatabase(url: try PostgresURL(url), options: options)
        do {
            try await database.connect()
            return database
        } catch {
            await database.close()
            throw error
        }
    }
}
