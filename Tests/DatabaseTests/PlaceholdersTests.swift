import Testing

@testable import Database

@Suite("Placeholders")
struct PlaceholdersTests {
    @Test(
        "are turned into numbered ones and the rest stays as it is",
        arguments: [
            ("SELECT $1", "SELECT ?1"),
            ("SELECT $2, $1, $2", "SELECT ?2, ?1, ?2"),
            ("VALUES($1,$12)", "VALUES(?1,?12)"),
            ("SELECT 1", "SELECT 1"),
            ("", ""),
            ("SELECT '$1', $1", "SELECT '$1', ?1"),
            ("SELECT 'it''s $1', $1", "SELECT 'it''s $1', ?1"),
            ("SELECT \"$1\", `$1`, [$1], $1", "SELECT \"$1\", `$1`, [$1], ?1"),
            ("SELECT \"a\"\"$1\", $1", "SELECT \"a\"\"$1\", ?1"),
            ("SELECT $1 -- not $2\n, $3", "SELECT ?1 -- not $2\n, ?3"),
            ("SELECT $1 -- to the end $2", "SELECT ?1 -- to the end $2"),
            ("SELECT $1 /* not $2 '*/ , $3", "SELECT ?1 /* not $2 '*/ , ?3"),
            ("SELECT $1 /* open $2", "SELECT ?1 /* open $2"),
            ("SELECT 'open $1", "SELECT 'open $1"),
            ("SELECT a$1, b_$2, ü$3", "SELECT a$1, b_$2, ü$3"),
            ("SELECT $1a, $b, $, $1", "SELECT $1a, $b, $, ?1"),
            ("SELECT 3-$1, 3/$2, 3*$3", "SELECT 3-?1, 3/?2, 3*?3"),
            ("SELECT '世$1界', $1", "SELECT '世$1界', ?1"),
            ("SELECT x'00', X'ff', $1", "SELECT x'00', X'ff', ?1"),
        ]
    )
    func rewrites(sql: String, expected: String) {
        #expect(Placeholders.rewritten(sql) == expected)
    }

    @Test("are counted by the highest number")
    func counts() {
        #expect(Placeholders.count(in: "SELECT 1", .postgres) == 0)
        #expect(Placeholders.count(in: "SELECT $2, $11, '$12' -- $13", .sqlite) == 11)
        #expect(Placeholders.count(in: "SELECT a[$1]", .postgres) == 1)
        #expect(Placeholders.count(in: "SELECT [$1]", .sqlite) == 0)
    }
}
