import Domain
import Formula

extension ComputedValue {
    /// What a formula gave, as its cell keeps it; nil for an empty cell.
    static func cell(of value: FormulaValue) -> ComputedValue? {
        switch value {
        case .blank: nil
        case .text(let text) where text.isEmpty: nil
        case .array(let items) where items.isEmpty: nil
        default: bounded(ComputedValue(value))
        }
    }

    private init(_ value: FormulaValue) {
        switch value {
        case .blank: self = .blank
        case .number(let number): self.init(number)
        case .text(let text): self = .text(text)
        // A truth is shown as 1 or 0, as the hosted service does.
        case .boolean(let flag): self = .number(flag ? 1 : 0)
        case .date(let date):
            self = date.isDay ? .day(CalendarDate(date.instant)) : .moment(date.instant.cutToMilliseconds)
        case .array(let items): self = .list(items.map(ComputedValue.init))
        case .error: self = .error
        }
    }

    /// What a lookup gives of the cells that it finds, in their order; nil when there are none.
    ///
    /// Cells that hold several values give each of them; empty ones give nothing.
    static func lookup(_ cells: some Sequence<CellValue>, of field: Field) -> ComputedValue? {
        var values: [ComputedValue] = []
        for cell in cells { append(cell, field, to: &values) }
        return values.isEmpty ? nil : bounded(.list(values))
    }

    private static func append(_ cell: CellValue, _ field: Field, to values: inout [ComputedValue]) {
        switch cell {
        case .text(let text): values.append(.text(text))
        case .number(let number): values.append(ComputedValue(number))
        case .checked: values.append(.boolean(true))
        case .choice(let id): if let name = field.options.choiceName(id) { values.append(.text(name)) }
        case .choices(let ids): values += ids.compactMap { field.options.choiceName($0).map { .text($0) } }
        case .date(let date): values.append(.day(date))
        case .dateTime(let instant):
            values.append(field.showsDays ? .day(CalendarDate(instant)) : .moment(instant.cutToMilliseconds))
        case .links(let ids): values += ids.map { .record($0) }
        case .collaborator(let person): values.append(.collaborator(person))
        case .collaborators(let people): values += people.map { .collaborator($0) }
        case .attachments(let files): values += files.map { .attachment($0) }
        case .barcode(let code): values.append(.barcode(code))
        case .button(let button): values.append(.text(button.label))
        case .aiText(let text): if let text = text.value { values.append(.text(text)) }
        case .computed(.list(let items)): values += items
        case .computed(let value): values.append(value)
        }
    }

    /// What is too large to be kept in every record is an error.
    private static func bounded(_ value: ComputedValue) -> ComputedValue {
        var rest = Limits.computedCellBytes
        value.charge(&rest)
        return rest < 0 ? .error : value
    }

    /// Takes about what it takes in a row off `rest`; stops when that is used up.
    private func charge(_ rest: inout Int) {
        switch self {
        case .text(let text): rest -= text.utf8.count + 3
        case .list(let values):
            rest -= 2
            for value in values where rest >= 0 { value.charge(&rest) }
        case .attachment, .collaborator: rest -= 200
        case .number, .special, .boolean, .day, .moment, .barcode, .record, .blank, .error: rest -= 30
        }
    }
}
