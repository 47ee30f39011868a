import Airtable
import Domain
import HTTPTypes

/// Bases and tables, for reading.
enum BaseRoutes {
    static let all = [bases, base, tables, table]

    private static let bases = Route(
        .get,
        "/api/v1/airtable/bases",
        name: "listBases",
        summary: "Every base you may see.",
        reply: .json(BaseListWire.self, "The bases, in the order they were made."),
        handler: .requires(.basesRead) { call, context in
            let bases = try await call.reads.bases(context: context)
            return try .json(BaseListWire(bases: bases.map(BaseWire.init)))
        }
    )

    private static let base = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}",
        name: "getBase",
        summary: "One base.",
        reply: .json(BaseWire.self, "The base."),
        problems: [.notFound],
        handler: .requires(.basesRead) { call, context in
            let id: BaseID = try call.identifier(.baseId)
            return try .json(BaseWire(try await call.reads.base(id.description, context: context)))
        }
    )

    private static let tables = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}/tables",
        name: "listTables",
        summary: "The tables of a base, with their fields and views.",
        reply: .json(MetaTableListWire.self, "The tables, in the order people see them."),
        problems: [.notFound],
        handler: .requires(.schemaRead) { call, context in
            let tables = try await call.reads.viewedTables(in: call.baseID, context: context)
            return try AirtableReply.json([
                "tables": .array(tables.map { MetaTable.json($0, showsVisibleFields: true) })
            ])
        }
    )

    private static let table = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}/tables/{tableId}",
        name: "getTable",
        summary: "One table, with its fields and views.",
        reply: .json(MetaTableWire.self, "The table."),
        problems: [.notFound],
        handler: .requires(.schemaRead) { call, context in
            let id: TableID = try call.identifier(.tableId)
            let tables = try await call.reads.viewedTables(in: call.baseID, context: context)
            guard let table = tables.first(where: { $0.table.id == id }) else {
                throw AirtableError(.modelNotFound, "There is no such table, or you may not see it.")
            }
            return try AirtableReply.json(MetaTable.json(table, showsVisibleFields: true))
        }
    )
}

extension RouteCall {
    /// The table in the path, which must belong to the base in the path.
    func table(_ context: Domain.RequestContext) async throws -> Table {
        let base: BaseID = try identifier(.baseId)
        let table: TableID = try identifier(.tableId)
        return try await reads.table(table.description, in: base, context: context)
    }
}
