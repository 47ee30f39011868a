import Domain

/// Comma-separated values (RFC 4180), with the line endings and the byte order mark that occur in the wild.
///
/// The first row names the columns. A quoted cell may hold line breaks; the row's line is where it starts.
/// Blank lines are skipped. A row with more or fewer cells than the header is malformed.
final class CSVSource: RowSource {
    private(set) var columns: [String] = []
    private let path: String
    private let delimiter: UInt8
    private var bytes: ByteSource
    private var line = 1
    private var cell: [UInt8] = []

    var consumedBytes: Int64 { bytes.consumed }
    var totalBytes: Int64 { bytes.byteCount }
    /// Behind an unclosed quote nobody knows where rows begin; behind a wrong count one does.
    private(set) var canResume = true

    init(path: String, delimiter: UInt8) throws(ImportError) {
        self.path = path
        self.delimiter = delimiter
        bytes = try ByteSource(path: path)
        try bytes.checkEncoding()
        guard let header = try readRow() else {
            throw ImportError(.nothingToImport, "\(path) is empty: expected a first row that names the columns")
        }
        columns = try Self.checkedHeader(header.cells, path: path, line: header.line)
    }

    func next() throws(ImportError) -> SourceRow? {
        guard let row = try readRow() else { return nil }
        guard row.cells.count == columns.count else {
            let found = "expected \(columns.count) cells, found \(row.cells.count)"
            throw .malformedRow(path, line: row.line, found)
        }
        var values: [(column: Int, value: JSONValue)] = []
        values.reserveCapacity(row.cells.count)
        for (column, text) in row.cells.enumerated() where !text.isEmpty { values.append((column, .string(text))) }
        return SourceRow(line: row.line, values: values)
    }

    private static func checkedHeader(_ cells: [String], path: String, line: Int) throws(ImportError) -> [String] {
        var seen: Set<String> = []
        let names = cells.map { $0.trimmingSpace() }
        for (position, name) in names.enumerated() {
            guard !name.isEmpty else { throw .malformedFile(path, line: line, "column \(position + 1) has no name") }
            guard seen.insert(name.lowercased()).inserted else {
                throw .malformedFile(path, line: line, "two columns are named \"\(name)\"")
            }
        }
        return names
    }

    /// The next row that is not blank.
    private func readRow() throws(ImportError) -> (line: Int, cells: [String])? {
        while let first = try bytes.peek() {
            if first == UInt8(ascii: "\n") || first == UInt8(ascii: "\r") {
                try takeLineEnd()
                continue
            }
            let start = line
            var cells: [String] = []
            cells.reserveCapacity(max(8, columns.count))
            repeat {
                try readCell(rowStart: start)
                guard let text = String(validating: cell, as: UTF8.self), !cell.contains(0) else {
                    let problem = cell.contains(0) ? "holds a NUL byte" : "is not valid UTF-8 text"
                    try skipRow()
                    throw .malformedRow(path, line: start, "cell \(cells.count + 1) \(problem)")
                }
                cells.append(text)
            } while try takeDelimiter()
            try takeLineEnd()
            return (start, cells)
        }
        return nil
    }

    /// Reads one cell into `cell`, and stops before the delimiter or line end behind it.
    private func readCell(rowStart: Int) throws(ImportError) {
        cell.removeAll(keepingCapacity: true)
        guard try bytes.peek() == UInt8(ascii: "\"") else {
            let delimiter = delimiter
            try bytes.take(into: &cell) { $0 == delimiter || $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
            return try checkCell(rowStart)
        }
        _ = try bytes.next()
        while true {
            let start = cell.count
            try bytes.take(into: &cell) { $0 == UInt8(ascii: "\"") }
            for byte in cell[start...] where byte == UInt8(ascii: "\n") { line += 1 }
            try checkCell(rowStart)
            guard try bytes.next() != nil else {
                canResume = false
                throw .malformedFile(path, line: rowStart, "a quoted cell is never closed")
            }
            guard try bytes.peek() == UInt8(ascii: "\"") else { break }
            _ = try bytes.next()
            cell.append(UInt8(ascii: "\""))
        }
        switch try bytes.peek() {
        case nil, delimiter, UInt8(ascii: "\n"), UInt8(ascii: "\r"): return
        default:
            try skipRow()
            throw .malformedRow(
                path,
                line: rowStart,
                "text follows a closing quote (write \"\" for a quote inside a cell)"
            )
        }
    }

    private func checkCell(_ rowStart: Int) throws(ImportError) {
        guard cell.count > Limits.jsonBytes else { return }
        canResume = false
        throw .malformedFile(
            path,
            line: rowStart,
            "a cell is longer than \(Limits.jsonBytes) bytes; is a closing quote missing?"
        )
    }

    private func takeDelimiter() throws(ImportError) -> Bool {
        guard try bytes.peek() == delimiter else { return false }
        _ = try bytes.next()
        return true
    }

    private func takeLineEnd() throws(ImportError) {
        guard let byte = try bytes.next() else { return }
        if byte == UInt8(ascii: "\r"), try bytes.peek() == UInt8(ascii: "\n") { _ = try bytes.next() }
        line += 1
    }

    private func skipRow() throws(ImportError) {
        while let byte = try bytes.peek(), byte != UInt8(ascii: "\n"), byte != UInt8(ascii: "\r") {
            cell.removeAll(keepingCapacity: true)
            try bytes.take(into: &cell) { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
        }
        try takeLineEnd()
    }
}
