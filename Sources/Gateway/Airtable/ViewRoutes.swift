import Airtable
import Domain
import HTTPTypes

/// Views by either way: reading, and what requests to change them do.
enum ViewRoutes {
    static func all(by door: AirtableDoor) -> [Route] {
        // Here a view always says it; clients of Airtable's API ask for it all the same.
        let query = door == .airtable ? [include] : []
        return [
            door.route(
                .get,
                door.base + "/views",
                "listViews",
                "The views of a base's tables.",
                query: query,
                reply: .json(ViewListWire.self, "The views, table by table."),
                .schemaRead
            ) { call, context in
                let tables = try await call.reads.viewedTables(in: call.baseID, context: context)
                return try AirtableReply.json([
                    "views": .array(tables.flatMap { table in table.views.map { MetaTable.whole($0, table.table) } })
                ])
            },
            door.route(
                .get,
                door.base + "/views/{viewId}",
                "getView",
                "One view.",
                query: query,
                reply: .json(ViewWire.self, "The view."),
                .schemaRead
            ) { call, context in
                let (view, table) = try await call.view(context)
                return try AirtableReply.json(MetaTable.whole(view, table))
            },
        ]
    }

    static let include = QueryParameter(
        "include",
        "What to add to views: `visibleFieldIds`; may be given again. Views alone always have it.",
        .string()
    )

    @Sendable
    static func create(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let body = try call.airtableBody()
        let name = try body.requiredText("name")
        if let type = try body.text("type"), type != "grid" {
            throw AirtableRefusal.invalid("type must be grid: views of other types cannot be made.")
        }
        let draft = ViewDraft(
            name: name,
            filter: try body.text("filterByFormula"),
            sort: try sort(body) ?? [],
            visibleFields: try body.texts("visibleFieldIds")
        )
        let table = try await call.anyTable(context)
        let view = try await call.services.airtable.createView(draft, in: table.id, context: context)
        return try AirtableReply.json(MetaTable.whole(view, table))
    }

    @Sendable
    static func update(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let body = try call.airtableBody()
        // What is null is taken away.
        let update = ViewUpdate(
            name: try body.text("name"),
            filter: body.isNull("filterByFormula") ? "" : try body.text("filterByFormula"),
            sort: body.isNull("sort") ? [] : try sort(body),
            visibleFields: body.isNull("visibleFieldIds") ? [] : try body.texts("visibleFieldIds")
        )
        let (view, table) = try await call.view(context)
        let changed = try await call.services.airtable.updateView(view.id, update, in: table.id, context: context)
        return try AirtableReply.json(MetaTable.whole(changed, table))
    }

    @Sendable
    static func delete(_ call: RouteCall, _ context: Domain.RequestContext) async throws -> Reply {
        let (view, table) = try await call.view(context)
        try await call.services.airtable.deleteView(view.id, in: table.id, context: context)
        return try AirtableReply.deleted(view.id)
    }

    private static func sort(_ body: AirtableBody) throws(AirtableRefusal) -> [RecordQuery.SortKey]? {
        guard let keys = try body.objects("sort") else { return nil }
        var sort: [RecordQuery.SortKey] = []
        for key in keys { sort.append(try ListRequest.sortKey(key.text("field"), key.text("direction"))) }
        return sort
    }
}

extension RouteCall {
    /// The view that the path names, with its table.
    fileprivate func view(_ context: Domain.RequestContext) async throws -> (TableView, Table) {
        let id: ViewID = try identifier(.viewId)
        for table in try await reads.viewedTables(in: baseID, context: context) {
            if let view = table.views.first(where: { $0.id == id }) { return (view, table.table) }
        }
        throw AirtableError.noSuchView()
    }
}
