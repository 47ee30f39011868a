import Airtable
import App
import ArgumentParser
import Domain

/// `export BASE`: a base or one of its tables as a file.
struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write a base, or one table of it, to a file.",
        discussion: """
            Without --table the whole base is written as JSON Lines, which `import` makes a base of again, its records with
            their identifiers. With --table its records are written as CSV or JSON Lines. Either is one snapshot.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "The base (name or id).")
    var base: String

    @Option(help: "Only this table (name or id).")
    var table: String?

    @Option(help: "The file to write (default: standard output).", completion: .file())
    var output: String?

    @Option(help: "A table's format: csv or jsonl.", transform: ExportCommand.format)
    var format: TableExport.Format?

    @Option(help: "A table's cells: values, as the API has them, or texts, as people read them (default of CSV).")
    var cells: CellStyle?

    @Option(help: "Only this field (name or id); may be repeated.")
    var field: [String] = []

    @Option(help: "Only records for which this formula is true.")
    var filter: String?

    @Option(help: "Sort by this field, NAME or NAME:desc; may be repeated.")
    var sort: [String] = []

    @Option(help: "Only the records of this view, in its order (name or id).")
    var view: String?

    @Option(help: "Records at most.")
    var maxRecords: Int?

    @Option(help: "The IANA name of a time zone for dates; without, UTC.")
    var timeZone: String?

    @Option(help: "The language of dates in texts, such as de or en-gb; without, en-us.")
    var locale: String?

    @Flag(help: "Name fields by their identifiers.")
    var fieldIds = false

    @Flag(help: "Write texts that a spreadsheet would run as formulas as they are, without an apostrophe in front.")
    var keepFormulas = false

    private static func format(_ text: String) throws -> TableExport.Format {
        if let format = TableExport.Format(rawValue: text) { return format }
        throw ValidationError("--format is csv or jsonl")
    }

    enum CellStyle: String, ExpressibleByArgument, CaseIterable { case values, texts }

    func validate() throws {
        let isOfTable =
            format != nil || cells != nil || !field.isEmpty || filter != nil || !sort.isEmpty || view != nil
            || maxRecords != nil
            || timeZone != nil || locale != nil || fieldIds || keepFormulas
        if table == nil, isOfTable { throw ValidationError("this goes with --table: a base is written whole") }
    }

    func run() async throws {
        try await withServices(shared, makesData: false, isQuiet: true) { services, context in
            let base = try await services.airtable.base(base, context: context)
            let spool = SpoolDirectory(services.configuration.dataDirectory + "/spool")
            spool.clear()
            let file = try spool.makeFile(byteLimit: .max)
            let summary: ExportSummary
            if let table {
                let table = try await services.airtable.table(table, in: base.id, context: context)
                summary = try await services.airtable.export(tableExport, of: table.id, to: file, context: context)
            } else {
                summary = try await services.airtable.export(base: base.id, to: file, context: context)
            }
            try copy(file)
            if output != nil {
                Console.writeError("wrote \(summary.recordCount) records of \(summary.tableCount) tables\n")
            }
        }
    }

    private var tableExport: TableExport {
        let format = format ?? .csv
        let zone = timeZone ?? "utc"
        let style = cells ?? (format == .csv ? .texts : .values)
        var query = RecordQuery()
        query.fields = field.isEmpty ? nil : field
        query.filter = filter
        query.view = view
        query.maxRecords = maxRecords
        query.timeZone = timeZone
        query.locale = locale
        query.sort = sort.map { key in
            let isDescending = key.hasSuffix(":desc")
            return RecordQuery.SortKey(field: isDescending ? String(key.dropLast(5)) : key, isDescending: isDescending)
        }
        return TableExport(
            format: format,
            cells: style == .texts ? .texts(timeZone: zone, locale: locale ?? "en-us") : .values,
            query: query,
            byFieldID: fieldIds,
            guardsFormulas: !keepFormulas
        )
    }

    private func copy(_ file: SpooledFile) throws {
        var target = try OutputFile(path: output)
        var offset: Int64 = 0
        while offset < file.byteCount {
            let bytes = try file.read(at: offset, count: 1 << 18)
            if bytes.isEmpty { break }
            try target.write(bytes)
            offset += Int64(bytes.count)
        }
        try target.finish()
    }
}
