import Domain
import HTTPTypes

/// Making, changing and deleting bases, tables, fields, choices and views.
///
/// Airtable's own API renames no base, and deletes neither tables nor fields nor choices, nor makes or changes views;
/// here its paths do.
enum SchemaChangeRoutes {
    static func all(by door: AirtableDoor) -> [Route] { bases(door) + tables(door) + fields(door) + views(door) }

    private static func bases(_ door: AirtableDoor) -> [Route] {
        [
            door.route(
                .post,
                door.bases,
                "createBase",
                "Makes a base with its tables.",
                body: RouteBody(CreateBaseBody.self, isChecked: false),
                reply: .json(CreatedBaseWire.self, "The base and its tables."),
                .schemaWrite,
                SchemaWriting.createBase
            ),
            door.route(
                .patch,
                door.base,
                "updateBase",
                "Renames a base.",
                body: RouteBody(UpdateBaseBody.self, isChecked: false),
                reply: .json(BaseWire.self, "The base."),
                .schemaWrite,
                SchemaWriting.updateBase
            ),
            door.route(
                .delete,
                door.base,
                "deleteBase",
                "Deletes a base with all its tables.",
                reply: .json(DeletedWire.self, "It is deleted."),
                .schemaWrite,
                SchemaWriting.deleteBase
            ),
        ]
    }

    private static func tables(_ door: AirtableDoor) -> [Route] {
        [
            door.route(
                .post,
                door.tables,
                "createTable",
                "Adds a table to a base.",
                body: RouteBody(CreateTableBody.self, isChecked: false),
                reply: .json(MetaTableWire.self, "The table."),
                .schemaWrite,
                SchemaWriting.createTable
            ),
            door.route(
                .patch,
                door.table,
                "updateTable",
                "Renames a table, or describes it anew.",
                body: RouteBody(UpdateTableBody.self, isChecked: false),
                reply: .json(MetaTableWire.self, "The table."),
                .schemaWrite,
                SchemaWriting.updateTable
            ),
            door.route(
                .delete,
                door.table,
                "deleteTable",
                "Deletes a table with its records, and the fields that link to it.",
                reply: .json(DeletedWire.self, "It is deleted."),
                .schemaWrite,
                SchemaWriting.deleteTable
            ),
        ]
    }

    private static func fields(_ door: AirtableDoor) -> [Route] {
        let field = door.table + "/fields/{fieldIdOrName}"
        return [
            door.route(
                .post,
                door.table + "/fields",
                "createField",
                "Adds a field to a table.",
                body: RouteBody(CreateFieldBody.self, isChecked: false),
                reply: .json(FieldWire.self, "The field."),
                .schemaWrite,
                SchemaWriting.createField
            ),
            door.route(
                .patch,
                field,
                "updateField",
                "Renames a field, describes it anew, or changes its options.",
                body: RouteBody(UpdateFieldBody.self, isChecked: false),
                reply: .json(FieldWire.self, "The field."),
                .schemaWrite,
                SchemaWriting.updateField
            ),
            door.route(
                .delete,
                field,
                "deleteField",
                "Deletes a field with its cells, and of a link the field on the other side.",
                reply: .json(DeletedWire.self, "It is deleted."),
                .schemaWrite,
                SchemaWriting.deleteField
            ),
            door.route(
                .delete,
                field + "/choices/{choiceId}",
                "deleteChoice",
                "Deletes a choice of a select field, and takes it out of every record.",
                reply: .json(DeletedWire.self, "It is deleted."),
                .schemaWrite,
                SchemaWriting.deleteChoice
            ),
        ]
    }

    private static func views(_ door: AirtableDoor) -> [Route] {
        let view = door.base + "/views/{viewId}"
        return [
            door.route(
                .post,
                door.table + "/views",
                "createView",
                "Adds a view to a table.",
                body: RouteBody(CreateViewBody.self, isChecked: false),
                reply: .json(ViewWire.self, "The view."),
                .schemaWrite,
                ViewRoutes.create
            ),
            door.route(
                .patch,
                view,
                "updateView",
                "Changes a view; what is not given stays.",
                body: RouteBody(UpdateViewBody.self, isChecked: false),
                reply: .json(ViewWire.self, "The view."),
                .schemaWrite,
                ViewRoutes.update
            ),
            door.route(
                .delete,
                view,
                "deleteView",
                "Deletes a view, but not a table's last one.",
                reply: .json(DeletedWire.self, "It is deleted."),
                .schemaWrite,
                ViewRoutes.delete
            ),
        ]
    }
}
