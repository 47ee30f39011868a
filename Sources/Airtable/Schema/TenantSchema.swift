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
    private let basesByID: [BaseID: Base]
    private let tablesByID: [TableID: TableModel]
    private let tablesByBase: [BaseID: [TableModel]]

    /// - Parameter tables: in the order people see them.
    package init(tenant: TenantID, version: Int64, bases: [Base], tables: [TableModel]) {
        self.tenant = tenant
        self.version = version
        self.bases = bases
        self.namesPeople = tables.contains { $0.namesPeople }
        self.basesByID = Dictionary(bases.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.tablesByID = Dictionary(tables.map { ($0.table.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.tablesByBase = Dictionary(grouping: tables, by: \.table.base)
    }

    package func base(_ id: BaseID) -> Base? { basesByID[id] }
    package func table(_ id: TableID) -> TableModel? { tablesByID[id] }
    package func tables(in base: BaseID) -> [TableModel] { tablesByBase[base] ?? [] }
    package var tables: some Collection<TableModel> { tablesByID.values }

    /// This schema with one table replaced, for the rest of a transaction that changes it.
    func replacing(_ model: TableModel) -> TenantSchema {
        let tables = bases.flatMap { self.tables(in: $0.id) }.map { $0.table.id == model.table.id ? model : $0 }
        return TenantSchema(tenant: tenant, version: version, bases: bases, tables: tables)
    }
}

/// How names of bases and tables are compared: without case, without space at either end.
func nameKey(_ name: String) -> String {
    name.trimmingSpace().lowercased()
}

extension String {
    /// Without white space at either end.
    func trimmingSpace() -> String {
        func isSpace(_ scalar: Unicode.Scalar?) -> Bool { scalar?.properties.isWhitespace == true }
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
