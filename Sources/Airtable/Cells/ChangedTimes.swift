import Domain

/// When cells that people set were last changed, as it lies in a row: under 0, which is no field's ordinal, the
/// ordinals of the fields by time, `{"0":{"1714566896000":[1,4]},"1":"x",…}`.
///
/// A cell that was not changed since its record was made is not there, so rows that only ever came in have none of it.
enum ChangedTimes {
    static let prefix = "\"0\":"

    /// - Parameter cells: a row, as it is stored.
    /// - Throws: `.corrupt`.
    static func read(_ cells: String, model: TableModel) throws(AirtableError) -> [FieldID: Instant] {
        guard cells.hasPrefix("{" + prefix) else { return [:] }
        var times: [FieldID: Instant] = [:]
        var cells = cells
        let failure: AirtableError? = cells.withUTF8 { bytes in
            var reader = StoredCellReader(bytes)
            do throws(AirtableError) {
                guard try reader.nextKey() == 0 else { return nil }
                for (time, ordinals) in try reader.composite(Self.entries) {
                    for ordinal in ordinals {
                        if let field = model.storedField(ordinal: ordinal) { times[field.id] = time }
                    }
                }
                return nil
            } catch { return error }
        }
        if let failure { throw failure }
        return times
    }

    private static func entries(_ json: JSONValue) -> [(Instant, [Int])]? {
        guard let members = json.objectValue else { return nil }
        var entries: [(Instant, [Int])] = []
        for (key, value) in members {
            guard let milliseconds = Int64(key), let list = value.arrayValue else { return nil }
            let ordinals = list.compactMap(\.intValue)
            guard ordinals.count == list.count else { return nil }
            entries.append((Instant(milliseconds: milliseconds), ordinals))
        }
        return entries
    }

    /// By time, rising.
    static func stored(
        _ times: [FieldID: Instant],
        _ model: TableModel
    ) -> [(milliseconds: Int64, ordinals: [Int])] {
        var byTime: [Int64: [Int]] = [:]
        for (id, time) in times {
            if let field = model.field(id: id) { byTime[time.milliseconds, default: []].append(field.ordinal) }
        }
        return byTime.sorted { $0.key < $1.key }.map { ($0.key, $0.value.sorted()) }
    }
}

extension TableModel {
    /// The times of a row whose cells went from `old` to `new` at `time`.
    func changedTimes(
        _ times: [FieldID: Instant],
        from old: [FieldID: CellValue],
        to new: [FieldID: CellValue],
        at time: Instant
    ) -> [FieldID: Instant] {
        var times = times
        for field in writtenFields where old[field] != new[field] { times[field] = time.cutToMilliseconds }
        return times
    }
}
