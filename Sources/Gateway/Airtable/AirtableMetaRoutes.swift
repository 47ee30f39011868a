import Airtable
import Domain
import HTTPTypes

/// Airtable's meta API: who is calling, bases, tables and fields; and, beyond it, deleting them.
enum AirtableMetaRoutes {
    static let all = [whoami, bases, createBase, deleteBase, tables, createTable, deleteTable, createField]

    private static let whoami = Route(
        .get,
        "/v0/meta/whoami",
        name: "airtableWhoami",
        summary: "Who the key belongs to, and what it may do in Airtable's words.",
        reply: .json(WhoamiWire.self, "The caller."),
        handler: .authenticated { _, context in
            let scopes = AirtableScope.names(context.principal.permissions)
            return try AirtableReply.json([
                "id": .string(context.principal.user.description), "scopes": .array(scopes.map { .string($0) }),
            ])
        }
    )

    private static let bases = Route(
        .get,
        "/v0/meta/bases",
        name: "airtableListBases",
        summary: "Every base you may see.",
        query: [QueryParameter("offset", "Taken, and not needed: all bases are on one page.", .string())],
        readsQuery: true,
        reply: .json(MetaBaseListWire.self, "The bases, in the order they were made."),
        handler: .requires(.basesRead) { call, context in
            let bases = try await call.reads.bases(context: context)
            let level = AirtableScope.level(context.principal.permissions)
            return try AirtableReply.json([
                "bases": .array(
                    bases.map { base in
                        [
                            "id": .string(base.id.description), "name": .string(base.name),
                            "permissionLevel": .string(level),
                        ]
                    }
                )
            ])
        }
    )

    private static let createBase = Route(
        .post,
        "/v0/meta/bases",
        name: "airtableCreateBase",
        summary: "Makes a base with its tables.",
        body: SchemaWriting.baseBody,
        reply: .json(CreatedBaseWire.self, "The base and its tables."),
        handler: .requires(.schemaWrite, SchemaWriting.createBase)
    )

    private static let deleteBase = Route(
        .delete,
        "/v0/meta/bases/{baseId}",
        name: "airtableDeleteBase",
        summary: "Deletes a base with all its tables.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .airtable(.schemaWrite, SchemaWriting.deleteBase)
    )

    private static let tables = Route(
        .get,
        "/v0/meta/bases/{baseId}/tables",
        name: "airtableListTables",
        summary: "The tables of a base, with their fields.",
        query: [QueryParameter("include", "What to add to views.", .string(enum: ["visibleFieldIds"]))],
        readsQuery: true,
        reply: .json(MetaTableListWire.self, "The tables, in the order people see them."),
        handler: .airtable(.schemaRead) { call, context in
            let tables = try await call.reads.tables(in: call.baseID, context: context)
            return try AirtableReply.json(["tables": .array(tables.map(MetaTable.json))])
        }
    )

    private static let createTable = Route(
        .post,
        "/v0/meta/bases/{baseId}/tables",
        name: "airtableCreateTable",
        summary: "Adds a table to a base.",
        body: SchemaWriting.tableBody,
        reply: .json(MetaTableWire.self, "The table."),
        handler: .airtable(.schemaWrite, SchemaWriting.createTable)
    )

    private static let deleteTable = Route(
        .delete,
        "/v0/meta/bases/{baseId}/tables/{tableIdOrName}",
        name: "airtableDeleteTable",
        summary: "Deletes a table with its records, and the fields that link to it.",
        reply: .json(DeletedWire.self, "It is deleted."),
        handler: .airtable(.schemaWrite, SchemaWriting.deleteTable)
    )

    private static let createField = Route(
        .post,
        "/v0/meta/bases/{baseId}/tables/{tableIdOrName}/fields",
        name: "airtableCreateField",
        summary: "Adds a field to a table.",
        body: SchemaWriting.fieldBody,
        reply: .json(FieldWire.self, "The field."),
        handler: .airtable(.schemaWrite, SchemaWriting.createField)
    )
}
