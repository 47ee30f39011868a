import Domain

/// Views as a base document has them: as they are stored, with formulas that name fields by identifier.
enum DocumentViews {
    static func json(_ view: TableView) -> JSONValue {
        var members: JSONObject = [
            "id": .string(view.id.description), "name": .string(view.name), "type": .string(view.type),
        ]
        members["filterByFormula"] = view.filter.map { .string($0) }
        members["sort"] = .array(
            view.sort.map { key in
                ["field": .string(key.field.description), "direction": key.isDescending ? "desc" : "asc"]
            }
        )
        members["visibleFieldIds"] = view.visibleFields.map { .array($0.map { .string($0.description) }) }
        return .object(members)
    }

    /// The views of a table.
    ///
    /// - Throws: `.invalidRequest` for what is none, and for two of one name.
    static func views(_ json: JSONValue, of table: TableID) throws(AirtableError) -> [TableView] {
        var views: [TableView] = []
        for json in json["views"]?.arrayValue ?? [] {
            let view = try view(json, of: table)
            guard !views.contains(where: { $0.id == view.id || nameKey($0.name) == nameKey(view.name) }) else {
                throw AirtableError(.invalidRequest, "two views are the same or of one name")
            }
            views.append(view)
        }
        guard views.count <= Limits.viewsPerTable else {
            throw AirtableError(.tooLarge, "a table has at most \(Limits.viewsPerTable) views")
        }
        return views
    }

    /// A filter is taken as it is: one that names a field deleted since is kept as well.
    private static func view(_ json: JSONValue, of table: TableID) throws(AirtableError) -> TableView {
        guard let id = json["id"]?.stringValue.flatMap({ ViewID($0) }), let name = json["name"]?.stringValue,
            json["filterByFormula"].map({ $0.isNull || $0.stringValue != nil }) ?? true
        else { throw AirtableError(.invalidRequest, "expected a view with id and name") }
        let filter = json["filterByFormula"]?.stringValue
        guard (filter?.unicodeScalars.count ?? 0) <= Limits.formulaCharacters, filter?.hasNUL != true else {
            throw AirtableError(.invalidRequest, "the filter of a view is too long")
        }
        var view = TableView(
            id: id,
            table: table,
            name: try SchemaBuilder.checkedName(name, of: "view", otherwise: .invalidRequest),
            filter: filter
        )
        for key in json["sort"]?.arrayValue ?? [] {
            guard let field = key["field"]?.stringValue.flatMap({ FieldID($0) }) else {
                throw AirtableError(.invalidRequest, "expected the field of a sort")
            }
            view.sort.append(TableView.SortKey(field: field, isDescending: key["direction"] == "desc"))
        }
        if let fields = json["visibleFieldIds"]?.arrayValue {
            view.visibleFields = fields.compactMap { $0.stringValue.flatMap { FieldID($0) } }
        }
        return view
    }
}
