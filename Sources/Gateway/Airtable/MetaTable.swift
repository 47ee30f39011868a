import Airtable
import Domain

/// Tables, fields and views as Airtable's meta API shows them.
enum MetaTable {
    /// - Parameter showsVisibleFields: whether each view says which fields it shows.
    static func json(_ viewed: ViewedTable, showsVisibleFields: Bool = false) -> JSONValue {
        let table = viewed.table
        var members: JSONObject = ["id": .string(table.id.description), "name": .string(table.name)]
        members["description"] = table.description.map { .string($0) }
        members["primaryFieldId"] = .string(table.primaryField.description)
        members["fields"] = .array(table.fields.map(json))
        members["views"] = .array(
            viewed.views.map { view in
                var members = head(of: view)
                if showsVisibleFields { members["visibleFieldIds"] = visibleFields(of: view, table) }
                return .object(members)
            }
        )
        return .object(members)
    }

    static func json(_ field: Field) -> JSONValue {
        var members: JSONObject = [
            "id": .string(field.id.description), "name": .string(field.name), "type": .string(field.type.rawValue),
        ]
        members["description"] = field.description.map { .string($0) }
        members["options"] = FieldOptionsWire.json(of: field)
        return .object(members)
    }

    /// A view alone, also with what Airtable's API does not tell: its filter and its order.
    static func whole(_ view: TableView, _ table: Table) -> JSONValue {
        whole(view, shownFields: view.visibleFields ?? table.fields.map(\.id))
    }

    /// - Parameter shownFields: nil when it is not known which those were.
    static func whole(_ view: TableView, shownFields: [FieldID]?) -> JSONValue {
        var members = head(of: view)
        members["visibleFieldIds"] = shownFields.map { .array($0.map { .string($0.description) }) }
        members["filterByFormula"] = view.filter.map { .string($0) }
        if !view.sort.isEmpty {
            members["sort"] = .array(
                view.sort.map { key in
                    ["field": .string(key.field.description), "direction": key.isDescending ? "desc" : "asc"]
                }
            )
        }
        return .object(members)
    }

    private static func head(of view: TableView) -> JSONObject {
        ["id": .string(view.id.description), "name": .string(view.name), "type": .string(view.type)]
    }

    private static func visibleFields(of view: TableView, _ table: Table) -> JSONValue {
        .array((view.visibleFields ?? table.fields.map(\.id)).map { .string($0.description) })
    }
}
