import Access
import Domain

/// What a reader may see of a payload: what is hidden from them is taken out, at the time of reading.
///
/// Of a table of which they see only some records nothing is told: a payload has the cells that changed, not those by which to
/// say whether the record was theirs to see at that time. Nor are views told of where fields are hidden.
struct WebhookVisibility {
    /// Widened.
    let scope: VisibleScope
    let base: BaseID
    /// Links whose records have no names for the reader, and whether they are seen at all.
    private let links: [String: Bool]
    /// The fields that are seen, by table. A field that is gone may have been hidden.
    private let fields: [TableID: Set<String>]

    init(scope: VisibleScope, schema: TenantSchema, base: BaseID) {
        let scope = schema.widening(scope)
        self.scope = scope
        self.base = base
        var links: [String: Bool] = [:]
        var fields: [TableID: Set<String>] = [:]
        for model in schema.tables(in: base) {
            fields[model.table.id] = Set(scope.visible(model.table).fields.map(\.id.description))
            for field in model.linkFields {
                guard let linked = field.options.linkedTable, let primary = schema.table(linked)?.table.primaryField
                else {
                    continue
                }
                let isSeen = scope.allows(table: linked, in: base) && scope.rule(table: linked) == nil
                if !isSeen || scope.hiddenFields(table: linked).contains(primary) {
                    links[field.id.description] = isSeen
                }
            }
        }
        self.links = links
        self.fields = fields
    }

    /// Nil for one of which nothing is left.
    func visible(_ payload: JSONValue) -> JSONValue? {
        if scope.isWholeTenant { return payload }
        guard var members = payload.objectValue else { return payload }
        let told = ["changedTablesById", "createdTablesById", "destroyedTableIds"].filter { members[$0] != nil }
        if told.isEmpty { return payload }
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
        for key in told where (members[key]?.objectValue?.isEmpty ?? members[key]?.arrayValue?.isEmpty) == true {
            members.removeValue(forKey: key)
        }
        return told.contains { members[$0] != nil } ? .object(members) : nil
    }

    /// What was hidden of a table is no longer known once it is gone.
    private func isVisible(_ table: String) -> Bool {
        scope.isWholeInBases && TableID(table).map { isTold($0) } ?? false
    }

    private func isTold(_ table: TableID) -> Bool {
        scope.allows(table: table, in: base) && scope.rule(table: table) == nil
    }

    private func visible(_ table: JSONValue, _ id: String) -> JSONValue? {
        guard let tableID = TableID(id), isTold(tableID) else { return nil }
        let hidden = scope.hiddenFields(table: tableID)
        // Which records are in a view may follow from what is hidden.
        guard var members = table.objectValue else { return nil }
        if !hidden.isEmpty { members.removeValue(forKey: "changedViewsById") }
        if let views = members["changedViewsById"]?.objectValue {
            members["changedViewsById"] = .object(
                JSONObject(views.lazy.filter { ViewID($0.key).map { scope.allows(view: $0) } ?? false })
            )
        }
        if scope.isWholeInBases { return .object(members) }
        let shown = fields[tableID] ?? []
        return shown.isEmpty ? nil : showing(shown, .object(members))
    }

    /// Identifiers of fields are keys (of cells, of definitions) and elements (of what was destroyed).
    private func showing(_ shown: Set<String>, _ json: JSONValue) -> JSONValue {
        switch json {
        case .object(let members):
            .object(
                JSONObject(
                    members.lazy.filter { FieldID($0.key) == nil || shown.contains($0.key) }
                        .map { (key: $0.key, value: showing(shown, linked($0.value, by: $0.key))) }
                )
            )
        case .array(let elements):
            .array(
                elements.filter { element in
                    guard let text = element.stringValue, FieldID(text) != nil else { return true }
                    return shown.contains(text)
                }.map { showing(shown, $0) }
            )
        default: json
        }
    }

    /// The cell of a link without the names of its records, or without those that are not seen.
    private func linked(_ cell: JSONValue, by field: String) -> JSONValue {
        guard let isSeen = links[field], let elements = cell.arrayValue else { return cell }
        guard isSeen else { return .array([]) }
        return .array(
            elements.map { element in
                guard var members = element.objectValue else { return element }
                members["name"] = ""
                return .object(members)
            }
        )
    }
}
