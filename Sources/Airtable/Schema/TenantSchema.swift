package import Domain

/// Every base and table of one tenant that can be seen, at one version. Immutable.
///
/// Bases and tables still being imported, or deleted and not yet cleared away, are not in it.
package final class TenantSchema: Sendable {
    package let tenant: TenantID
    /// Rises with every change of any schema of the tenant.
    package let version: Int64
    /// In the order they were made.
    package let bases: [Base]
    /// Whether cells of any table may name people, so that a write needs to know them.
    let namesPeople: Bool
    /// Bases that live at the hosted service; all others are embedded.
    private let homes: [BaseID: BaseHome]
    private let basesByID: [BaseID: Base]
    private let tablesByID: [TableID: TableModel]
    private let tablesByBase: [BaseID: [TableModel]]
    /// Of bases that have computed fields.
    private let graphs: [BaseID: DependencyGraph]

    /// - Parameters:
    ///   - tables: in the order people see them.
    ///   - homes: of bases that live at the hosted service, which computes their cells.
    package convenience init(
        tenant: TenantID,
        version: Int64,
        bases: [Base],
        tables: [TableModel],
        homes: [BaseID: BaseHome] = [:]
    ) {
        var graphs: [BaseID: DependencyGraph] = [:]
        for (base, models) in Dictionary(grouping: tables, by: \.table.base)
        where homes[base] == nil && models.contains(where: \.hasRules) {
            graphs[base] = DependencyGraph(tables: models.map(\.table))
        }
        let tables = tables.map { model in
            graphs[model.table.base].map { model.hasRules ? model.replacing($0.completing(model.table)) : model }
                ?? model
        }
        self.init(tenant, version, bases, tables, homes, graphs)
    }

    private init(
        _ tenant: TenantID,
        _ version: Int64,
        _ bases: [Base],
        _ tables: [TableModel],
        _ homes: [BaseID: BaseHome],
        _ graphs: [BaseID: DependencyGraph]
    ) {
        self.tenant = tenant
        self.version = version
        self.bases = bases
        self.homes = homes
        self.graphs = graphs
        self.namesPeople = tables.contains { $0.namesPeople }
        self.basesByID = Dictionary(bases.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.tablesByID = Dictionary(tables.map { ($0.table.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.tablesByBase = Dictionary(grouping: tables, by: \.table.base)
    }

    /// What is computed in a base, and from what; nil when nothing is.
    func graph(of base: BaseID) -> DependencyGraph? { graphs[base] }

    package func base(_ id: BaseID) -> Base? { basesByID[id] }
    package func table(_ id: TableID) -> TableModel? { tablesByID[id] }
    package func tables(in base: BaseID) -> [TableModel] { tablesByBase[base] ?? [] }
    package func home(of base: BaseID) -> BaseHome { homes[base] ?? .embedded }
    package var tables: some Collection<TableModel> { tablesByID.values }

    /// This schema with one table replaced, for the rest of a transaction that changes it.
    func replacing(_ model: TableModel) -> TenantSchema {
        let base = model.table.base
        var models = tables(in: base).map { $0.table.id == model.table.id ? model : $0 }
        var graphs = graphs
        if graphs[base] != nil {
            let graph = DependencyGraph(tables: models.map(\.table))
            graphs[base] = graph
            models = models.map { $0.hasRules ? $0.replacing(graph.completing($0.table)) : $0 }
        }
        let all = bases.flatMap { $0.id == base ? models : tables(in: $0.id) }
        return TenantSchema(tenant, version, bases, all, homes, graphs)
    }
}

/// How names of bases and tables are compared: without case, without space at either end.
func nameKey(_ name: String) -> String {
    name.trimmingSpace().lowercased()
}

extension String {
    /// Without white space at either end.
    func trimmingSpace() -> String {
        func isSpace(_ scalar: Unicode.Scalar?) -> Bool {
            guard let scalar else { return false }
            if scalar.isASCII { return scalar == " " || (0x09...0x0D).contains(scalar.value) }
            return scalar.properties.isWhitespace
        }
        guard isSpace(unicodeScalars.first) || isSpace(unicodeScalars.last) else { return self }
        var view = self[...].unicodeScalars
        while isSpace(view.first) { view.removeFirst() }
        while isSpace(view.last) { view.removeLast() }
        return String(view)
    }

    /// Whether it holds U+0000, which the databases' JSON functions do not take.
    var hasNUL: Bool {
        var text = self
        return text.withUTF8 { bytes in
            // Without a way out of the loop it runs on vectors.
            var found = false
            for byte in bytes { found = found || byte == 0 }
            return found
        }
    }
}
