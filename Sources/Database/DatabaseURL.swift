/// A database URL, taken apart far enough to choose the driver.
enum DatabaseURL: Hashable {
    case sqlite(path: String)
    /// The URL as libpq takes it.
    case postgres(url: String)

    init(_ text: String) throws(DatabaseError) {
        guard let colon = text.firstIndex(of: ":") else { throw Self.unknown("it names no scheme") }
        switch text[..<colon].lowercased() {
        case "sqlite":
            var path = text[text.index(after: colon)...]
            if path.hasPrefix("///") {
                path = path.dropFirst(2)
            } else if path.hasPrefix("//") {
                throw Self.unknown("after sqlite: comes a path, such as sqlite:data/database.sqlite")
            }
            guard !path.isEmpty, path != ":memory:" else {
                throw Self.unknown("after sqlite: comes the path of a file")
            }
            self = .sqlite(path: String(path))
        case "postgres", "postgresql":
            guard text[colon...].hasPrefix("://") else { throw Self.unknown("after the scheme comes ://") }
            self = .postgres(url: text)
        default:
            // The scheme only: what follows may hold a password.
            throw Self.unknown("its scheme \"\(text[..<colon].prefix(20))\" is not known")
        }
    }

    private static func unknown(_ reason: String) -> DatabaseError {
        DatabaseError(
            .configuration,
            "the database URL can't be used: \(reason)",
            hint: "give sqlite:PATH or postgres://USER@HOST/DATABASE"
        )
    }
}
