import Database
import Domain

/// Views in SQL. Every method works inside the caller's transaction; those that write need the tenant's lock.
///
/// A table without rows here has the one view that every table begins with. So nothing needs to be done when a table
/// is made or imported, nor for tables that are older than views.
struct ViewStore: Sendable {
    static let views = DigestedTable(
        "views",
        noun: "view",
        key: ["tenant", "id"],
        columns: ["tenant", "id", "table_number", "position", "name", "name_key", "filter", "sort", "visible"]
    )

    static let migration = Migration(
        id: "airtable/0007-views",
        [
            """
            CREATE TABLE views (
                tenant {text} NOT NULL,
                id {text} NOT NULL,
                table_number {int} NOT NULL,
                position {int} NOT NULL,
                name {text} NOT NULL,
                name_key {text} NOT NULL,
                filter {text},
                sort {text} NOT NULL,
                visible {text},
                digest {int} NOT NULL,
                PRIMARY KEY (tenant, id)
            ) {strict}
            """,
            "CREATE UNIQUE INDEX views_by_name ON views (tenant, table_number, name_key)",
        ]
    )

    // MARK: Reading

    /// The views of a table, in the order they were made.
    func views(of model: TableModel, tenant: TenantID, in transaction: any Transaction) throws -> [TableView] {
        try views(of: [model], tenant: tenant, in: transaction)[model.table.id] ?? []
    }

    /// The views of tables, each table's in the order they were made.
    func views(
        of models: [TableModel],
        tenant: TenantID,
        in transaction: any Transaction
    ) throws -> [TableID: [TableView]] {
        var rows: [Int64: [Row]] = [:]
        for group in PaddedGroups(models.map(\.number)) {
            let found = try Self.views.rows(
                where: "tenant = $1 AND table_number IN (\(RecordStore.parameters(2..<(group.count + 2))))",
                [tenant.sql] + group.map { SQLValue($0) },
                orderedBy: "table_number, position, id",
                in: transaction
            )
            for row in found { rows[try row.integer("table_number"), default: []].append(row) }
        }
        var views: [TableID: [TableView]] = [:]
        for model in models {
            let id = model.table.id
            views[id] = try rows[model.number]?.map { try Self.view($0, model) } ?? [TableView(firstOf: id)]
        }
        return views
    }

    private static func view(_ row: Row, _ model: TableModel) throws -> TableView {
        TableView(
            id: try row.identifier("id"),
            table: model.table.id,
            name: try row.text("name"),
            filter: try row.optionalText("filter"),
            sort: try sort(row.text("sort"), model),
            visibleFields: try fields(row.optionalText("visible"), model)
        )
    }

    // MARK: Writing

    /// Adds a view behind the table's others.
    func insert(_ view: TableView, of model: TableModel, tenant: TenantID, in transaction: any Transaction) throws {
        let row = try transaction.firstRow(
            "SELECT MAX(position) FROM views WHERE tenant = $1 AND table_number = $2",
            [tenant.sql, SQLValue(model.number)]
        )
        let position = Int(try row?.optionalInteger(0) ?? -1) + 1
        try Self.views.insert(
            [tenant.sql, view.id.sql, SQLValue(model.number), SQLValue(position)] + Self.columns(view).map(\.value),
            in: transaction
        )
    }

    /// Stores the view that the table began with, if nothing is stored of it yet. Before every other change.
    func settle(_ model: TableModel, tenant: TenantID, in transaction: any Transaction) throws {
        let row = try transaction.firstRow(
            "SELECT 1 FROM views WHERE tenant = $1 AND table_number = $2 LIMIT 1",
            [tenant.sql, SQLValue(model.number)]
        )
        if row == nil { try insert(TableView(firstOf: model.table.id), of: model, tenant: tenant, in: transaction) }
    }

    func update(_ view: TableView, tenant: TenantID, in transaction: any Transaction) throws {
        try Self.views.update(
            Self.columns(view),
            where: "tenant = $1 AND id = $2",
            [tenant.sql, view.id.sql],
            in: transaction
        )
    }

    func delete(_ view: ViewID, tenant: TenantID, in transaction: any Transaction) throws {
        try transaction.execute("DELETE FROM views WHERE tenant = $1 AND id = $2", [tenant.sql, view.sql])
    }

    // MARK: Columns

    private static func columns(_ view: TableView) -> [(column: String, value: SQLValue)] {
        let sort = view.sort.map { ($0.isDescending ? "-" : "+") + $0.field.description }
        return [
            ("name", .text(view.name)), ("name_key", .text(nameKey(view.name))), ("filter", SQLValue(view.filter)),
            ("sort", .text(sort.joined(separator: " "))),
            ("visible", SQLValue(view.visibleFields?.map(\.description).joined(separator: " "))),
        ]
    }

    /// `+fld… -fld…`; fields deleted since are left out.
    private static func sort(_ text: String, _ model: TableModel) throws -> [TableView.SortKey] {
        try text.split(separator: " ").compactMap { part in
            guard let sign = part.first, sign == "+" || sign == "-", let id = FieldID(String(part.dropFirst())) else {
                throw AirtableError.corrupt("A stored view cannot be read.")
            }
            return model.field(id: id).map { TableView.SortKey(field: $0.id, isDescending: sign == "-") }
        }
    }

    private static func fields(_ text: String?, _ model: TableModel) throws -> [FieldID]? {
        try text?.split(separator: " ").compactMap { part in
            guard let id = FieldID(String(part)) else {
                throw AirtableError.corrupt("A stored view cannot be read.")
            }
            return model.field(id: id)?.id
        }
    }
}
