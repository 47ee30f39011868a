import Airtable
import Domain

struct ListChangesTool: ReadingTool {
    static let cellCharacters = 200

    let airtable: AirtableService

    let name = "list_changes"
    let title = "List changes"
    let description = """
        Tells what changed in a base, a table or a record, when and by whom, newest first. The since of an answer, given as \
        cursor later, tells what has happened from then on, oldest first.
        """
    let permission = Permission.recordsRead
    let toolset = Toolset.history

    struct Arguments: WireType {
        var base: String
        var table: String?
        var recordId: String?
        var limit: Int?
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .baseArgument, "table": .tableArgument,
                    "recordId": .recordArgument.described("Id of a record of the table."),
                    "limit": .limitArgument("Changes", default: Limits.toolEntries, max: Limits.pageRecords),
                    "cursor": .cursorArgument,
                ],
                required: ["base"]
            )
        }
    }

    struct Answer: WireType {
        struct Entry: WireType {
            var sequence: Int
            /// What `revert` takes.
            var transaction: Int
            var time: String
            var by: String
            var kind: String
            var tableId: String
            var table: String?
            var recordId: String?
            /// By field name: an object of `before` and `after`.
            var fields: JSONValue?
            /// In a sentence; nil of what happened to records.
            var schema: String?

            static var schema: JSONSchema {
                .object(
                    properties: [
                        "sequence": .integer(minimum: 1), "transaction": .integer(minimum: 1), "time": .string(),
                        "by": .string(), "kind": .string(),
                        "tableId": .string(), "table": .string(), "recordId": .string(),
                        "fields": .dictionary(of: .any, description: "By field name: before and after."),
                        "schema": .string(),
                    ],
                    required: ["sequence", "transaction", "time", "by", "kind", "tableId"]
                )
            }
        }

        var base: String
        var baseId: String
        var changes: [Entry]
        var cursor: String?
        var since: String

        static var schema: JSONSchema {
            .object(
                properties: [
                    "base": .string(), "baseId": .string(), "changes": .array(of: Entry.schema),
                    "cursor": .cursorAnswer,
                    "since": .string(description: "A cursor for later: what happens from now on."),
                ],
                required: ["base", "baseId", "changes", "since"]
            )
        }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> Answer {
        let base = try await reads.namedBase(arguments.base, context)
        var table: Table?
        if let name = arguments.table { table = try await reads.place(name, in: base.id.description, context).table }
        let record = try arguments.recordId.map { try RecordID.read($0) }
        if record != nil, table == nil {
            throw AirtableError(.invalidRequest, "A record's changes are those of its table: name the table too.")
        }
        let place = Place(base: base.id, table: table?.id, record: record)
        let limit = arguments.limit ?? Limits.toolEntries
        // Before the log is read: what happens meanwhile is told twice rather than never.
        let latest = try await airtable.changes.latestSequence(tenant: context.tenant)
        let page =
            switch try arguments.cursor.map({ try ChangeCursor($0) }) {
            case .after(let sequence): try await after(sequence, place, limit, context)
            case .before(let sequence): try await before(sequence, place, limit, context)
            case nil: try await before(nil, place, limit, context)
            }
        let tables = try await reads.tables(in: base.id, context: context)
        let people = try await reads.people(context: context)
        return Answer(
            base: base.name,
            baseId: base.id.description,
            changes: page.entries.map { Self.entry($0, tables, people) },
            cursor: page.cursor?.description,
            since: (page.since ?? .after(latest)).description
        )
    }

    private struct Place {
        let base: BaseID
        let table: TableID?
        let record: RecordID?
    }

    private typealias Page = (entries: [HistoryEntry], cursor: ChangeCursor?, since: ChangeCursor?)

    private func after(_ sequence: Int64, _ place: Place, _ limit: Int, _ context: RequestContext) async throws -> Page
    {
        var (after, entries) = (sequence, [HistoryEntry]())
        while true {
            let page = try await airtable.changes(
                in: place.base,
                table: place.table,
                record: place.record,
                after: after,
                limit: limit,
                context: context
            )
            (after, entries) = (page.end, page.entries)
            // Pages of nothing that the caller sees are passed over.
            if !entries.isEmpty || page.isLast {
                return (entries, page.isLast ? nil : .after(after), .after(after))
            }
            try Task.checkCancellation()
        }
    }

    private func before(_ sequence: Int64?, _ place: Place, _ limit: Int, _ context: RequestContext) async throws
        -> Page
    {
        var before = sequence
        while true {
            let page: HistoryPage
            if let record = place.record, let table = place.table {
                page = try await airtable.history(of: record, in: table, before: before, limit: limit, context: context)
            } else {
                page = try await airtable.history(
                    in: place.base,
                    table: place.table,
                    before: before,
                    limit: limit,
                    context: context
                )
            }
            if !page.entries.isEmpty || page.next == nil { return (page.entries, page.next.map { .before($0) }, nil) }
            before = page.next
            try Task.checkCancellation()
        }
    }

    private static func entry(_ entry: HistoryEntry, _ tables: [Table], _ people: [Collaborator]) -> Answer.Entry {
        let table = tables.first { $0.id == entry.table }
        var cells = JSONObject()
        for cell in entry.cells {
            guard let field = table?.field(id: cell.field) else { continue }
            var sides = JSONObject()
            for (side, value) in [("before", cell.before), ("after", cell.after)] {
                guard let value else { continue }
                sides[side] = RecordEntry.cut(CellCodec.json(of: value, field: field), to: Limits.toolCellCharacters)
            }
            cells[field.name] = .object(sides)
        }
        return Answer.Entry(
            sequence: Int(entry.sequence),
            transaction: Int(entry.transaction),
            time: CellCodec.timestamp(entry.time),
            by: people.first { $0.id == entry.actor }?.displayName ?? entry.actor.description,
            kind: entry.kind.rawValue,
            tableId: entry.table.description,
            table: table?.name,
            recordId: entry.record?.description,
            fields: entry.record == nil ? nil : .object(cells),
            schema: entry.schemaChange.map(SchemaChangeText.sentence)
        )
    }

    func text(of answer: Answer) -> String {
        var lines = ["Changes in base \(answer.base) (\(answer.baseId))"]
        for change in answer.changes {
            let place = [change.table ?? change.tableId, change.recordId].compactMap(\.self).joined(separator: " ")
            var line = "\(change.time) \(change.by): \(change.kind) \(place), transaction \(change.transaction)"
            for (name, sides) in change.fields?.objectValue ?? [:] {
                let texts = ["before", "after"].map { side in
                    sides[side].map { RecordEntry.text(of: $0, Self.cellCharacters) } ?? "(empty)"
                }
                line += "; \(name): \(texts.joined(separator: " → "))"
            }
            if let schema = change.schema { line += ": \(schema)" }
            lines.append(line)
        }
        return lines.joined(separator: "\n")
    }

    func advice(of answer: Answer) -> String? {
        let lines = [
            answer.changes.isEmpty ? "Nothing changed." : nil, answer.cursor.map(Advice.more),
            "What happens from now on: later, with cursor \"\(answer.since)\".",
        ]
        return lines.compactMap(\.self).joined(separator: "\n")
    }
}

/// Where a list of changes goes on, and in which direction.
enum ChangeCursor: Hashable, CustomStringConvertible {
    /// Oldest first.
    case after(Int64)
    /// Newest first.
    case before(Int64)

    /// - Throws: `.invalidOffset`.
    init(_ text: String) throws {
        guard text.utf8.count <= 24, let number = Int64(text.dropFirst(1)), number >= 0 else {
            throw PageCursor.notOurs
        }
        switch text.first {
        case "a": self = .after(number)
        case "b": self = .before(number)
        default: throw PageCursor.notOurs
        }
    }

    var description: String {
        switch self {
        case .after(let sequence): "a\(sequence)"
        case .before(let sequence): "b\(sequence)"
        }
    }
}
