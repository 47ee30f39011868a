import Access
import Database
import Domain

/// Where one writer may do what they ask to: what every write of records goes through.
///
/// What they do not see is not there; what they see and may not change is refused. A rule of what may be changed is asked before
/// and after: nobody writes to a record beyond it, and nobody puts one beyond it, or out of their own sight.
struct WriteGate {
    let permission: Permission
    let sight: RecordSight

    init(_ permission: Permission, _ sight: RecordSight) {
        self.permission = permission
        self.sight = sight
    }

    private var refusal: AccessError { AccessError.forbidden(permission) }

    // MARK: Tables and fields

    /// - Throws: `AccessError.forbidden`.
    func requirePermission(in model: TableModel) throws {
        guard sight.scope.permits(table: model.table.id, in: model.table.base) else { throw refusal }
    }

    // MARK: Records that are there

    /// Rows that exist for the writer, before they are changed.
    ///
    /// - Throws: `AccessError.forbidden`.
    func requirePermission(for rows: [StoredRow], of model: TableModel) throws {
        guard let rule = actionRule(of: model.table.id) else { return }
        let records = try rows.map { try $0.record(rule.judged, times: rule.readsTimes) }
        guard try sight.verdicts(records, rule).allSatisfy({ $0 }) else { throw refusal }
    }

    // MARK: Records as they will be

    /// - Parameter records: whole, with the times of their changes.
    /// - Throws: `AccessError.forbidden`.
    func requirePermission(for records: [Record], in table: TableID) throws {
        for rule in [sight.rule(of: table), actionRule(of: table)].compactMap(\.self) {
            guard try sight.verdicts(records, rule).allSatisfy({ $0 }) else { throw refusal }
        }
    }

    /// Whether records of the table are looked at one by one.
    func hasRule(_ table: TableID) -> Bool { sight.rule(of: table) != nil || actionRule(of: table) != nil }

    private func actionRule(of table: TableID) -> CompiledRule? {
        sight.scope.actionRule(table: table).flatMap { sight.compile($0, table) }
    }
}

extension AirtableError {
    /// - Parameter name: of a field that may be there or not.
    static func notWritable(_ name: String, nearest: String? = nil) -> Self {
        Self(
            .invalidPermissions,
            "There is no field \"\(name.cut(to: 255))\" that you may write.",
            hint: nearest.map { "did you mean \"\($0)\"?" }
                ?? "this needs the permission \(Permission.recordsWrite.rawValue) on it"
        )
    }

    static func locked(_ field: Field) -> Self {
        Self(
            .invalidPermissions,
            "Field \"\(field.name)\" is one that you may not write.",
            hint: "this needs the permission \(Permission.recordsWrite.rawValue) on it"
        )
    }
}
