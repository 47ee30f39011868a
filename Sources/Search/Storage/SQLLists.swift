import Database

/// Lists in SQL: `IN (…)` and rows of `VALUES`, in few different statements, so that each is prepared once.
enum SQLLists {
    /// Cuts `values` into runs of at most `count`.
    static func runs<Element>(of values: [Element], count: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: values.count, by: count).map { values[$0..<min($0 + count, values.count)] }
    }

    /// `values` filled up with its last one to the next power of two, as arguments of an `IN` list.
    static func padded(_ values: some Collection<SQLValue>) -> [SQLValue] {
        var list = Array(values)
        guard let last = list.last else { return [] }
        var count = 1
        while count < list.count { count *= 2 }
        list.append(contentsOf: repeatElement(last, count: count - list.count))
        return list
    }

    /// `$first, $first+1, …`.
    static func placeholders(_ count: Int, from first: Int = 1) -> String {
        (first..<(first + count)).map { "$\($0)" }.joined(separator: ", ")
    }

    /// Runs `INSERT INTO … VALUES (…), (…) …` in statements of 64 rows, then of one.
    static func insert(
        _ rows: [[SQLValue]],
        prefix: String,
        suffix: String = "",
        in transaction: any Transaction
    ) throws {
        guard let width = rows.first?.count else { return }
        var position = 0
        while position < rows.count {
            let count = rows.count - position >= 64 ? 64 : rows.count - position >= 8 ? 8 : 1
            let values = (0..<count).map { "(\(placeholders(width, from: $0 * width + 1)))" }.joined(separator: ", ")
            try transaction.execute(
                "\(prefix) VALUES \(values) \(suffix)",
                rows[position..<(position + count)].flatMap { $0 }
            )
            position += count
        }
    }
}
