import Access
import Domain
import Outbound

/// Changes of schema that the service takes: made there, then followed here.
struct HostedSchemaWrites: Sendable {
    let service: AirtableService
    let upstream: HostedUpstream
    let base: Base
    let schema: TenantSchema
    let context: RequestContext

    func createTable(_ draft: TableDraft) async throws -> Table {
        var body: JSONObject = ["name": .string(draft.name)]
        body["description"] = draft.description.map { .string($0) }
        var fields = draft.fields
        if let primary = draft.primaryField, let position = fields.firstIndex(where: { $0.name == primary }) {
            // The first one is the primary field there.
            fields.insert(fields.remove(at: position), at: 0)
        }
        body["fields"] = .array(try fields.map { try wire($0) })
        let reply = try await send(.post, ["tables"], body)
        return try await table(reply)
    }

    func createField(_ draft: FieldDraft, in table: TableID) async throws -> Field {
        guard case .object(let body) = try wire(draft) else { throw AirtableError.fieldNotFound() }
        let reply = try await send(.post, ["tables", table.description, "fields"], body)
        return try await field(reply, in: table)
    }

    func updateTable(_ table: TableID, _ update: TableUpdate) async throws -> Table {
        var body = JSONObject()
        body["name"] = update.name.map { .string($0) }
        body["description"] = update.description.map { .string($0) }
        _ = try await send(.patch, ["tables", table.description], body)
        return try await self.table(["id": .string(table.description)])
    }

    func updateField(_ field: FieldID, _ update: FieldUpdate, in table: TableID) async throws -> Field {
        guard let known = schema.table(table)?.field(id: field) else { throw AirtableError.fieldNotFound() }
        var body = JSONObject()
        body["name"] = update.name.map { .string($0) }
        body["description"] = update.description.map { .string($0) }
        body["options"] = update.options.flatMap { $0.wire(as: known.type) }.map { .object($0) }
        let reply = try await send(.patch, ["tables", table.description, "fields", field.description], body)
        return try await self.field(reply, in: table)
    }

    // MARK: Parts

    private func wire(_ draft: FieldDraft) throws(AirtableError) -> JSONValue {
        var field: JSONObject = ["name": .string(draft.name), "type": .string(draft.type.rawValue)]
        field["description"] = draft.description.map { .string($0) }
        var options = draft.options.wire(as: draft.type) ?? JSONObject()
        if draft.type == .multipleRecordLinks {
            options = JSONObject()
            options["linkedTableId"] = try linkedTable(draft).map { .string($0.description) }
            options["viewIdForRecordSelection"] = draft.options.recordSelectionView.map { .string($0.description) }
        }
        // What the service decides itself, and takes from nobody.
        for key in ["isValid", "isReversed", "inverseLinkFieldId"] { options[key] = nil }
        if let choices = options["choices"]?.arrayValue {
            options["choices"] = .array(
                choices.map { choice in
                    var choice = choice.objectValue ?? JSONObject()
                    choice["id"] = nil
                    return .object(choice)
                }
            )
        }
        if !options.isEmpty { field["options"] = .object(options) }
        return .object(field)
    }

    private func linkedTable(_ draft: FieldDraft) throws(AirtableError) -> TableID? {
        guard let name = draft.linkedTable else { return draft.options.linkedTable }
        let key = nameKey(name)
        let found = schema.tables(in: base.id).first { model in
            model.table.id.description == name || nameKey(model.table.name) == key
        }
        guard let found else {
            throw AirtableError(
                .invalidFieldOptions,
                "Field \"\(draft.name)\" links to \"\(name.cut(to: 255))\", which is no table of this base."
            )
        }
        return found.table.id
    }

    private func send(_ method: OutboundRequest.Method, _ path: [String], _ body: JSONObject) async throws -> JSONValue
    {
        try await upstream.client.send(
            method,
            ["meta", "bases", base.id.description] + path,
            body: .object(body),
            isRepeatable: method == .patch,
            base: base.id,
            try await upstream.call(for: base.workspace, context: context)
        )
    }

    /// The schema as it is there now.
    private func followed() async throws -> TenantSchema {
        let call = try await upstream.call(for: base.workspace, wantsFresh: true, context: context)
        let tables = try await upstream.client.tables(of: base.id, call)
        let stale = try await service.followSchema(tables, of: base.id, context: context)
        if !stale.isEmpty { try await service.wantSweep(of: base.id, context: context) }
        return try await service.read(context) { _, schema in schema }
    }

    private func table(_ reply: JSONValue) async throws -> Table {
        guard let id = reply["id"]?.stringValue.flatMap({ TableID($0) }), let found = try await followed().table(id)
        else { throw AirtableError.malformedHosted("a table that was written is not there") }
        return found.table
    }

    private func field(_ reply: JSONValue, in table: TableID) async throws -> Field {
        guard let id = reply["id"]?.stringValue.flatMap({ FieldID($0) }),
            let found = try await followed().table(table)?.field(id: id)
        else { throw AirtableError.malformedHosted("a field that was written is not there") }
        return found
    }
}

extension AirtableService {
    /// Who changes a base's schema in place of this store; nil when it does itself, or when there is no such base.
    func schemaWrites(of base: BaseID, context: RequestContext) async throws -> HostedSchemaWrites? {
        let schema = try await read(context) { _, schema in schema }
        guard let found = schema.base(base), schema.home(of: base) != .embedded else { return nil }
        try context.require(.schemaWrite)
        let scope = schema.widening(try await access.visibleScope(for: context, doing: .schemaWrite))
        // Names and links are found in the whole base there.
        _ = try schema.base(base, changingWhole: scope, .schemaWrite)
        for model in schema.tables(in: base) {
            _ = try schema.table(model.table.id, changingFields: scope, .schemaWrite)
        }
        return HostedSchemaWrites(
            service: self,
            upstream: try hostedService(),
            base: found,
            schema: schema,
            context: context
        )
    }

    func schemaWrites(of table: TableID, context: RequestContext) async throws -> HostedSchemaWrites? {
        let schema = try await read(context) { _, schema in schema }
        guard let base = schema.table(table)?.table.base else { return nil }
        if schema.home(of: base) != .embedded {
            _ = try schema.table(table, try await access.visibleScope(for: context, doing: .schemaWrite))
        }
        return try await schemaWrites(of: base, context: context)
    }
}
