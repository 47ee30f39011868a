import Access
package import Airtable
public import Domain

/// Bases, tables, views and records as resources, each for who may read it by the tool that answers the same.
///
/// Listed are schemas and views, by identifier; records are found by their template, or linked by what tools answer. What
/// is read is JSON, with characters that hide shown.
public struct AirtableResources: ResourceProvider {
    let reader: ResourceReader
    let prints: RecentPrints
    private let orders: ShownOrders?

    /// - Parameters:
    ///   - prints: told of what was there when somebody asked to watch it.
    ///   - orders: told of what is shown.
    init(airtable: AirtableService, prints: RecentPrints, orders: ShownOrders? = nil) {
        reader = ResourceReader(airtable: airtable)
        self.orders = orders
        self.prints = prints
    }

    /// For who watches nothing.
    package init(airtable: AirtableService) { self.init(airtable: airtable, prints: RecentPrints()) }

    // MARK: Listing

    public func resources(context: RequestContext) async throws -> [ResourceLink] {
        let schemas = try await bases(.schemaRead, context)
        // The views of other bases are at the hosted service.
        let viewed = try await bases(.recordsRead, context).filter { $0.home == .embedded }
        let views = Dictionary(uniqueKeysWithValues: viewed.flatMap(\.tables).map { ($0.table.id, $0.views) })
        var links: [ResourceLink] = []
        for base in schemas {
            links.append(.schema(of: base.base))
            for table in base.tables.map(\.table) {
                links.append(.schema(of: table, base.base))
                links += (views[table.id] ?? []).map { .view($0, of: table, base.base) }
            }
        }
        // Whose schema is not open to this caller, but their records are.
        let shown = Set(schemas.flatMap(\.tables).map(\.table.id))
        for base in viewed {
            for table in base.tables where !shown.contains(table.table.id) {
                links += table.views.map { .view($0, of: table.table, base.base) }
            }
        }
        let listed = Array(links.prefix(Limits.resourcesListed))
        orders?.look(at: .array(listed.map { .string($0.name) }), for: context)
        return listed
    }

    private func bases(_ permission: Permission, _ context: RequestContext) async throws -> [ViewedBase] {
        guard context.principal.permissions.contains(permission) else { return [] }
        return try await reader.airtable.reads(by: permission)
            .viewedBases(tablesMax: Limits.resourcesListed, context: context)
    }

    public func templates(context: RequestContext) async throws -> [ResourceTemplate] {
        Template.allCases.filter { context.principal.permissions.contains($0.permission) }.map(\.definition)
    }

    // MARK: Reading

    public func read(
        _ uri: String,
        caller: any ToolCaller,
        context: RequestContext
    ) async throws -> [ResourceContents] {
        let content = try await reader.content(of: uri, context: context)
        orders?.look(at: content.json, for: context)
        return [ResourceContents(of: content, uri: uri)]
    }

    /// Remembers what is there now, so that who listens a moment later hears of what changed in between.
    ///
    /// - Throws: `ResourceError.notFound`, also for whom no address of its form is open.
    public func checkWatchable(_ uri: String, context: RequestContext) async throws {
        let content: ResourceContent
        do { content = try await reader.watched(uri, context: context) } catch let error as AccessError
            where error.kind == .forbidden
        {
            throw ResourceError.notFound(uri, hint: error.message)
        }
        prints.keep(ContentPrint(content), of: .resource(uri: uri), for: RecentPrints.Keeper(context.principal))
    }

    // MARK: Completion

    /// Identifiers where the place is an identifier, names where it takes names; both are found by either. Other places than the
    /// template's have nothing.
    public func complete(
        _ question: CompletionQuestion,
        template: String,
        context: RequestContext
    ) async throws -> Completion {
        let found = Template.allCases.first { $0.definition.uriTemplate == template }
        guard let found, context.principal.permissions.contains(found.permission) else {
            throw ResourceError.unknownTemplate(template)
        }
        guard found.places.contains(question.argument) else { return Completion(values: [], total: 0) }
        let places = PlaceCompletion(airtable: reader.airtable, permission: found.permission)
        let (base, table) = (question.others["baseId"], question.others["table"])
        let completion =
            switch question.argument {
            case "baseId": try await places.bases(question.value, by: .identifier, context)
            case "table": try await places.tables(question.value, in: base, context)
            case "view": try await places.views(question.value, of: table, in: base, context)
            default: try await places.records(question.value, of: table, in: base, context)
            }
        orders?.look(at: completion.shown, for: context)
        return completion
    }
}

extension AirtableResources {
    /// The four forms of addresses.
    enum Template: CaseIterable {
        case base, table, record, view

        var permission: Permission {
            switch self {
            case .base, .table: .schemaRead
            case .record, .view: .recordsRead
            }
        }

        var places: [String] {
            switch self {
            case .base: ["baseId"]
            case .table: ["baseId", "table"]
            case .record: ["baseId", "table", "recordId"]
            case .view: ["baseId", "table", "view"]
            }
        }

        var definition: ResourceTemplate {
            switch self {
            case .base:
                ResourceTemplate(
                    uriTemplate: "airtable://{baseId}/schema",
                    name: "base_schema",
                    title: "Schema of a base",
                    description: "The tables of a base with the names of their fields.",
                    mediaType: ResourceContents.json
                )
            case .table:
                ResourceTemplate(
                    uriTemplate: "airtable://{baseId}/{table}/schema",
                    name: "table_schema",
                    title: "Schema of a table",
                    description: "The fields of a table: types, choices, links; and its views. Table by name or id.",
                    mediaType: ResourceContents.json
                )
            case .record:
                ResourceTemplate(
                    uriTemplate: "airtable://{baseId}/{table}/{recordId}",
                    name: "record",
                    title: "A record",
                    description: "One record whole, with the names of the records it links to. Table by name or id.",
                    mediaType: ResourceContents.json
                )
            case .view:
                ResourceTemplate(
                    uriTemplate: "airtable://{baseId}/{table}/views/{view}",
                    name: "view",
                    title: "Records of a view",
                    description: """
                        The first records of a view, in its order, with the address of the next ones. Table and view by \
                        name or id.
                        """,
                    mediaType: ResourceContents.json
                )
            }
        }
    }
}

extension ResourceContents {
    static let json = "application/json"

    init(of content: ResourceContent, uri: String) {
        self.init(uri: uri, mediaType: Self.json, .text(HiddenText.visible(content.json).text))
    }
}

extension ResourceLink {
    fileprivate static func schema(of base: Base) -> Self {
        let name = HiddenText.visible(base.name)
        return ResourceLink(
            uri: ResourceAddress.base(base.id).uri,
            name: name,
            title: "Schema of \(name)",
            description: "The tables of the base, with the names of their fields.",
            mediaType: ResourceContents.json
        )
    }

    fileprivate static func schema(of table: Table, _ base: Base) -> Self {
        let name = HiddenText.visible(table.name)
        return ResourceLink(
            uri: ResourceAddress.table(table).uri,
            name: HiddenText.visible("\(base.name)/\(table.name)"),
            title: "Schema of \(name)",
            description: "The fields of the table: types, choices, links.",
            mediaType: ResourceContents.json
        )
    }

    fileprivate static func view(_ view: TableView, of table: Table, _ base: Base) -> Self {
        ResourceLink(
            uri: ResourceAddress.view(view.id, of: table).uri,
            name: HiddenText.visible("\(base.name)/\(table.name)/\(view.name)"),
            title: HiddenText.visible("\(table.name): \(view.name)"),
            description: "The first records of the view, in its order.",
            mediaType: ResourceContents.json
        )
    }
}
