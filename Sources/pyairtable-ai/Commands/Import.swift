import Airtable
import App
import ArgumentParser
import Domain

/// `import PATH`: files as a base.
struct Import: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Import CSV, JSON or JSON Lines: a file, or a directory of them with an optional base.json.",
        discussion: """
            Types are inferred unless base.json declares them; --dry-run shows what would be made. Everything is read
            and checked before the first record is written: a broken file leaves nothing, and its line is named.
            """
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "A .csv, .tsv, .json, .jsonl or .ndjson file, or a directory.", completion: .file())
    var path: String

    @Option(help: "The base's name (default: what base.json or the file's name says).")
    var base: String?

    @Flag(help: "Put the imported tables in place of all that a base of this name has.")
    var replace = false

    @Flag(help: "Add to a base of this name: rows to its tables, and the tables it lacks.")
    var append = false

    @Flag(help: "Do nothing when there is a base of this name.")
    var ifAbsent = false

    @Flag(help: "Leave out rows that can't be read and links that lead nowhere, and report them.")
    var skipBadRows = false

    @Flag(help: "Show the tables, types and row counts, and write nothing.")
    var dryRun = false

    @Flag(help: "Say nothing when there was nothing to do.")
    var quiet = false

    @Flag(help: "Print one JSON object.")
    var json = false

    func validate() throws {
        if [replace, append, ifAbsent].filter({ $0 }).count > 1 {
            throw ValidationError("--replace, --append and --if-absent exclude each other")
        }
    }

    func run() async throws {
        let mode: ImportMode = replace ? .replace : append ? .append : ifAbsent ? .ifAbsent : .create
        let options = ImportOptions(mode: mode, skipsBadRows: skipBadRows, isDryRun: dryRun, baseName: base)
        let bar = ProgressBar()
        try await withServices(shared) { services, context in
            defer { bar.finish() }
            let importer = Importer(service: services.airtable, context: context) { progress in
                let verb = progress.phase == .reading ? "reading" : "writing"
                let unit = progress.phase == .reading ? " bytes" : " rows"
                bar.show("\(verb) \(progress.table)", done: progress.done, total: progress.total, unit: unit)
            }
            let report = try await importer.run(path, options: options)
            bar.finish()
            show(report)
        }
    }

    private func show(_ report: ImportReport) {
        if json {
            Console.writeLine(report.json)
            return
        }
        switch report.outcome {
        case .alreadyThere:
            if !quiet { Console.write("base \"\(report.baseName)\" is there already; nothing was done\n") }
            return
        case .dryRun: Console.write("base \"\(report.baseName)\" would be made of:\n")
        case .imported: Console.write("imported base \"\(report.baseName)\"\n")
        }
        for table in report.tables {
            let skipped = table.skippedCount > 0 ? ", \(table.skippedCount) left out" : ""
            Console.write("  \(table.name): \(table.rowCount) records\(skipped)\n")
            guard dryRun else { continue }
            for column in table.columns {
                let target = column.linkedTable.map { " to \"\($0)\"" } ?? ""
                let mark = column.isPrimary ? " (primary)" : ""
                Console.write("    \(column.name): \(column.type.rawValue)\(target)\(mark)\n")
            }
        }
        if let transaction = report.transaction { Console.write("  `undo \(transaction)` takes it back\n") }
        for error in report.skipped { Console.writeError("left out: \(error.message)\n") }
        if report.skippedLinkCount > 0 { Console.writeError("\(report.skippedLinkCount) links lead nowhere\n") }
    }
}
