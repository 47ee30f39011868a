import Domain
import Formula

@testable import Airtable

/// Computes every cell of a base anew from what people wrote, by asking for it and for whatever it asks for: no order,
/// no graph, nothing kept between two calls but what was asked already.
///
/// Shares with the store the formula engine, and how a value reads as text.
final class ReferenceComputer {
    private let tables: [TableID: Table]
    private let fields: [FieldID: (table: TableID, field: Field)]
    private let records: [TableID: [RecordID: Record]]
    private let now: Instant
    private var known: [Cell: CellValue?] = [:]
    private var formulas: [FieldID: Formula?] = [:]

    private struct Cell: Hashable {
        let record: RecordID
        let field: FieldID
    }

    init(tables: [Table], records: [TableID: [Record]], now: Instant) {
        self.tables = Dictionary(uniqueKeysWithValues: tables.map { ($0.id, $0) })
        fields = Dictionary(
            uniqueKeysWithValues: tables.flatMap { table in table.fields.map { ($0.id, (table.id, $0)) } }
        )
        self.records = records.mapValues { Dictionary(uniqueKeysWithValues: $0.map { ($0.id, $0) }) }
        self.now = now
    }

    /// One sentence for each computed cell that is stored otherwise.
    func differences() -> [String] {
        var problems: [String] = []
        for table in tables.values {
            for record in (records[table.id] ?? [:]).values {
                for field in table.fields {
                    let expected = cell(field, of: record)
                    if record.cells[field.id] == expected { continue }
                    let stored = record.cells[field.id].map { "\($0)" } ?? "nothing"
                    problems.append(
                        "\(table.name).\(field.name) of \(record.id) is \(stored), "
                            + "should be \(expected.map { "\($0)" } ?? "nothing")"
                    )
                }
            }
        }
        return Array(problems.prefix(5))
    }

    private func cell(_ field: Field, of record: Record) -> CellValue? {
        switch field.type {
        case .formula, .rollup, .multipleLookupValues, .count, .button: break
        default: return record.cells[field.id]
        }
        let key = Cell(record: record.id, field: field.id)
        if let value = known[key] { return value }
        let value = computed(field, of: record)
        known[key] = value
        return value
    }

    private func computed(_ field: Field, of record: Record) -> CellValue? {
        switch field.type {
        case .formula:
            guard let formula = formula(field) else { return .computed(.error) }
            return Self.stored(formula.evaluate(Row(record, self), in: FormulaEnvironment(now: now)))
        case .rollup:
            guard let formula = formula(field), let linked = linked(field, record) else { return .computed(.error) }
            let values = linked.map { value($0.cell, linkedField(field)!) }
            let row = FormulaRecord([.array(values)], recordID: record.id.description, createdTime: record.createdTime)
            return Self.stored(formula.evaluate(row, in: FormulaEnvironment(now: now)))
        case .multipleLookupValues:
            guard let linked = linked(field, record), let target = linkedField(field) else { return nil }
            let items = linked.flatMap { Self.items($0.cell, target) }
            return items.isEmpty ? nil : .computed(.list(items))
        case .count:
            guard let link = field.options.recordLinkField, fields[link] != nil else { return nil }
            if case .links(let ids)? = record.cells[link] { return .number(Double(ids.count)) }
            return .number(0)
        default:
            let value = formula(field)?.evaluate(Row(record, self), in: FormulaEnvironment(now: now))
            var url: String?
            if case .computed(.text(let text))? = value.flatMap(Self.stored) { url = text }
            return .button(ButtonValue(label: field.options.label ?? "", url: url))
        }
    }

    private func formula(_ field: Field) -> Formula? {
        if let formula = formulas[field.id] { return formula }
        let schema: FormulaSchema
        if field.type == .rollup {
            let type = linkedField(field).map(type) ?? .any
            schema = FormulaSchema([FormulaField(name: "values", type: .array(type))])
        } else {
            let table = tables[fields[field.id]!.table]!
            schema = FormulaSchema(
                table.fields.map { field in
                    // What a formula gives is asked of it, unless that would go round for ever.
                    FormulaField(
                        name: field.name,
                        id: field.id,
                        type: type(field),
                        isComputed: field.type.isComputed
                    )
                }
            )
        }
        let formula = try? Formula(field.options.formula ?? "values", schema: schema)
        formulas[field.id] = formula
        return formula
    }

    /// As the schema says, read from its `result`.
    private func type(_ field: Field) -> FormulaType {
        let result = field.options.result.flatMap { FormulaType(airtableType: $0.type.rawValue) }
        switch field.type {
        case .formula, .rollup: return result ?? .any
        case .multipleLookupValues:
            if case .array? = result { return result! }
            return .array(result ?? .any)
        default: return FormulaType(airtableType: field.type.rawValue) ?? .any
        }
    }

    // MARK: Links

    private func linkedField(_ field: Field) -> Field? {
        field.options.fieldInLinkedTable.flatMap { fields[$0]?.field }
    }

    /// The cells at the other end of a field's link, in its order; nil when the link or that field is gone.
    private func linked(_ field: Field, _ record: Record) -> [(record: Record, cell: CellValue?)]? {
        guard let link = field.options.recordLinkField, let table = fields[link]?.field.options.linkedTable,
            let target = linkedField(field)
        else { return nil }
        guard case .links(let ids)? = record.cells[link] else { return [] }
        return ids.compactMap { records[table]?[$0] }.map { ($0, cell(target, of: $0)) }
    }

    fileprivate func text(of id: RecordID) -> FormulaValue? {
        for (table, rows) in records {
            guard let record = rows[id], let primary = tables[table].flatMap({ $0.field(id: $0.primaryField) }),
                let value = cell(primary, of: record)
            else { continue }
            return .text(CellCodec.displayText(of: value, field: primary) { _ in nil })
        }
        return nil
    }

    // MARK: Values

    fileprivate func value(_ cell: CellValue?, _ field: Field) -> FormulaValue {
        func name(_ id: ChoiceID) -> FormulaValue? {
            field.options.choices?.first { $0.id == id }.map { .text($0.name) }
        }
        func day(_ date: CalendarDate) -> FormulaValue { .date(FormulaDate(Instant(date), isDay: true)) }
        switch cell {
        case nil: return .blank
        case .text(let text): return .text(text)
        case .number(let number): return .number(number)
        case .checked: return .boolean(true)
        case .choice(let id): return name(id) ?? .blank
        case .choices(let ids): return .array(ids.compactMap(name))
        case .date(let date): return day(date)
        case .dateTime(let instant): return .date(FormulaDate(instant))
        case .links(let ids): return .array(ids.compactMap(text))
        case .computed(let computed): return value(computed)
        default: fatalError("the shop has no such cells")
        }
    }

    private func value(_ computed: ComputedValue) -> FormulaValue {
        switch computed {
        case .text(let text): .text(text)
        case .number(let number): .number(number)
        case .special(let special): .number(Double(special.rawValue == "NaN" ? "nan" : special.rawValue)!)
        case .boolean(let flag): .boolean(flag)
        case .day(let date): .date(FormulaDate(Instant(date), isDay: true))
        case .moment(let instant): .date(FormulaDate(instant))
        case .record(let id): text(of: id) ?? .blank
        case .list(let items): .array(items.map(value))
        case .blank: .blank
        case .error: .error
        default: fatalError("the shop has no such cells")
        }
    }

    private static func items(_ cell: CellValue?, _ field: Field) -> [ComputedValue] {
        switch cell {
        case nil: []
        case .text(let text): [.text(text)]
        case .number(let number): [ComputedValue(number)]
        case .checked: [.boolean(true)]
        case .choice(let id): (field.options.choices ?? []).filter { $0.id == id }.map { .text($0.name) }
        case .choices(let ids):
            ids.flatMap { id in (field.options.choices ?? []).filter { $0.id == id }.map { .text($0.name) } }
        case .date(let date): [.day(date)]
        case .dateTime(let instant): [.moment(Instant(milliseconds: instant.milliseconds))]
        case .links(let ids): ids.map { .record($0) }
        case .computed(.list(let items)): items
        case .computed(let value): [value]
        default: fatalError("the shop has no such cells")
        }
    }

    private static func stored(_ value: FormulaValue) -> CellValue? {
        func computed(_ value: FormulaValue) -> ComputedValue {
            switch value {
            case .blank: .blank
            case .number(let number): ComputedValue(number)
            case .text(let text): .text(text)
            case .boolean(let flag): .number(flag ? 1 : 0)
            case .date(let date):
                date.isDay
                    ? .day(CalendarDate(date.instant)) : .moment(Instant(milliseconds: date.instant.milliseconds))
            case .array(let items): .list(items.map(computed))
            case .error: .error
            }
        }
        switch computed(value) {
        case .blank, .text(""), .list([]): return nil
        case let value: return .computed(value)
        }
    }

    /// A record as its formulas see it.
    private struct Row: FormulaRow {
        let record: Record
        let computer: ReferenceComputer
        let fields: [Field]

        init(_ record: Record, _ computer: ReferenceComputer) {
            self.record = record
            self.computer = computer
            let table = computer.records.first { $0.value[record.id] != nil }!.key
            fields = computer.tables[table]!.fields
        }

        var recordID: String? { record.id.description }
        var createdTime: Instant? { record.createdTime }
        /// As a field says that watches the same.
        func lastModifiedTime(_ slots: [Int]?) -> Instant? {
            let watched = slots.map { $0.map { fields[$0].id } }
            let watching = fields.first { $0.type == .lastModifiedTime && $0.options.referencedFields == watched }
            guard case .dateTime(let time)? = watching.flatMap({ record.cells[$0.id] }) else { return nil }
            return time
        }
        func value(_ slot: Int) -> FormulaValue {
            computer.value(computer.cell(fields[slot], of: record), fields[slot])
        }
    }
}
