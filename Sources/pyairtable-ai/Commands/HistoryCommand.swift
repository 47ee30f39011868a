import Access
import Airtable
import App
import ArgumentParser
import Domain
import Gateway

/// `history`: what changed in a base, a table or a record, when and by whom.
struct HistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Show what changed in a base, newest first.",
        discussion: "As far back as the change log is kept. `undo` takes a transaction back."
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "The base (name or id).")
    var base: String

    @Option(help: "Only this table (name or id).")
    var table: String?

    @Option(help: "Only this record of the table, rec….")
    var record: String?

    @Option(help: "Only what is older than this entry's number.")
    var before: Int64?

    @Option(help: "Entries at most.")
    var limit = 20

    @Flag(help: "Print one JSON object, as the API gives it.")
    var json = false

    func validate() throws {
        guard (1...Limits.changePageEntries).contains(limit) else {
            throw ValidationError("--limit must be from 1 to \(Limits.changePageEntries)")
        }
        if let record {
            guard RecordID(record) != nil else {
                throw ValidationError("\"\(record)\" is no record; they look like rec….")
            }
            guard table != nil else { throw ValidationError("--record needs --table") }
        }
    }

    func run() async throws {
        try await withServices(shared, makesData: false, isQuiet: true) { services, context in
            let base = try await services.airtable.base(base, context: context)
            let page = try await page(of: base.id, services.airtable, context)
            let tables = try await services.airtable.tables(in: base.id, context: context)
            let people = try await services.access.users(context: context)
            if json {
                let collaborators = people.map { Collaborator(id: $0.id, email: $0.email, name: $0.name) }
                let names = HistoryNames(people: collaborators, tables: tables)
                var members: JSONObject = ["entries": .array(page.entries.map(names.json))]
                members["next"] = page.next.map { .number(JSONNumber(Int($0))) }
                Console.writeLine(.object(members))
                return
            }
            for entry in page.entries {
                let who = people.first { $0.id == entry.actor }?.name ?? entry.actor.description
                Console.writeText(HistoryLine(entry, tables.first { $0.id == entry.table }, who).text + "\n")
            }
            if page.entries.isEmpty { Console.writeError("nothing is known to have changed here\n") }
            if let next = page.next { Console.writeError("older ones: --before \(next)\n") }
        }
    }

    private func page(
        of base: BaseID,
        _ airtable: AirtableService,
        _ context: RequestContext
    ) async throws -> HistoryPage {
        guard let name = table else {
            return try await airtable.history(in: base, before: before, limit: limit, context: context)
        }
        let table = try await airtable.table(name, in: base, context: context).id
        guard let record = record.flatMap({ RecordID($0) }) else {
            return try await airtable.history(in: base, table: table, before: before, limit: limit, context: context)
        }
        return try await airtable.history(of: record, in: table, before: before, limit: limit, context: context)
    }
}

/// One entry for people: `12  2026-01-01T10:00:00.000Z  owner  updated recHelium00000001 of Elements  State: Gas → Solid`.
private struct HistoryLine {
    let text: String

    init(_ entry: HistoryEntry, _ table: Table?, _ who: String) {
        let place = table?.name ?? entry.table.description
        let what = entry.record.map { "\(entry.kind.rawValue) \($0) of \(place)" } ?? "\(entry.kind.rawValue) \(place)"
        let cells = entry.cells.compactMap { cell -> String? in
            guard let field = table?.field(id: cell.field) else { return nil }
            return "\(field.name): \(Self.text(cell.before, field)) → \(Self.text(cell.after, field))"
        }
        let why = entry.isDerived ? " as it follows" : ""
        let head = "\(entry.transaction)  \(entry.time.iso8601)  \(who)  \(what)\(why)"
        text = cells.isEmpty ? head : head + "  " + cells.joined(separator: "; ")
    }

    /// On one line, so that no cell can look like an entry. Linked records by their identifiers: their names may be
    /// others by now.
    private static func text(_ cell: CellValue?, _ field: Field) -> String {
        guard let cell else { return "nothing" }
        let text = CellCodec.displayText(of: cell, field: field) { $0.description }
            .split(whereSeparator: \.isNewline).joined(separator: " ")
        return text.cut(toScalars: 60).map { $0 + "…" } ?? text
    }
}

/// `undo NUMBER`: takes a transaction back.
struct UndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Take back what one transaction did to records, or say what stands against it."
    )

    @OptionGroup var shared: SharedOptions

    @Argument(help: "The transaction's number, which `history` shows first.")
    var transaction: Int64

    @Flag(help: "Print one JSON object.")
    var json = false

    func run() async throws {
        try await withServices(shared, makesData: false, isQuiet: true) { services, context in
            switch try await services.airtable.undo(transaction: transaction, context: context) {
            case .undone(let number, let records):
                if json {
                    Console.writeLine([
                        "transaction": number.map { .number(JSONNumber(Int($0))) } ?? .null,
                        "records": .number(JSONNumber(records)),
                    ])
                } else if let number {
                    Console.write("undone: \(records) records, as transaction \(number)\n")
                } else {
                    Console.write("nothing of it was left to undo\n")
                }
            case .refused(let obstacles):
                if !json {
                    for obstacle in obstacles {
                        let place = obstacle.record?.description ?? obstacle.table.description
                        let since = obstacle.since.map { ", by transaction \($0.transaction)" } ?? ""
                        Console.writeError("\(place): \(obstacle.reason.rawValue)\(since)\n")
                    }
                }
                throw UndoRefusal(obstacles)
            }
        }
    }
}
