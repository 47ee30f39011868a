import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

/// A base of a few tables with fields of every type, linked to each other and to themselves, and random records.
///
/// What people cannot write (attachments, what models and other programs fill in) is put into the rows directly.
struct RandomBase {
    private var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    private mutating func number(_ range: Range<Int>) -> Int { Int.random(in: range, using: &generator) }
    private mutating func pick<T>(_ choices: [T]) -> T { choices[number(0..<choices.count)] }

    private static let words = [
        "a", "Ä é", "🎉", "x,y", "\"q\"", "line\nbreak", "=1+1", "{fldAAAAAAAAAAAAAA}", " space ", "0", "true", "\\",
        "\u{7F}\u{2028}",
    ]

    mutating func make(in store: StoreFixture) async throws -> BaseID {
        let count = number(1..<4)
        let names = (0..<count).map { "Table \($0)" }
        var drafts: [TableDraft] = []
        for name in names {
            var draft = TableDraft(name: name, fields: try fields())
            for link in 0..<number(0..<3) { draft.fields.append(.link("Link \(link)", to: pick(names))) }
            if number(0..<2) == 0 { draft.description = pick(Self.words) }
            if draft.fields.contains(where: { $0.type == .multipleRecordLinks }) { draft.fields += computed("Link 0") }
            drafts.append(draft)
        }
        let schema = try await store.service.createBase(name: "Random", tables: drafts, context: store.context)
        var ids: [TableID: [RecordID]] = [:]
        for table in schema.tables {
            let table = try await store.service.table(id: table.id, context: store.context)
            let drafts = (0..<number(0..<40)).map { _ in
                RecordDraft(fields: cells(of: table, store.context.principal.user))
            }
            if drafts.isEmpty { continue }
            store.clock.advance(seconds: Int64(number(0..<1_000)))
            ids[table.id] = try await store.service.create(drafts, in: table.id, context: store.context).map(\.id)
        }
        for table in try await store.service.tables(in: schema.base.id, context: store.context) {
            try await link(table, ids, store)
            try await fill(table, store)
            for view in 0..<number(0..<3) {
                var draft = ViewDraft(name: "View \(view)", filter: number(0..<2) == 0 ? nil : "{Name} != \"x,y\"")
                if number(0..<2) == 0 { draft.sort = [RecordQuery.SortKey(field: "Name", isDescending: true)] }
                if number(0..<2) == 0 { draft.visibleFields = ["The number"] }
                _ = try await store.service.createView(draft, in: table.id, context: store.context)
            }
        }
        return schema.base.id
    }

    /// A field of every type but links and what needs one.
    private mutating func fields() throws -> [FieldDraft] {
        var fields = [FieldDraft(name: "Name", type: .singleLineText)]
        let plain = FieldType.allCases.filter {
            ![.multipleRecordLinks, .rollup, .multipleLookupValues, .count].contains($0)
        }
        for type in plain {
            var draft = FieldDraft(name: "The \(type.rawValue)", type: type)
            if type.hasChoices {
                draft.options.choices = ["Ä, é", "b", "\"c\""].map { SelectChoice(id: .random(), name: $0) }
            }
            switch type {
            case .number: draft.options.precision = number(0..<9)
            case .currency: draft.options.symbol = "€"
            case .duration: draft.options.durationFormat = pick(FieldOptions.durationFormats)
            case .dateTime: draft.options.timeZone = pick(["utc", "client", "Europe/Paris"])
            case .date: draft.options.dateFormat = pick(FieldOptions.dateFormats)
            case .rating: draft.options.max = 10
            case .formula: draft.options.formula = "{Name} & \"!\""
            case .button: (draft.options.label, draft.options.formula) = ("Go", "\"https://a.b/\" & {Name}")
            case .lastModifiedBy: draft.watchedFields = ["Name"]
            case .aiText: draft.options.prompt = [.text("Say it")]
            default: break
            }
            if number(0..<4) == 0 { draft.description = pick(Self.words) }
            fields.append(draft)
        }
        return fields
    }

    private func computed(_ link: String) -> [FieldDraft] {
        [FieldType.count, .multipleLookupValues, .rollup].map { type in
            var draft = FieldDraft(name: "The \(type.rawValue)", type: type)
            draft.recordLink = link
            if type != .count { draft.fieldInLinkedTable = "Name" }
            if type == .rollup { draft.options.formula = "COUNTA(values)" }
            return draft
        }
    }

    private mutating func cells(of table: Table, _ user: UserID) -> JSONObject {
        var cells = JSONObject()
        for field in table.fields where !field.type.isComputed && number(0..<3) > 0 {
            cells[field.name] = value(of: field, user)
        }
        return cells
    }

    private mutating func value(of field: Field, _ user: UserID) -> JSONValue? {
        let choices = (field.options.choices ?? []).map { JSONValue.string($0.name) }
        return switch field.type {
        case .number, .currency, .percent: .number(JSONNumber(Double(number(-100_000..<100_000)) / 64) ?? 0)
        case .duration: .number(JSONNumber(number(0..<100_000)))
        case .rating: .number(JSONNumber(number(1..<11)))
        case .checkbox: true
        case .date: .string("\(number(1_000..<9_999))-02-0\(number(1..<10))")
        case .dateTime:
            .string("\(number(1_000..<9_999))-11-03T0\(number(0..<10)):59:5\(number(0..<10)).\(number(100..<999))Z")
        case .singleSelect: pick(choices)
        case .multipleSelects: .array(choices.filter { _ in number(0..<2) == 0 })
        case .barcode: number(0..<2) == 0 ? ["text": "0"] : ["text": .string(pick(Self.words)), "type": "upce"]
        case .singleCollaborator: ["id": .string(user.description)]
        case .multipleCollaborators: [["id": .string(user.description)]]
        case .multipleRecordLinks, .multipleAttachments: nil
        default: .string(pick(Self.words))
        }
    }

    private mutating func link(_ table: Table, _ ids: [TableID: [RecordID]], _ store: StoreFixture) async throws {
        let links = table.fields.filter { $0.type == .multipleRecordLinks && $0.options.isReversed != true }
        var updates: [RecordUpdate] = []
        for id in ids[table.id] ?? [] {
            var fields = JSONObject()
            for field in links {
                guard let targets = field.options.linkedTable.flatMap({ ids[$0] }), !targets.isEmpty else { continue }
                let chosen = Set((0..<number(0..<4)).map { _ in pick(targets) })
                fields[field.name] = .array(chosen.map { .string($0.description) })
            }
            updates.append(RecordUpdate(id: id, fields: fields))
        }
        if updates.isEmpty { return }
        store.clock.advance(seconds: 1)
        _ = try await store.service.update(updates, in: table.id, context: store.context)
    }

    /// What no writer of the API can set.
    private mutating func fill(_ table: Table, _ store: StoreFixture) async throws {
        let seed = generator.next()
        let tenant = store.context.tenant
        try await store.database.write(of: .everyTenant) { transaction in
            var random = RandomBase(seed: seed)
            let schema = try SchemaCache().schema(tenant, in: transaction)
            guard let model = schema.table(table.id) else { return }
            let rows = try RecordStore().page(after: nil, limit: 1_000, of: model, tenant: tenant, in: transaction)
            let changed = try rows.map { row in
                var cells = try StoredCells.decode(row.cells, model: model)
                for field in table.fields where random.number(0..<2) == 0 {
                    if let value = random.hidden(field) { cells[field.id] = value }
                }
                return StoredRow(
                    position: row.position,
                    id: row.id,
                    created: row.created,
                    cells: StoredCells.encode(cells, model: model)
                )
            }
            try RecordStore().update(changed, tenant: tenant, in: transaction)
        }
    }

    private mutating func hidden(_ field: Field) -> CellValue? {
        switch field.type {
        case .multipleAttachments:
            var file = Attachment(id: .random(), filename: "a\"b.png", type: "image/png", size: 12, contentHash: "ab")
            file.width = 3
            file.thumbnails = [Attachment.Thumbnail(size: .small, width: 1, height: 2)]
            return .attachments([file])
        case .aiText: return .aiText(AIText(state: .generated, isStale: number(0..<2) == 0, value: pick(Self.words)))
        case .externalSyncSource: return field.options.choices.map { .choice(pick($0).id) }
        case .manualSort: return .text("m\(number(0..<100))")
        case .singleCollaborator: return .collaborator(Collaborator(id: .random(), email: "e@f.g", name: "Eve"))
        default: return nil
        }
    }

    /// The base can be written to as ever.
    mutating func expectAlive(_ base: BaseID, _ store: StoreFixture) async throws {
        for table in try await store.service.tables(in: base, context: store.context) {
            let cells = cells(of: table, store.context.principal.user)
            let made = try await store.service.create(
                [RecordDraft(fields: cells)],
                in: table.id,
                context: store.context
            )
            #expect(made.count == 1)
        }
    }
}
