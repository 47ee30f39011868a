import Database

/// An INSERT with several rows a statement: texts for 64, 8 and 1 rows, made once, so that each
/// stays prepared.
struct BulkInsertion: Sendable {
    private let columnCount: Int
    private let statements: [(rows: Int, sql: String)]

    /// - Parameter conflicts: what is done about rows that are there already.
    init(into table: String, columns: [String], conflicts: String = "") {
        columnCount = columns.count
        statements = [64, 8, 1].map { count in
            let rows = (0..<count).map { row in
                "(\(RecordStore.parameters((row * columns.count + 1)..<((row + 1) * columns.count + 1))))"
            }
            return (
                count,
                "INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES \(rows.joined(separator: ", "))\(conflicts)"
            )
        }
    }

    /// - Parameter values: appends exactly one value a column.
    func execute<Element>(
        _ elements: [Element],
        in transaction: any Transaction,
        _ values: (Element, inout [SQLValue]) throws -> Void
    ) throws {
        var position = 0
        for (count, sql) in statements {
            while elements.count - position >= count {
                var arguments: [SQLValue] = []
                arguments.reserveCapacity(count * columnCount)
                for element in elements[position..<(position + count)] { try values(element, &arguments) }
                precondition(arguments.count == count * columnCount, "one value a column")
                try transaction.execute(sql, arguments)
                position += count
            }
        }
    }
}

/// A collection in groups of 1, 8, 64 or 512 whatever its length, the last group filled up by
/// repeating its last element: so an `IN` list has one of four texts, and its statement stays
/// prepared.
struct PaddedGroups<Element>: Sequence, IteratorProtocol {
    private let elements: [Element]
    private var position = 0

    init(_ elements: some Collection<Element>) { self.elements = Array(elements) }

    mutating func next() -> [Element]? {
        let rest = elements.count - position
        guard rest > 0 else { return nil }
        let size = rest == 1 ? 1 : rest <= 8 ? 8 : rest <= 64 ? 64 : 512
        var group = Array(elements[position..<Swift.min(position + size, elements.count)])
        position += group.count
        while group.count < size { group.append(group[group.count - 1]) }
        return group
    }
}

extension Sequence where Element: Hashable {
    /// Each element once, where it first appears.
    func distinct() -> [Element] {
        var seen: Set<Element> = []
        return filter { seen.insert($0).inserted }
    }
}
