import Domain

/// Gathers the places of records with their sort keys, and puts them in order.
struct SortedPositions {
    private let isDescending: [Bool]
    private var positions: [Int64] = []
    /// One column for each sort field.
    private var columns: [[CellSortKey]]
    private var byteCount = 0

    init(_ isDescending: [Bool]) {
        self.isDescending = isDescending
        columns = Array(repeating: [], count: isDescending.count)
    }

    /// Adds a record; records come in the order they were made.
    ///
    /// - Throws: `.tooLarge` when the keys take more than a sort may.
    mutating func add(_ position: Int64, _ keys: [CellSortKey]) throws(AirtableError) {
        positions.append(position)
        for (column, key) in keys.enumerated() {
            byteCount += key.byteCount
            columns[column].append(key)
        }
        guard byteCount <= Limits.sortKeyBytes else {
            throw AirtableError(
                .tooLarge,
                "Sorting this many records takes too much memory.",
                hint: "filter the records, or sort by a field of numbers, dates or choices"
            )
        }
    }

    /// The places in order.
    ///
    /// - Complexity: O(n log n) comparisons.
    func sorted() -> [Int64] {
        var order = Array(positions.indices)
        order.sort { left, right in
            for (column, isDescending) in isDescending.enumerated() {
                let (leftKey, rightKey) = (columns[column][left], columns[column][right])
                if leftKey < rightKey { return !isDescending }
                if rightKey < leftKey { return isDescending }
            }
            return left < right
        }
        return order.map { positions[$0] }
    }
}
