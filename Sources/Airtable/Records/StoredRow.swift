import Domain

/// One row as it lies in the database, its cells not yet read.
struct StoredRow: Sendable {
    /// The table's number and the row's place in it, packed; see `TableModel.positionRange`.
    let position: Int64
    let id: RecordID
    let created: Instant
    /// See `StoredCells`.
    let cells: String

    func moved(to position: Int64) -> Self { Self(position: position, id: id, created: created, cells: cells) }

    /// The record without the fields in `hidden`.
    ///
    /// - Parameter times: whether to read when its cells were changed, too.
    /// - Throws: `.corrupt`.
    func record(
        _ model: TableModel,
        hiding hidden: Set<FieldID> = [],
        times: Bool = false
    ) throws(AirtableError) -> Record {
        var values = try StoredCells.decode(cells, model: model)
        model.complete(&values, created: created)
        for field in hidden { values[field] = nil }
        var record = Record(id: id, createdTime: created, cells: values)
        if times { record.changedTimes = try ChangedTimes.read(cells, model: model) }
        return record
    }
}
