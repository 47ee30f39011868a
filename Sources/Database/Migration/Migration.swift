/// One step of a schema, applied once and never edited afterwards.
///
/// Statements are portable where they can be, with type tokens that each engine spells its own way:
///
/// | token | SQLite | PostgreSQL |
/// |---|---|---|
/// | `{int}` | `INTEGER` | `BIGINT` |
/// | `{real}` | `REAL` | `DOUBLE PRECISION` |
/// | `{text}` | `TEXT` | `TEXT COLLATE "C"` (byte order, as in SQLite) |
/// | `{bytes}` | `BLOB` | `BYTEA` |
/// | `{strict}` after a table's closing parenthesis | `STRICT` | nothing |
public struct Migration: Sendable, Hashable {
    /// Unique among all migrations: the module, a slash, a number and a word, such as `access/0001-identity`.
    public let id: String
    private let sqlite: [String]
    private let postgres: [String]

    /// The same statements for both engines, one statement a string.
    public init(id: String, _ statements: [String]) {
        self.init(id: id, sqlite: statements, postgres: statements)
    }

    /// For steps where the engines really differ.
    public init(id: String, sqlite: [String], postgres: [String]) {
        self.id = id
        self.sqlite = sqlite
        self.postgres = postgres
    }

    /// The statements as `dialect` spells them.
    public func statements(for dialect: SQLDialect) -> [String] {
        let statements = dialect == .sqlite ? sqlite : postgres
        return statements.map { statement in
            Self.tokens.reduce(statement) { text, token in
                replace(token.name, in: text, by: dialect == .sqlite ? token.sqlite : token.postgres)
            }
        }
    }

    /// Notices edits: FNV-1a (64 bits) of the statements of `dialect`, runs of white space taken as one space.
    func checksum(for dialect: SQLDialect) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        for statement in statements(for: dialect) {
            var pendsSpace = false
            var isFirst = true
            for byte in statement.utf8 {
                if byte == 0x20 || (byte >= 0x09 && byte <= 0x0d) {
                    pendsSpace = !isFirst
                    continue
                }
                if pendsSpace { add(0x20) }
                pendsSpace = false
                isFirst = false
                add(byte)
            }
            add(0)
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    private static let tokens: [(name: String, sqlite: String, postgres: String)] = [
        ("{int}", "INTEGER", "BIGINT"),
        ("{real}", "REAL", "DOUBLE PRECISION"),
        ("{text}", "TEXT", "TEXT COLLATE \"C\""),
        ("{bytes}", "BLOB", "BYTEA"),
        ("{strict}", "STRICT", ""),
    ]

    private func replace(_ token: String, in text: String, by replacement: String) -> String {
        text.split(separator: token, omittingEmptySubsequences: false).joined(separator: replacement)
    }
}
