import Domain

/// One line of CSV (RFC 4180) under way: cells between commas, quoted where they must be, CRLF at the end.
struct CSVLine {
    private(set) var bytes: [UInt8] = []
    private var count = 0
    private var start = 0
    private let guardsFormulas: Bool

    init(guardsFormulas: Bool) { self.guardsFormulas = guardsFormulas }

    /// - Parameter isText: whether it may be anything, so that a spreadsheet could take it for a formula. Numbers and
    ///   dates of ours are not, so that −5 stays −5.
    mutating func add(_ cell: String, isText: Bool) {
        if count > 0 { bytes.append(UInt8(ascii: ",")) }
        count += 1
        let isGuarded = guardsFormulas && isText && Self.looksLikeFormula(cell)
        guard Self.needsQuotes(cell) else {
            if isGuarded { bytes.append(UInt8(ascii: "'")) }
            bytes.append(contentsOf: cell.utf8)
            return
        }
        bytes.append(UInt8(ascii: "\""))
        if isGuarded { bytes.append(UInt8(ascii: "'")) }
        for byte in cell.utf8 {
            if byte == UInt8(ascii: "\"") { bytes.append(byte) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    mutating func end() {
        // A line with nothing on it would be no line to most readers.
        if count == 1, bytes.count == start { bytes.append(contentsOf: "\"\"".utf8) }
        bytes.append(contentsOf: "\r\n".utf8)
        (count, start) = (0, bytes.count)
    }

    mutating func drain() -> [UInt8] {
        defer {
            bytes.removeAll(keepingCapacity: true)
            start = 0
        }
        return bytes
    }

    /// What OWASP names: a cell that begins with one of these is a formula to Excel, LibreOffice or Google Sheets.
    private static func looksLikeFormula(_ cell: String) -> Bool {
        guard let first = cell.utf8.first else { return false }
        return "=+-@\t\r".utf8.contains(first)
    }

    private static func needsQuotes(_ cell: String) -> Bool {
        guard let first = cell.utf8.first, let last = cell.utf8.last else { return false }
        // Some readers drop space around a cell that is not quoted.
        if first == 0x20 || last == 0x20 { return true }
        return cell.utf8.contains { $0 == 0x2C || $0 == 0x22 || $0 == 0x0A || $0 == 0x0D }
    }
}
