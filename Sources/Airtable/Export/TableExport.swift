import Domain

/// How the records of one table are written to a file.
public struct TableExport: Sendable, Hashable {
    public enum Format: String, Sendable, Hashable, CaseIterable {
        /// RFC 4180: a line of names, a line a record.
        case csv
        /// A line `{"id","createdTime","fields"}` a record.
        case jsonl
    }

    public enum Cells: Sendable, Hashable {
        /// As the API gives them; in CSV, what is no scalar is the text of its JSON.
        case values
        /// As people read them, in a time zone and language.
        case texts(timeZone: String, locale: String)
    }

    public var format: Format
    public var cells: Cells
    /// Fields, filter, sort and `maxRecords`; pages mean nothing here.
    public var query: RecordQuery
    /// Whether fields are named by their identifiers.
    public var byFieldID: Bool
    /// In CSV: whether a text that a spreadsheet would run as a formula gets an apostrophe in front.
    public var guardsFormulas: Bool

    public init(
        format: Format,
        cells: Cells? = nil,
        query: RecordQuery = RecordQuery(),
        byFieldID: Bool = false,
        guardsFormulas: Bool = true
    ) {
        self.format = format
        self.cells = cells ?? (format == .csv ? .texts(timeZone: "utc", locale: "en-us") : .values)
        self.query = query
        self.byFieldID = byFieldID
        self.guardsFormulas = guardsFormulas
    }
}

/// What an export wrote.
public struct ExportSummary: Sendable, Hashable {
    public var tableCount: Int
    public var recordCount: Int
}
