import Domain
import Formula

/// Makes cells of one computed field from cells that are at hand. Pure.
struct CellMaker {
    let field: ComputedField
    /// The fields of its table, by slot.
    let slots: [Field]
    /// What stands for the records that its formula reads.
    let texts: LinkTexts
    private let environment: FormulaEnvironment

    /// A row at the other end of a link, by its table.
    typealias Linked = (_ table: TableID, _ id: RecordID) -> (cells: [FieldID: CellValue], created: Instant)?

    init(field: ComputedField, slots: [Field], texts: LinkTexts, now: Instant) {
        self.field = field
        self.slots = slots
        self.texts = texts
        environment = FormulaEnvironment(now: now)
    }

    /// The cell of a record; nil when it is empty.
    ///
    /// - Parameter linked: the rows that its links name; those that do not exist are passed over.
    func value(for record: Record, linked: Linked) -> CellValue? {
        switch field.rule {
        case .formula(let formula):
            return ComputedValue.cell(of: evaluate(formula, record)).map { .computed($0) }
        case .rollup(let link, let target, let formula):
            let values = cells(of: target, behind: link, record, linked).map {
                StoredFormulaRow.value(of: $0, target, texts)
            }
            let row = FormulaRecord(
                [.array(values)],
                recordID: record.id.description,
                createdTime: record.createdTime,
                modifiedTime: StoredFormulaRow(record: record, slots: slots, links: texts).lastModifiedTime(nil)
            )
            return ComputedValue.cell(of: formula.evaluate(row, in: environment)).map { .computed($0) }
        case .lookup(let link, let target):
            let found = cells(of: target, behind: link, record, linked).compactMap { $0 }
            return ComputedValue.lookup(found, of: target).map { .computed($0) }
        case .count(let link):
            if case .links(let ids)? = record.cells[link] { return .number(Double(ids.count)) }
            return .number(0)
        case .button(let label, let formula):
            return .button(ButtonValue(label: label, url: formula.flatMap { address($0, record) }))
        case .invalid:
            // What people read as broken, they should see as broken; a list or a number just has nothing to show.
            return field.field.type == .formula || field.field.type == .rollup ? .computed(.error) : nil
        }
    }

    private func evaluate(_ formula: Formula, _ record: Record) -> FormulaValue {
        formula.evaluate(StoredFormulaRow(record: record, slots: slots, links: texts), in: environment)
    }

    /// Where a button leads; nowhere when its formula fails or gives nothing.
    private func address(_ formula: Formula, _ record: Record) -> String? {
        guard case .text(let text)? = ComputedValue.cell(of: evaluate(formula, record)),
            text.utf8.count <= Limits.attachmentURLBytes
        else { return nil }
        return text
    }

    /// The cells of `target` in the records that `link` names, in its order; nil for an empty one.
    private func cells(
        of target: Field,
        behind link: FieldID,
        _ record: Record,
        _ linked: Linked
    ) -> [CellValue?] {
        guard case .links(let ids)? = record.cells[link],
            let table = slots.first(where: { $0.id == link })?.options.linkedTable
        else { return [] }
        var cells: [CellValue?] = []
        cells.reserveCapacity(ids.count)
        for id in ids {
            guard let row = linked(table, id) else { continue }
            cells.append(row.cells[target.id] ?? target.implicitCell(created: row.created))
        }
        return cells
    }
}
