import Access
import Domain

/// What a reader may see of a payload: tables and fields hidden from them are taken out, at the time of reading.
struct WebhookVisibility {
    let scope: VisibleScope
    let base: BaseID

    func visible(_ payload: JSONValue) -> JSONValue {
        if scope.isWholeTenant { return payload }
        guard var members = payload.objectValue else { return payload }
        for key in ["changedTablesById", "createdTablesById"] {
            guard let tables = members[key]?.objectValue else { continue }
            members[key] = .object(
                JSONObject(
                    tables.lazy.compactMap { id, table in
                        guard let table = visible(table, id) else { return nil }
                        return (key: id, value: table)
                    }
                )
            )
        }
        if let destroyed = members["destroyedTableIds"]?.arrayValue {
            members["destroyedTableIds"] = .array(destroyed.filter { isVisible($0.stringValue ?? "") })
        }
        return .object(members)
    }

    private func isVisible(_ table: String) -> Bool {
        TableID(table).map { scope.allows(table: $0, in: base) } ?? false
    }

    private func visible(_ table: JSONValue, _ id: String) -> JSONValue? {
        guard let tableID = TableID(id), scope.allows(table: tableID, in: base) else { return nil }
        let hidden = Set(scope.hiddenFields(table: tableID).map(\.description))
        if hidden.isEmpty { return table }
        // Which records are in a view may follow from what is hidden.
        guard var members = table.objectValue else { return nil }
        members.removeValue(forKey: "changedViewsById")
        return without(hidden, .object(members))
    }

    /// Identifiers of fields are keys (of cells, of definitions) and elements (of what was destroyed).
    private func without(_ hidden: Set<String>, _ json: JSONValue) -> JSONValue {
        switch json {
        case .object(let members):
            .object(
                JSONObject(
                    members.lazy.filter { !hidden.contains($0.key) }
                        .map { (key: $0.key, value: without(hidden, $0.value)) }
                )
            )
        case .array(let elements):
            .array(
                elements.filter { !hidden.contains($0.stringValue ?? "") }.map { without(hidden, $0) }
            )
        default: json
        }
    }
}
