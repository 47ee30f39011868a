import Database
import Domain

/// One transaction of changes to fields that exist: writes them, and gathers what the change log is told.
///
/// Keeps what depends on a field in step: a deleted link takes its other side with it, and what was computed through
/// a field that is gone is marked as no longer valid.
struct SchemaEdit {
    let base: BaseID
    let schema: TenantSchema
    let tenant: TenantID
    var entries: [ChangeEntry] = []
    /// Tables that go with all their fields: nothing is told of those.
    var droppedTables: Set<TableID> = []
    private var deleted: Set<FieldID> = []
    /// Fields as they are by now, where that is not as the schema has them.
    private var changed: [FieldID: Field] = [:]
    private let store = SchemaStore()

    init(base: BaseID, schema: TenantSchema, tenant: TenantID) {
        self.base = base
        self.schema = schema
        self.tenant = tenant
    }

    mutating func update(_ old: Field, to new: Field, of table: TableID, in transaction: any Transaction) throws {
        if old == new { return }
        changed[new.id] = new
        try store.update(new, tenant: tenant, in: transaction)
        entries.append(ChangeEntry(base: base, table: table, schema: .fieldUpdated(before: old, after: new)))
    }

    /// Deletes a field, the other side of a link, and marks what was computed from either.
    mutating func delete(_ field: Field, of table: TableID, in transaction: any Transaction) throws {
        guard deleted.insert(field.id).inserted else { return }
        try store.deleteField(field.id, tenant: tenant, in: transaction)
        entries.append(ChangeEntry(base: base, table: table, schema: .fieldDeleted(field)))
        if let linked = field.options.linkedTable, let inverse = field.options.inverseLinkField,
            !droppedTables.contains(linked),
            let other = schema.table(linked)?.field(id: inverse)
        {
            try delete(other, of: linked, in: transaction)
        }
        for model in schema.tables(in: base) where !droppedTables.contains(model.table.id) {
            for known in model.table.fields where !deleted.contains(known.id) {
                let dependent = changed[known.id] ?? known
                guard dependent.options.isMade(from: field.id) else { continue }
                try update(dependent, to: dependent.without(field.id), of: model.table.id, in: transaction)
            }
        }
    }
}

extension Field {
    /// This computed field now that `field` is gone: one that only watches it watches the rest.
    fileprivate func without(_ field: FieldID) -> Field {
        var changed = self
        switch type {
        case .lastModifiedTime, .lastModifiedBy:
            changed.options.referencedFields?.removeAll { $0 == field }
            if changed.options.referencedFields?.isEmpty == true { changed.options.isValid = false }
        default: changed.options.isValid = false
        }
        return changed
    }
}

extension FieldOptions {
    /// Whether a computed field goes through `field`, shows it, or names it.
    func isMade(from field: FieldID) -> Bool {
        recordLinkField == field || fieldInLinkedTable == field || referencedFields?.contains(field) == true
            || prompt?.contains(.field(field)) == true
    }
}
