/// How a transaction begins: with BEGIN, and with whose rows it is about and whom it acts as, until it ends.
struct PostgresOpening {
    let begin: String
    let scope: RowScope
    /// Nil for the URL's own user.
    let role: String?

    /// BEGIN and `sql`.
    static let statementCount = 2

    var sql: String {
        role == nil ? "SELECT set_config('\(RowSecurity.setting)', $1, true)" : Self.withRole
    }

    var arguments: [SQLValue] { [.text(scope.setting)] + (role.map { [.text($0)] } ?? []) }

    private static let withRole =
        "SELECT set_config('\(RowSecurity.setting)', $1, true), set_config('role', $2, true)"
}
