/// Finds the placeholders `$1…$n` of a statement, outside literals, quoted identifiers and comments.
enum Placeholders {
    /// `sql` with `$n` as `?n`, which SQLite numbers as PostgreSQL numbers `$n`.
    ///
    /// In SQLite `$2` is a *named* parameter, numbered by its first appearance: `$2, $1` bound by position would come
    /// out swapped. The statement cache keeps the outcome with the prepared statement, so that a text is rewritten
    /// once for each connection.
    static func rewritten(_ sql: String) -> String {
        guard sql.utf8.contains(UInt8(ascii: "$")) else { return sql }
        var output: [UInt8] = []
        output.reserveCapacity(sql.utf8.count)
        forEachToken(sql, .sqlite) { token, isPlaceholder in
            output.append(contentsOf: token)
            if isPlaceholder { output[output.count - token.count] = UInt8(ascii: "?") }
        }
        return String(decoding: output, as: UTF8.self)
    }

    /// How many arguments `sql` takes: the highest number of a placeholder.
    static func count(in sql: String, _ dialect: SQLDialect) -> Int {
        guard sql.utf8.contains(UInt8(ascii: "$")) else { return 0 }
        var highest = 0
        forEachToken(sql, dialect) { token, isPlaceholder in
            guard isPlaceholder else { return }
            highest = max(highest, Int(String(decoding: token.dropFirst(), as: UTF8.self)) ?? 0)
        }
        return highest
    }

    private static func forEachToken(_ sql: String, _ dialect: SQLDialect, _ body: (ArraySlice<UInt8>, Bool) -> Void) {
        let input = Array(sql.utf8)
        var position = 0
        while position < input.count {
            let end = tokenEnd(input, position, dialect)
            body(input[position..<end], input[position] == UInt8(ascii: "$") && end > position + 1)
            position = end
        }
    }

    /// Where the token that starts at `start` ends: a literal, a comment, a word, a placeholder, or one byte.
    private static func tokenEnd(_ input: [UInt8], _ start: Int, _ dialect: SQLDialect) -> Int {
        switch input[start] {
        case UInt8(ascii: "'"), UInt8(ascii: "\""), UInt8(ascii: "`"):
            return quotedEnd(input, start, closing: input[start])
        case UInt8(ascii: "[") where dialect == .sqlite:
            return quotedEnd(input, start, closing: UInt8(ascii: "]"))
        case UInt8(ascii: "-") where byte(input, start + 1) == UInt8(ascii: "-"):
            return input[start...].firstIndex(of: UInt8(ascii: "\n")) ?? input.count
        case UInt8(ascii: "/") where byte(input, start + 1) == UInt8(ascii: "*"):
            return commentEnd(input, start)
        case UInt8(ascii: "$"):
            var end = start + 1
            while let next = byte(input, end), isDigit(next) { end += 1 }
            // `$1a` is SQLite's own named parameter and no business of ours.
            if let next = byte(input, end), isWord(next) { return start + 1 }
            return end
        case let first where isWord(first):
            // A word may hold `$`; none of those is a placeholder.
            var end = start + 1
            while let next = byte(input, end), isWord(next) || next == UInt8(ascii: "$") { end += 1 }
            return end
        default:
            return start + 1
        }
    }

    /// The end of a quoted token; a doubled closing quote simply starts the next one.
    private static func quotedEnd(_ input: [UInt8], _ start: Int, closing: UInt8) -> Int {
        input[(start + 1)...].firstIndex(of: closing).map { $0 + 1 } ?? input.count
    }

    private static func commentEnd(_ input: [UInt8], _ start: Int) -> Int {
        var end = start + 2
        while end < input.count {
            if input[end] == UInt8(ascii: "*"), byte(input, end + 1) == UInt8(ascii: "/") { return end + 2 }
            end += 1
        }
        return input.count
    }

    private static func byte(_ input: [UInt8], _ position: Int) -> UInt8? {
        position < input.count ? input[position] : nil
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

    private static func isWord(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: "_") || byte >= 0x80
            || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
    }
}
