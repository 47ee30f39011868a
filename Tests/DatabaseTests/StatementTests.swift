import Database
import TestSupport
import Testing

/// What every driver must do alike with statements and values.
@Suite("Statements")
struct StatementTests {
    private static let migrations = [
        Migration(
            id: "test/0001",
            [
                """
                CREATE TABLE things (
                    id {int} PRIMARY KEY,
                    name {text},
                    ratio {real},
                    data {bytes},
                    parent {int} REFERENCES things (id),
                    size {int} NOT NULL DEFAULT 0 CHECK (size >= 0)
                ) {strict}
                """,
                "CREATE UNIQUE INDEX things_name ON things (name)",
            ]
        )
    ]

    @Test(
        "bind $2 before $1, repeat one, and leave those in literals and comments alone",
        arguments: DatabaseKind.allCases
    )
    func parameters(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("INSERT INTO things (name, id, size) VALUES ($2, $1, $1)", [7, "seven"])
            }
            let row = try await database.read(of: .everyTenant) { transaction in
                try transaction.firstRow(
                    """
                    SELECT id, name, size, '$1' AS literal -- $9
                    FROM things /* $8 */ WHERE name = $2 AND id = $1 AND size = $1
                    """,
                    [7, "seven"]
                )
            }
            #expect(row?.values == [7, "seven", 7, "$1"])
            #expect(row?.columnNames == ["id", "name", "size", "literal"])
        }
    }

    @Test("keep every value as it was", arguments: DatabaseKind.allCases)
    func values(kind: DatabaseKind) async throws {
        let integers: [Int64] = [0, 1, -1, .max, .min, 1 << 53 + 1]
        let reals = [
            0, 1.5, -0.1, .pi, 1e-300, .greatestFiniteMagnitude, .leastNonzeroMagnitude, .infinity, -.infinity,
        ]
        let texts = ["", " ", "it's", "\"quoted\"", "$1 ?1 :a", "a\\b\nc\td", "Grüße 世界 🜁 e\u{301}", "\u{1}\u{7f}"]
        let blobs: [[UInt8]] = [[], [0], [0, 0, 0], Array(0...255), Array("\\x00".utf8)]
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let count = max(integers.count, reals.count, texts.count, blobs.count)
            for position in 0..<count {
                let integer = integers[position % integers.count]
                let stored: [SQLValue] = [
                    SQLValue(position), .text("\(position)" + texts[position % texts.count]),
                    .real(reals[position % reals.count]), .bytes(blobs[position % blobs.count]),
                    .integer(integer == .min ? 0 : abs(integer)),
                ]
                let row = try await database.write(of: .everyTenant) { transaction in
                    try transaction.execute(
                        "INSERT INTO things (id, name, ratio, data, size) VALUES ($1, $2, $3, $4, $5)",
                        stored
                    )
                    return try transaction.firstRow(
                        "SELECT id, name, ratio, data, size FROM things WHERE id = $1",
                        [SQLValue(position)]
                    )
                }
                #expect(row?.values == stored)
                let sent = try await database.read(of: .everyTenant) { transaction in
                    try transaction.firstRow("SELECT CAST($1 AS {int}), $2".spelled(kind), [.integer(integer), .null])
                }
                #expect(sent?.values == [.integer(integer), .null])
            }
        }
    }

    @Test("take null where a value went before, and a value where null did", arguments: DatabaseKind.allCases)
    func nulls(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let rows: [[SQLValue]] = [
                [1, nil, nil, nil], [2, "two", 2.5, .bytes([2])], [3, nil, 3, nil], [4, "four", nil, .bytes([4])],
                [5, "five", 5, .bytes([])], [6, nil, 6.25, .bytes([6])],
            ]
            let read = try await database.write(of: .everyTenant) { transaction in
                for row in rows {
                    try transaction.execute("INSERT INTO things (id, name, ratio, data) VALUES ($1, $2, $3, $4)", row)
                }
                return try transaction.rows("SELECT id, name, ratio, data FROM things ORDER BY id").map(\.values)
            }
            for (row, stored) in zip(read, rows) {
                #expect(row[0] == stored[0] && row[1] == stored[1] && row[3] == stored[3])
                if case .integer(let value) = stored[2] {
                    #expect(row[2] == .real(Double(value)))
                } else {
                    #expect(row[2] == stored[2])
                }
            }
        }
    }

    @Test("refuse NaN and U+0000 in text, which one of the engines can't keep", arguments: DatabaseKind.allCases)
    func refusedValues(kind: DatabaseKind) async throws {
        try await withDatabase(kind) { database in
            for value in [SQLValue.real(.nan), .text("a\0b")] {
                await #expect(throws: DatabaseError(.invalidArgument, "")) {
                    try await database.read(of: .everyTenant) { transaction in
                        try transaction.rows("SELECT $1", [value])
                    }
                }
            }
        }
    }

    @Test("carry values of five megabytes", arguments: DatabaseKind.allCases)
    func bigValues(kind: DatabaseKind) async throws {
        var generator = SeededGenerator(seed: 5)
        let bytes = (0..<5_000_000 / 8).flatMap { _ in withUnsafeBytes(of: generator.next()) { Array($0) } }
        let text = String(repeating: "Grüße, 世界. ", count: 300_000)
        try await withDatabase(kind, migrations: Self.migrations) { database in
            // No index may hold it.
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("DROP INDEX things_name")
                try transaction.execute(
                    "INSERT INTO things (id, name, data) VALUES (1, $1, $2)",
                    [.text(text), .bytes(bytes)]
                )
            }
            let row = try await database.read(of: .everyTenant) { try $0.firstRow("SELECT name, data FROM things") }
            #expect(try row?.text(0) == text)
            #expect(try row?.bytes(1) == bytes)
        }
    }

    @Test("count the rows they change", arguments: DatabaseKind.allCases)
    func changes(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let counts = try await database.write(of: .everyTenant) { transaction in
                [
                    try transaction.execute("INSERT INTO things (id) VALUES (1), (2), (3)"),
                    try transaction.execute("UPDATE things SET size = 5 WHERE id > 1"),
                    try transaction.execute("INSERT INTO things (id) VALUES (1) ON CONFLICT (id) DO NOTHING"),
                    try transaction.execute(
                        "INSERT INTO things (id, size) VALUES (1, 9) ON CONFLICT (id) DO UPDATE SET size = excluded.size"
                    ),
                    try transaction.execute("SELECT id FROM things"),
                    try transaction.execute("CREATE TABLE others (id {int})".spelled(kind)),
                    try transaction.execute("INSERT INTO things (id) VALUES (8), (9) RETURNING id"),
                    try transaction.execute("DELETE FROM things"),
                    try transaction.execute("DELETE FROM things"),
                ]
            }
            #expect(counts == [3, 2, 0, 1, 0, 0, 2, 5, 0])
        }
    }

    @Test("run once for each list of arguments", arguments: DatabaseKind.allCases)
    func batches(kind: DatabaseKind) async throws {
        let insert = "INSERT INTO things (id, name, ratio, data) VALUES ($1, $2, $3, $4)"
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let lists = (0..<1_500).map { id -> [SQLValue] in
                let name: SQLValue = id % 3 == 0 ? .null : .text("name \(id)")
                let ratio: SQLValue = id % 2 == 0 ? SQLValue(id) : .real(0.5)
                let data: SQLValue = id % 5 == 0 ? .null : .bytes([UInt8(id % 256)])
                return [SQLValue(id), name, ratio, data]
            }
            let counts = try await database.write(of: .everyTenant) { transaction in
                [
                    try transaction.execute(insert, each: lists), try transaction.execute(insert, each: []),
                    try transaction.execute("UPDATE things SET size = 1 WHERE id < $1", each: [[10], [20], [0]]),
                ]
            }
            #expect(counts == [1_500, 0, 30])
            let rows = try await database.read(of: .everyTenant) {
                try $0.rows("SELECT id, name, ratio, data FROM things ORDER BY id")
            }
            #expect(rows.count == 1_500)
            for (row, list) in zip(rows, lists) {
                #expect(row[0] == list[0] && row[1] == list[1] && row[3] == list[3])
                let id = try row.integer(0)
                #expect(try row.real(2) == (id % 2 == 0 ? Double(id) : 0.5))
            }
            // One that fails in the middle leaves nothing, and within a savepoint only that.
            await #expect(throws: DatabaseError(.uniqueViolation, "")) {
                try await database.write(of: .everyTenant) { transaction in
                    try transaction.execute(
                        insert,
                        each: [[2_000, nil, nil, nil], [7, nil, nil, nil], [2_001, nil, nil, nil]]
                    )
                }
            }
            try await database.write(of: .everyTenant) { transaction in
                #expect(throws: DatabaseError(.uniqueViolation, "")) {
                    try transaction.savepoint {
                        try transaction.execute(insert, each: [[3_000, nil, nil, nil], [7, nil, nil, nil]])
                    }
                }
                try transaction.execute(insert, each: [[4_000, nil, nil, nil]])
            }
            let last = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT id FROM things WHERE id >= 1500").map { try $0.integer(0) }
            }
            #expect(last == [4_000])
        }
    }

    @Test("order text by its bytes", arguments: DatabaseKind.allCases)
    func order(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let names = ["b", "a", "B", "Ä", "_", "aa", "Z", "ä", "世"]
            let ordered = try await database.write(of: .everyTenant) { transaction in
                for (id, name) in names.enumerated() {
                    try transaction.execute(
                        "INSERT INTO things (id, name) VALUES ($1, $2)",
                        [SQLValue(id), .text(name)]
                    )
                }
                return try transaction.rows("SELECT name FROM things ORDER BY name").map { try $0.text(0) }
            }
            #expect(ordered == ["B", "Z", "_", "a", "aa", "b", "Ä", "ä", "世"])
        }
    }

    @Test("sum integers to an integer and average them to a real", arguments: DatabaseKind.allCases)
    func aggregates(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let row = try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("INSERT INTO things (id, size) VALUES (1, 1), (2, 2), (3, 4)")
                return try transaction.firstRow("SELECT COUNT(*), SUM(size), AVG(size * 1.0), MAX(size) FROM things")
            }
            #expect(try row?.integer(0) == 3)
            #expect(row?[1] == 7)
            #expect(abs(try row?.real(2) ?? 0) - 7.0 / 3 < 1e-12)
            #expect(try row?.integer(3) == 4)
        }
    }

    @Test("name the constraint that refuses a change", arguments: DatabaseKind.allCases)
    func constraints(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) {
                try $0.execute("INSERT INTO things (id, name) VALUES (1, 'one')")
            }
            let refused: [(String, DatabaseError.Code)] = [
                ("INSERT INTO things (id) VALUES (1)", .uniqueViolation),
                ("INSERT INTO things (id, name) VALUES (2, 'one')", .uniqueViolation),
                ("INSERT INTO things (id, parent) VALUES (2, 99)", .foreignKeyViolation),
                ("INSERT INTO things (id, size) VALUES (2, NULL)", .notNullViolation),
                ("INSERT INTO things (id, size) VALUES (2, -1)", .checkViolation),
                ("INSERT INTO things (id, size) VALUES (2, 'many')", .checkViolation),
                ("INSERT INTO nowhere (id) VALUES (2)", .syntax),
                ("INSERT INTO things (id VALUES (2)", .syntax),
            ]
            for (sql, code) in refused {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.write(of: .everyTenant) { try $0.execute(sql) }
                }
                #expect(error?.code == code, "\(sql)")
            }
            #expect(try await database.read(of: .everyTenant) { try $0.rows("SELECT id FROM things").count } == 1)
        }
    }

    @Test("INP-01: never show arguments in errors", arguments: DatabaseKind.allCases)
    func secrets(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            let secret = "correct horse battery"
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("INSERT INTO things (id, name) VALUES (1, $1)", [.text(secret)])
            }
            for sql in [
                "INSERT INTO things (id, name) VALUES (2, $1)",
                "INSERT INTO things (size, id, name) VALUES (-1, 5, $1)",
                "SELECT nowhere FROM things WHERE name = $1", "INSERT INTO things (id) VALUES ($1)",
            ] {
                let error = await #expect(throws: DatabaseError.self) {
                    try await database.write(of: .everyTenant) { try $0.execute(sql, [.text(secret)]) }
                }
                let shown = [error?.message, error?.hint, error?.detail, error.map { "\($0)" }].compactMap(\.self)
                #expect(!shown.contains { $0.contains("horse") }, "\(sql): \(shown)")
            }
        }
    }

    @Test(
        "INP-01: run one statement a call, with an argument for each parameter",
        arguments: DatabaseKind.allCases
    )
    func arity(kind: DatabaseKind) async throws {
        try await withDatabase(kind, migrations: Self.migrations) { database in
            for (sql, arguments) in [
                ("SELECT $1, $2", [SQLValue.integer(1)]), ("SELECT 1", [1]), ("SELECT $1 + 0", []),
                ("SELECT 1; SELECT 2", []), ("DELETE FROM things; DROP TABLE things", []),
            ] {
                await #expect(throws: DatabaseError(.syntax, ""), "\(sql)") {
                    try await database.write(of: .everyTenant) { try $0.execute(sql, arguments) }
                }
            }
            let ends = try await database.read(of: .everyTenant) { try $0.rows("SELECT 1 ; ").count }
            #expect(ends == 1)
        }
    }

    @Test("stay right when many different ones crowd the cache", arguments: DatabaseKind.allCases)
    func cache(kind: DatabaseKind) async throws {
        var options = DatabaseOptions()
        options.statementsMax = 4
        options.connectionsMax = 1
        try await withDatabase(kind, migrations: Self.migrations, options: options) { database in
            for round in 0..<3 {
                for number in 0..<10 {
                    let row = try await database.read(of: .everyTenant) { transaction in
                        try transaction.firstRow(
                            "SELECT CAST($1 AS {int}) + \(number)".spelled(kind),
                            [SQLValue(round)]
                        )
                    }
                    #expect(try row?.integer(0) == Int64(round + number))
                }
            }
        }
    }

    @Test("see a column that was added after they were prepared", arguments: DatabaseKind.allCases)
    func schemaChange(kind: DatabaseKind) async throws {
        var options = DatabaseOptions()
        options.connectionsMax = 2
        try await withDatabase(kind, migrations: Self.migrations, options: options) { database in
            try await database.write(of: .everyTenant) { try $0.execute("INSERT INTO things (id) VALUES (1)") }
            for _ in 0..<4 {
                #expect(
                    try await database.read(of: .everyTenant) { try $0.firstRow("SELECT * FROM things")?.count } == 6
                )
            }
            try await database.write(of: .everyTenant) {
                try $0.execute("ALTER TABLE things ADD COLUMN more {int}".spelled(kind))
            }
            for _ in 0..<4 {
                let row = try await database.read(of: .everyTenant) { try $0.firstRow("SELECT * FROM things") }
                #expect(row?.columnNames.last == "more")
                #expect(row?.count == 7)
            }
        }
    }

    @Test("find words by SQLite's full text index, also when triggers keep it")
    func fullText() async throws {
        try await withDatabase(.sqlite, migrations: Self.migrations) { database in
            try await database.write(of: .everyTenant) { transaction in
                try transaction.execute("CREATE VIRTUAL TABLE words USING fts5 (name, tokenize = 'porter unicode61')")
                try transaction.execute(
                    """
                    CREATE TRIGGER things_words AFTER INSERT ON things BEGIN
                        INSERT INTO words (rowid, name) VALUES (new.id, new.name);
                    END
                    """
                )
                try transaction.execute("INSERT INTO things (id, name) VALUES (1, 'a running fox'), (2, 'a hen')")
            }
            let rows = try await database.read(of: .everyTenant) { transaction in
                try transaction.rows(
                    """
                    SELECT rowid, bm25(words), snippet(words, 0, '<', '>', '', 8) FROM words
                    WHERE words MATCH $1 ORDER BY rank
                    """,
                    ["runs OR cats"]
                )
            }
            #expect(rows.count == 1)
            #expect(rows.first?[0] == 1)
            #expect(rows.first?[2] == "a <running> fox")
        }
    }
}

extension String {
    /// The statement with its type tokens as `kind` spells them.
    func spelled(_ kind: DatabaseKind) -> String {
        Migration(id: "", [self]).statements(for: kind.dialect)[0]
    }
}
