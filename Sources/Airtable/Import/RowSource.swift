import Domain

/// One row of a file, before any type is known.
struct SourceRow {
    /// Line of the file on which the row starts, counted from 1.
    let line: Int
    /// By column, as the source names them; CSV cells are strings, empty ones absent.
    var values: [(column: Int, value: JSONValue)]
}

/// A file of rows, read one at a time.
protocol RowSource: AnyObject {
    /// The columns known so far, in order of first appearance. CSV knows all from its header.
    var columns: [String] { get }
    /// Bytes read so far, for progress.
    var consumedBytes: Int64 { get }
    /// The file's size.
    var totalBytes: Int64 { get }
    /// The next row, or nil at the end.
    ///
    /// - Throws: `malformedRow`; reading may go on behind it when `canResume`.
    func next() throws(ImportError) -> SourceRow?
    /// Whether the place of the next row is known after a malformed one.
    var canResume: Bool { get }
}

enum RowSources {
    /// Opens a file by the ending of its name: `.csv`, `.tsv`, `.jsonl` or `.ndjson`, `.json`.
    static func open(_ path: String) throws(ImportError) -> any RowSource {
        switch ending(of: path) {
        case "csv": return try CSVSource(path: path, delimiter: UInt8(ascii: ","))
        case "tsv": return try CSVSource(path: path, delimiter: UInt8(ascii: "\t"))
        case "jsonl", "ndjson": return try JSONLinesSource(path: path)
        case "json": return try JSONArraySource(path: path)
        default:
            throw ImportError(
                .unreadable,
                "\(path): the ending says neither CSV nor JSON",
                hint: "name it .csv, .tsv, .json, .jsonl or .ndjson"
            )
        }
    }

    static func canOpen(_ path: String) -> Bool {
        ["csv", "tsv", "jsonl", "ndjson", "json"].contains(ending(of: path))
    }

    private static func ending(of path: String) -> String {
        path.split(separator: "/").last?.split(separator: ".").last?.lowercased() ?? ""
    }
}
