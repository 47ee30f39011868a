package import Airtable
public import Domain

/// Bases, tables, views and records as resources, each for who may read it by the tool that answers the same.
///
/// Listed are schemas and views, by identifier; records are found by their template, or linked by what tools answer. What
/// is read is JSON, with characters that hide shown.
public struct AirtableResources: ResourceProvider {
    let reader: ResourceReader
    let prints: RecentPrints

    /// - Parameter prints: told of what was there when somebody asked to watch it.
    init(airtable: AirtableService, prints: RecentPrints) {
        reader = ResourceReader(airtable: airtable)
        self.prints = prints
    }

    /// For who watches nothing.
    package init(airtable: AirtableService) { self.init(airtable: airtable, prints: RecentPrints()) }

    // MARK: Listing

    public func resources(context: RequestContext) async throws -> [ResourceLink] {
        var links: [ResourceLink] = []
        let places = try await places(context)
        for base in places.bases {
            if places.schemaBases.contains(base.id) { links.append(.schema(of: base)) }
            let schemas = try await tables(in: base, .schemaRead, places.schemaBases, context)
            let shown = Set(schemas.map(\.table.id))
            let viewed = Dictionary(
                uniqueKeysWithValues: try await tables(in: base, .recordsRead, places.viewBases, context)
                    .map { ($0.table.id, $0) }
            )
            for table in schemas + viewed.values.filter({ !shown.contains($0.table.id) }).sorted(by: \.table.id) {
                if shown.contains(table.table.id) { links.append(.schema(of: table.table, base)) }
                for view in viewed[table.table.id]?.views ?? [] { links.append(.view(view, of: table.table, base)) }
            }
            if links.count >= Limits.resourcesListed { break }
        }
        return Array(links.prefix(Limits.resourcesListed))
    }

    private struct Places {
        var bases: [Base] = []
        var schemaBases: Set<BaseID> = []
        /// Bases whose views can be read.
        var viewBases: Set<BaseID> = []
    }

    private func places(_ context: RequestContext) async throws -> Places {
        var places = Places()
        let permissions = context.principal.permissions
        if permissions.contains(.schemaRead) {
            places.bases = try await reader.airtable.reads(by: .schemaRead).bases(context: context)
            places.schemaBases = Set(places.bases.map(\.id))
        }
        if permissions.contains(.recordsRead) {
            let reads = reader.airtable.reads(by: .recordsRead)
            for base in try await reads.bases(context: context) {
                if !places.schemaBases.contains(base.id) { places.bases.append(base) }
                do {
                    if try await reads.home(of: base.id, context: context) == .embedded {
                        places.viewBases.insert(base.id)
                    }
                } catch let error as AirtableError where error.isAboutAddress {
                    // Gone since it was listed.
                    continue
                }
            }
        }
        return places
    }

    /// None of a base that is gone since it was listed.
    private func tables(
        in base: Base,
        _ permission: Permission,
        _ bases: Set<BaseID>,
        _ context: RequestContext
    ) async throws -> [ViewedTable] {
        guard bases.contains(base.id) else { return [] }
        do {
            return try await reader.airtable.reads(by: permission).viewedTables(in: base.id, context: context)
        } catch let error as AirtableError where error.isAboutAddress {
            return []
        }
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
        [ResourceContents(of: try await reader.content(of: uri, context: context), uri: uri)]
    }

    /// Remembers what is there now, so that who listens a moment later hears of what changed in between.
    public func checkWatchable(_ uri: String, context: RequestContext) async throws {
        let content = try await reader.watched(uri, context: context)
        prints.keep(ContentPrint(content), of: uri, for: context.principal)
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
        return switch question.argument {
        case "baseId": try await places.bases(question.value, by: .identifier, context)
        case "table": try await places.tables(question.value, in: base, context)
        case "view": try await places.views(question.value, of: table, in: base, context)
        default: try await places.records(question.value, of: table, in: base, context)
        }
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

extension Sequence {
    fileprivate func sorted(by key: KeyPath<Element, some Comparable>) -> [Element] {
        sorted { $0[keyPath: key] < $1[keyPath: key] }
    }
}
