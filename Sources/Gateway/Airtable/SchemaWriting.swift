import Airtable
import Domain
import HTTPTypes

/// What requests to change bases, tables and fields do, whether they came by Airtable's own paths or by ours: bodies
/// and answers are the same.
enum SchemaWriting {
    // MARK: Bases

    @Sendable
    static func createBase(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let body = try call.airtableBody()
        let name = try body.requiredText("name")
        guard let bodies = try body.objects("tables") else { throw AirtableRefusal.missing("tables") }
        let made = try await call.services.airtable.createBase(
            name: name,
            tables: try bodies.map { try TableDraft($0) },
            workspace: try await workspace(body.text("workspaceId"), call, context),
            context: context
        )
        return try AirtableReply.json([
            "id": .string(made.base.id.description),
            "tables": .array(made.tables.map { MetaTable.json(ViewedTable(new: $0)) }),
        ])
    }

    /// Nil for the first one.
    private static func workspace(
        _ text: String?,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws -> WorkspaceID? {
        guard let text else { return nil }
        let id = WorkspaceID(text)
        if try await call.services.airtable.hasWorkspace(id, context: context) { return id }
        guard call.services.emulation.acceptsAnyWorkspace else {
            throw AirtableError(.modelNotFound, "There is no such workspace, or you may not see it.")
        }
        return nil
    }

    @Sendable
    static func updateBase(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let name = try call.airtableBody().requiredText("name")
        let base = try await call.services.airtable.renameBase(call.baseID, to: name, context: context)
        return try .json(BaseWire(base))
    }

    @Sendable
    static func deleteBase(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let id = try call.baseID
        try await call.services.airtable.deleteBase(id, context: context)
        return try AirtableReply.deleted(id)
    }

    // MARK: Tables

    @Sendable
    static func createTable(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let draft = try TableDraft(call.airtableBody())
        let table = try await call.services.airtable.createTable(draft, in: call.baseID, context: context)
        return try AirtableReply.json(MetaTable.json(ViewedTable(new: table)))
    }

    @Sendable
    static func updateTable(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let body = try call.airtableBody()
        let update = TableUpdate(
            name: try body.text("name"),
            description: body.isNull("description") ? "" : try body.text("description")
        )
        let table = try await call.anyTable(context)
        let changed = try await call.services.airtable.updateTable(table.id, update, context: context)
        let tables = try await call.reads.viewedTables(in: table.base, context: context)
        let views = tables.first { $0.table.id == table.id }?.views ?? []
        return try AirtableReply.json(MetaTable.json(ViewedTable(table: changed, views: views)))
    }

    @Sendable
    static func deleteTable(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let table = try await call.anyTable(context)
        try await call.services.airtable.deleteTable(table.id, context: context)
        return try AirtableReply.deleted(table.id)
    }

    // MARK: Fields

    @Sendable
    static func createField(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let draft = try FieldDraft(call.airtableBody())
        let table = try await call.anyTable(context)
        let field = try await call.services.airtable.createField(draft, in: table.id, context: context)
        return try AirtableReply.json(MetaTable.json(field))
    }

    @Sendable
    static func updateField(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let body = try call.airtableBody()
        let table = try await call.anyTable(context)
        let field = try call.field(of: table)
        let changed = try await call.services.airtable.updateField(
            field.id,
            try FieldUpdate(wire: .object(body.members), of: field),
            in: table.id,
            context: context
        )
        return try AirtableReply.json(MetaTable.json(changed))
    }

    @Sendable
    static func deleteField(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let table = try await call.anyTable(context)
        let field = try call.field(of: table)
        try await call.services.airtable.deleteField(field.id, in: table.id, context: context)
        return try AirtableReply.deleted(field.id)
    }

    @Sendable
    static func deleteChoice(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let id: ChoiceID = try call.identifier(.choiceId)
        let table = try await call.anyTable(context)
        let field = try call.field(of: table)
        try await call.services.airtable.deleteChoice(id, of: field.id, in: table.id, context: context)
        return try AirtableReply.deleted(id)
    }
}

extension RouteCall {
    /// The field of `table` that the path names, by identifier or name.
    fileprivate func field(of table: Table) throws -> Field {
        let name = try fieldName
        if let field = table.field(name) { return field }
        throw AirtableError(
            .modelNotFound,
            "There is no such field, or you may not see it.",
            hint: Spelling.nearest(to: name, among: table.fields.map(\.name)).map { "did you mean \"\($0)\"?" }
        )
    }
}
