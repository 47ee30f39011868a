import Airtable
import Domain
import HTTPTypes

/// What requests to change bases and tables do, whether they came by Airtable's own paths or by ours: bodies and
/// answers are the same.
enum SchemaWriting {
    static let baseBody = RouteBody(CreateBaseBody.self, isChecked: false)
    static let tableBody = RouteBody(CreateTableBody.self, isChecked: false)
    static let fieldBody = RouteBody(CreateFieldBody.self, isChecked: false)

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
            "id": .string(made.base.id.description), "tables": .array(made.tables.map(MetaTable.json)),
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
    static func deleteBase(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let id = try call.baseID
        try await call.services.airtable.deleteBase(id, context: context)
        return try AirtableReply.deleted(id)
    }

    @Sendable
    static func createTable(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let draft = try TableDraft(call.airtableBody())
        let table = try await call.services.airtable.createTable(draft, in: call.baseID, context: context)
        return try AirtableReply.json(MetaTable.json(table))
    }

    @Sendable
    static func deleteTable(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let table = try await call.anyTable(context)
        try await call.services.airtable.deleteTable(table.id, context: context)
        return try AirtableReply.deleted(table.id)
    }

    @Sendable
    static func createField(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let draft = try FieldDraft(call.airtableBody())
        let table = try await call.anyTable(context)
        let field = try await call.services.airtable.createField(draft, in: table.id, context: context)
        return try AirtableReply.json(MetaTable.json(field))
    }
}
