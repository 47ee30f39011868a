import Database
import Domain

/// Brings the schema that is kept of a hosted base in step with what the service says, inside one transaction.
///
/// Identifiers are the service's own. Names are too, unless two are the same without regard to case, which the store
/// does not take: the later one gets a number then.
struct HostedSchemaEdit {
    let base: BaseID
    let schema: TenantSchema
    let transaction: any Transaction
    private(set) var entries: [ChangeEntry] = []
    /// Tables of which every record must be read again.
    private(set) var stale: Set<TableID> = []
    private var isReordered = false
    private let store = SchemaStore()

    init(base: BaseID, schema: TenantSchema, transaction: any Transaction) {
        self.base = base
        self.schema = schema
        self.transaction = transaction
    }

    var isEmpty: Bool { entries.isEmpty && !isReordered }
    private var tenant: TenantID { schema.tenant }

    mutating func apply(_ tables: [HostedTable]) throws {
        let known = schema.tables(in: base)
        let wanted = Set(tables.map(\.id))
        for model in known where !wanted.contains(model.table.id) {
            try store.deleteTable(number: model.number, tenant: tenant, in: transaction)
            entries.append(ChangeEntry(base: base, table: model.table.id, kind: .tableDeleted))
        }
        var names: [String] = []
        for table in tables { names.append(SchemaBuilder.uniqueName(Self.shown(table.name), among: names)) }
        try makeRoom(for: Dictionary(zip(tables.map(\.id), names), uniquingKeysWith: { first, _ in first }))
        for (position, table) in tables.enumerated() {
            if let model = schema.table(table.id) {
                try update(model, to: table, named: names[position])
            } else {
                try insert(table, named: names[position], at: position)
            }
        }
        guard known.map(\.table.id).filter(wanted.contains) != tables.map(\.id) else { return }
        try store.order(tables.map(\.id), tenant: tenant, in: transaction)
        isReordered = true
    }

    // MARK: Tables

    /// Two tables may have changed names with each other: whoever is renamed gives their name away first.
    private func makeRoom(for names: [TableID: String]) throws {
        for model in schema.tables(in: base) {
            guard let name = names[model.table.id], nameKey(name) != nameKey(model.table.name) else { continue }
            let head = TableHead(name: model.table.id.description, description: model.table.description)
            try store.update(head, ofTable: model.number, tenant: tenant, in: transaction)
        }
    }

    private mutating func insert(_ table: HostedTable, named name: String, at position: Int) throws {
        let names = Self.names(of: table)
        let fields = table.fields.enumerated().map { position, field in
            var field = field.field(ordinal: position + 1)
            field.name = names[position]
            return field
        }
        let new = Table(
            id: table.id,
            base: base,
            name: name,
            description: Self.shown(description: table.description),
            primaryField: table.primaryField,
            fields: fields
        )
        _ = try store.insert(new, position: position, state: .ready, tenant: tenant, in: transaction)
        entries.append(ChangeEntry(base: base, table: table.id, schema: .tableCreated(name: name)))
        stale.insert(table.id)
    }

    private mutating func update(_ model: TableModel, to table: HostedTable, named name: String) throws {
        let before = TableHead(name: model.table.name, description: model.table.description)
        let after = TableHead(name: name, description: Self.shown(description: table.description))
        if after != before {
            try store.update(after, ofTable: model.number, tenant: tenant, in: transaction)
            let change = SchemaChange.tableUpdated(before: before, after: after)
            entries.append(ChangeEntry(base: base, table: table.id, schema: change))
        }
        if table.primaryField != model.table.primaryField {
            try store.setPrimaryField(table.primaryField, ofTable: model.number, tenant: tenant, in: transaction)
            isReordered = true
        }
        try updateFields(of: model, to: table)
    }

    // MARK: Fields

    private mutating func updateFields(of model: TableModel, to table: HostedTable) throws {
        let wanted = Set(table.fields.map(\.id))
        for field in model.table.fields where !wanted.contains(field.id) {
            try store.deleteField(field.id, tenant: tenant, in: transaction)
            entries.append(ChangeEntry(base: base, table: table.id, schema: .fieldDeleted(field)))
        }
        let names = Self.names(of: table)
        var nextOrdinal = model.nextOrdinal
        for (position, hosted) in table.fields.enumerated() {
            let known = model.field(id: hosted.id)
            var field = hosted.field(ordinal: known?.ordinal ?? nextOrdinal)
            field.name = names[position]
            if let known {
                if field == known { continue }
                try change(known, to: field, of: model, &nextOrdinal)
            } else {
                try add(field, to: model, &nextOrdinal)
            }
        }
        let kept = model.table.fields.map(\.id).filter(wanted.contains)
        let new = table.fields.map(\.id).filter { model.field(id: $0) == nil }
        guard !new.isEmpty || kept != table.fields.map(\.id) else { return }
        try store.order(table.fields.map(\.id), tenant: tenant, in: transaction)
        isReordered = true
    }

    private mutating func change(
        _ known: Field,
        to field: Field,
        of model: TableModel,
        _ nextOrdinal: inout Int
    ) throws {
        var field = field
        if field.type != known.type {
            field = field.moved(to: nextOrdinal)
            nextOrdinal += 1
            try store.renew(
                field,
                from: known.ordinal,
                tableNumber: model.number,
                tenant: tenant,
                in: transaction
            )
            stale.insert(model.table.id)
        } else {
            try store.update(field, tenant: tenant, in: transaction)
            // Choices may be gone from records, and another formula gives other values.
            if field.options != known.options { stale.insert(model.table.id) }
        }
        let change = SchemaChange.fieldUpdated(before: known, after: field)
        entries.append(ChangeEntry(base: base, table: model.table.id, schema: change))
    }

    private mutating func add(_ field: Field, to model: TableModel, _ nextOrdinal: inout Int) throws {
        nextOrdinal += 1
        stale.insert(model.table.id)
        entries.append(ChangeEntry(base: base, table: model.table.id, schema: .fieldCreated(field)))
        guard try store.hasDeleted(field.id, tenant: tenant, in: transaction) else {
            return try store.append(field, to: model, tenant: tenant, in: transaction)
        }
        // The service lets people take a deletion back.
        let old = try store.ordinal(of: field.id, tenant: tenant, in: transaction)
        try store.renew(field, from: old, tableNumber: model.number, tenant: tenant, in: transaction)
    }

    // MARK: Names

    private static func names(of table: HostedTable) -> [String] {
        var names: [String] = []
        for field in table.fields { names.append(SchemaBuilder.uniqueName(shown(field.name), among: names)) }
        return names
    }

    /// As the store can keep it.
    private static func shown(_ name: String) -> String {
        let name = name.replacing("\u{0}", with: "\u{FFFD}")
        return name.trimmingSpace().isEmpty ? "(no name)" : name
    }

    private static func shown(description: String?) -> String? {
        description.flatMap { $0.isEmpty ? nil : $0.replacing("\u{0}", with: "\u{FFFD}") }
    }
}

extension Field {
    /// The same field under another ordinal.
    fileprivate func moved(to ordinal: Int) -> Field {
        Field(id: id, name: name, type: type, description: description, options: options, ordinal: ordinal)
    }
}
