import Domain

/// The links between the rows of an import, resolved from names before any record is written.
///
/// Both sides are known up front, so that each record is written once, with its links and their inverses.
/// Four bytes a link and four a row and side.
struct LinkGraph {
    /// Adjacency of one link column: where each row leads to, in file order.
    struct Side {
        /// `rowCount + 1` positions in `targets`.
        private var starts: [Int32]
        private var targets: [Int32]

        /// Counting sort by source row: the order within a row stays.
        fileprivate init(_ pairs: some Sequence<(from: Int32, to: Int32)>, rowCount: Int) {
            starts = [Int32](repeating: 0, count: rowCount + 1)
            var count = 0
            for pair in pairs {
                starts[Int(pair.from) + 1] += 1
                count += 1
            }
            for row in 0..<rowCount { starts[row + 1] += starts[row] }
            var next = starts
            targets = [Int32](repeating: 0, count: count)
            for pair in pairs {
                targets[Int(next[Int(pair.from)])] = pair.to
                next[Int(pair.from)] += 1
            }
        }

        subscript(row: Int) -> ArraySlice<Int32> { targets[Int(starts[row])..<Int(starts[row + 1])] }
    }

    /// A link column of a table, and the scanned table it leads to, if it leads to one.
    struct Link {
        let table: Int
        let column: Int
        let targetTable: Int?
        /// Rows of the target table; −1 − n is `existing[n]`.
        fileprivate(set) var forward: Side
        /// From rows of the target table back to rows of this one; nil when it leads to records that exist.
        fileprivate(set) var inverse: Side?
        /// Records that exist already.
        fileprivate(set) var existing: [RecordID]
    }

    private(set) var links: [Link] = []
    /// Names that no record bears, passed over by `skipsUnknown`; the first of them, for the report.
    private(set) var unknown: [ImportError] = []
    private(set) var unknownCount = 0

    /// - Parameter existing: identifiers of records that exist already, by primary value, by lower-cased table name.
    /// - Throws: `unknownLink` with file and line, unless `skipsUnknown`.
    init(
        _ scans: [TableScan],
        existing: [String: [String: RecordID]] = [:],
        skipsUnknown: Bool
    ) throws(ImportError) {
        for (table, scan) in scans.enumerated() {
            let pairsByColumn = Dictionary(grouping: scan.links) { Int($0.column) }
            for (position, column) in scan.columns.enumerated() where column.type == .multipleRecordLinks {
                let name = column.linkedTable?.lowercased() ?? ""
                let target = scans.firstIndex { $0.plan.name.lowercased() == name }
                guard target != nil || existing[name] != nil else {
                    throw .malformedPlan(scan.plan.file, "\"\(column.name)\" links to a table that is not imported")
                }
                var pairs: [(from: Int32, to: Int32)] = []
                var found: [RecordID] = []
                func add(_ primaryValue: String, _ text: TableScan.LinkText) -> Bool {
                    if let target, let row = scans[target].rowsByPrimaryValue[primaryValue] {
                        pairs.append((text.row, row))
                    } else if let id = existing[name]?[primaryValue] {
                        found.append(id)
                        pairs.append((text.row, -Int32(found.count)))
                    } else {
                        return false
                    }
                    return true
                }
                for text in pairsByColumn[position] ?? [] where !add(text.name, text) {
                    // "Smith, John" may be one name or two.
                    let parts = text.mayBeList ? CellText.list(text.name).distinct() : [text.name]
                    for part in parts where !text.mayBeList || !add(part, text) {
                        try noteUnknown(part, text, column: column, scan: scan, skips: skipsUnknown)
                    }
                }
                let backward = pairs.lazy.filter { $0.to >= 0 }.map { (from: $0.to, to: $0.from) }
                links.append(
                    Link(
                        table: table,
                        column: position,
                        targetTable: target,
                        forward: Side(pairs, rowCount: scan.rowCount),
                        inverse: target.map { Side(backward, rowCount: scans[$0].rowCount) },
                        existing: found
                    )
                )
            }
        }
    }

    private mutating func noteUnknown(
        _ name: String,
        _ text: TableScan.LinkText,
        column: ImportColumn,
        scan: TableScan,
        skips: Bool
    ) throws(ImportError) {
        let error = ImportError(
            .unknownLink,
            "\(scan.plan.file), line \(text.line), column \"\(column.name)\": no record of "
                + "\"\(column.linkedTable ?? "")\" has the primary value \"\(name.cut(to: 80))\"",
            hint: "mend the name, or leave such links out (--skip-bad-rows, ?skipBadRows=true)",
            line: Int(text.line)
        )
        guard skips else { throw error }
        unknownCount += 1
        if unknown.count < TableScan.reportedErrorsMax { unknown.append(error) }
    }
}
