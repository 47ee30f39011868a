import Domain

/// A field that says when, or by whom, others of its record were changed last.
///
/// Its cell is written whenever one of the cells it watches gets another value. A record that was not changed since it
/// was made, or since the field was, has no such cell: its time is then that of its creation.
struct WatchingField: Sendable {
    let id: FieldID
    let showsTime: Bool
    /// All that people set, unless the field names some.
    let watched: Set<FieldID>

    /// Nil when `field` is of another type.
    init?(_ field: Field, in table: Table) {
        switch field.type {
        case .lastModifiedTime: showsTime = true
        case .lastModifiedBy: showsTime = false
        default: return nil
        }
        id = field.id
        // What is computed from others is not changed by anybody.
        let written = table.fields.filter { !$0.type.isComputed }.map(\.id)
        watched = field.options.referencedFields.map { Set($0).intersection(written) } ?? Set(written)
    }

    /// Whether going from `old` to `new` changes a cell that it watches.
    func sees(_ old: [FieldID: CellValue], _ new: [FieldID: CellValue]) -> Bool {
        watched.contains { old[$0] != new[$0] }
    }
}

extension TableModel {
    /// The cells of a row that was just made, by `actor`.
    func made(_ cells: [FieldID: CellValue], by actor: Collaborator) -> [FieldID: CellValue] {
        guard !createdByFields.isEmpty || !modifiedFields.isEmpty else { return cells }
        var cells = cells
        for field in createdByFields { cells[field] = .collaborator(actor) }
        for field in modifiedFields where !field.showsTime { cells[field.id] = .collaborator(actor) }
        return cells
    }

    /// Adds to the cells that are stored those that the row itself tells.
    func complete(_ cells: inout [FieldID: CellValue], created: Instant) {
        for field in createdTimeFields { cells[field] = .dateTime(created) }
        for field in modifiedFields where field.showsTime && cells[field.id] == nil {
            cells[field.id] = .dateTime(created.cutToMilliseconds)
        }
    }

    /// The cells of a row that `actor` changed from `old` to `new`.
    func changed(
        from old: [FieldID: CellValue],
        to new: [FieldID: CellValue],
        by actor: Collaborator,
        at time: Instant
    ) -> [FieldID: CellValue] {
        var cells = new
        for field in modifiedFields where field.sees(old, new) {
            cells[field.id] = field.showsTime ? .dateTime(time.cutToMilliseconds) : .collaborator(actor)
        }
        return cells
    }
}

extension Field {
    /// What the record itself says of a cell that is not stored.
    func implicitCell(created: Instant) -> CellValue? {
        switch type {
        case .createdTime: .dateTime(created)
        case .lastModifiedTime: .dateTime(created.cutToMilliseconds)
        default: nil
        }
    }
}

extension Instant {
    /// As cells keep it.
    var cutToMilliseconds: Instant { Instant(milliseconds: milliseconds) }
}
