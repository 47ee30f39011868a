import Domain

/// Who changed something.
struct WebhookActor: Sendable {
    let id: UserID
    let name: String?
    var email: String?

    var json: JSONValue {
        var user: JSONObject = ["id": .string(id.description)]
        user["email"] = email.map { .string($0) }
        user["name"] = name.map { .string($0) }
        // The one role there is may do everything.
        user["permissionLevel"] = "create"
        return .object(user)
    }
}

/// Makes the payload that one webhook gets for one transaction: a pure function of both.
///
/// Decisions of ours, where Airtable's documents leave room:
/// - Computed cells are told only where the specification names their field (`watchDataInFieldIds`,
///   `includeCellValuesInFieldIds`): else one edit would name every cell that follows from it.
/// - A transaction that touches nothing of what the specification asks for makes no payload and takes no number.
/// - Views, and the name of the base, are not told of: payloads have no place for them.
/// - An import is told as a change of its tables without records: they are read anew.
/// - Cells of fields that are deleted by now are left out, and tables deleted by now are only in `destroyedTableIds`.
struct WebhookPayload {
    let specification: WebhookSpecification
    let schema: TenantSchema
    /// Nil when the specification names none, and when the one it names is no more: then no record counts.
    var view: WebhookView?
    /// The primary value of linked records.
    let linkedName: (RecordID) -> String?

    /// - Parameter changes: of one transaction and of the webhook's base, in order; at least one.
    /// - Returns: nil when it is not for this webhook.
    func json(of changes: [RecordChange], actor: WebhookActor) -> JSONValue? {
        if let sources = specification.sources, !sources.contains(WebhookSpecification.source) { return nil }
        guard let first = changes.first else { return nil }
        var tables: [(id: TableID, change: TableChange)] = []
        for change in changes {
            let position = tables.firstIndex { $0.id == change.table }
            if position == nil { tables.append((change.table, TableChange())) }
            add(change, to: &tables[position ?? tables.count - 1].change)
        }
        var (changed, created, destroyed): (JSONObject, JSONObject, [JSONValue]) = ([:], [:], [])
        for (id, change) in tables {
            if change.isDestroyed {
                if !change.isCreated { destroyed.append(.string(id.description)) }
            } else if change.isCreated {
                created[id.description] = change.asCreated
            } else if let json = change.asChanged {
                changed[id.description] = json
            }
        }
        if changed.isEmpty, created.isEmpty, destroyed.isEmpty { return nil }
        var payload: JSONObject = [
            "timestamp": .string(CellCodec.timestamp(first.time)),
            "baseTransactionNumber": .number(JSONNumber(Int(first.transaction))),
            "payloadFormat": "v0",
            "actionMetadata": [
                "source": .string(WebhookSpecification.source), "sourceMetadata": ["user": actor.json],
            ],
        ]
        if !changed.isEmpty { payload["changedTablesById"] = .object(changed) }
        if !created.isEmpty { payload["createdTablesById"] = .object(created) }
        if !destroyed.isEmpty { payload["destroyedTableIds"] = .array(destroyed) }
        return .object(payload)
    }

    /// Stands for changes that were trimmed from the log before they could be told: whoever reads it reads the base
    /// anew.
    static func gap(time: Instant, transaction: Int64) -> JSONValue {
        [
            "timestamp": .string(CellCodec.timestamp(time)),
            "baseTransactionNumber": .number(JSONNumber(Int(transaction))),
            "payloadFormat": "v0",
            "error": true,
            "code": "INTERNAL_ERROR",
        ]
    }

    // MARK: One change

    private func wants(_ data: WebhookSpecification.DataType, _ change: WebhookSpecification.ChangeType) -> Bool {
        specification.dataTypes.contains(data) && specification.changeTypes.contains(change)
    }

    private func add(_ change: RecordChange, to table: inout TableChange) {
        let isInScope = isInScope(change.table)
        switch change.event {
        case .created(let record):
            if isInScope { addRecord(nil, record, change.table, &table) }
        case .updated(let before, let after):
            if isInScope { addRecord(before, after, change.table, &table) }
        case .deleted(let record):
            if isInScope { addRecord(record, nil, change.table, &table) }
        case .imported where change.isDerived:
            // Computed cells of many records at once, without saying which.
            if isInScope, wants(.tableData, .update), tellsComputed(change.table) { table.isTouched = true }
        case .imported:
            if isInScope, wants(.tableData, .add) { table.isTouched = true }
        case .tableDeleted:
            if wants(.tableMetadata, .remove) { table.isDestroyed = true }
        case .schemaChanged:
            if let schemaChange = change.schemaChange { add(schemaChange, &table) }
        }
    }

    private func add(_ change: SchemaChange, _ table: inout TableChange) {
        func isWatched(_ field: Field) -> Bool {
            (specification.watchedSchemas ?? specification.watchedFields).map { $0.contains(field.id) } ?? true
        }
        switch change {
        case .tableCreated(let name):
            guard wants(.tableMetadata, .add) else { return }
            table.isCreated = true
            table.metadata = ["name": .string(name)]
        case .tableUpdated(let before, let after):
            guard wants(.tableMetadata, .update) else { return }
            let previous = table.metadataChange?["previous"] ?? Self.json(before)
            table.metadataChange = ["current": Self.json(after), "previous": previous]
        case .fieldCreated(let field):
            guard wants(.tableFields, .add), specification.watchedSchemas == nil else { return }
            table.createdFields[field.id.description] = Self.json(field)
        case .fieldUpdated(let before, let after):
            guard wants(.tableFields, .update), isWatched(after) else { return }
            if table.createdFields[after.id.description] != nil {
                table.createdFields[after.id.description] = Self.json(after)
                return
            }
            var json: JSONObject = ["current": Self.json(after)]
            if specification.includesPreviousDefinitions {
                json["previous"] = table.changedFields[after.id.description]?["previous"] ?? Self.json(before)
            }
            table.changedFields[after.id.description] = .object(json)
        case .fieldDeleted(let field):
            guard wants(.tableFields, .remove), isWatched(field) else { return }
            table.changedFields.removeValue(forKey: field.id.description)
            if table.createdFields.removeValue(forKey: field.id.description) == nil {
                table.destroyedFields.append(.string(field.id.description))
            }
        case .viewCreated, .viewUpdated, .viewDeleted, .baseRenamed: return
        }
    }

    private static func json(_ table: TableHead) -> JSONValue {
        var json: JSONObject = ["name": .string(table.name)]
        json["description"] = table.description.map { .string($0) }
        return .object(json)
    }

    private static func json(_ field: Field) -> JSONValue {
        ["name": .string(field.name), "type": .string(field.type.rawValue)]
    }

    // MARK: Records

    /// Whether records of the table count.
    private func isInScope(_ table: TableID) -> Bool {
        if specification.view != nil { return view?.table == table }
        return specification.table.map { $0 == table } ?? true
    }

    /// A record before and after. What comes into the view or leaves it is new there, or gone.
    private func addRecord(_ before: Record?, _ after: Record?, _ id: TableID, _ table: inout TableChange) {
        let before = before.flatMap { view?.has($0) ?? true ? $0 : nil }
        let after = after.flatMap { view?.has($0) ?? true ? $0 : nil }
        if let view { table.view = view.id }
        switch (before, after) {
        case (nil, nil): return
        case (nil, let after?):
            if wants(.tableData, .add) { addCreated(after, id, &table.records) }
        case (let before?, let after?):
            if wants(.tableData, .update) { addUpdated(before, after, id, &table.records) }
        case (let before?, nil):
            if wants(.tableData, .remove) { table.records.addDestroyed(before.id) }
        }
    }

    private func addCreated(_ record: Record, _ table: TableID, _ change: inout RecordChanges) {
        let cells = cells(of: record, table) { isTold($0) }
        if specification.watchedFields != nil, cells.isEmpty { return }
        change.created[record.id.description] = [
            "createdTime": .string(CellCodec.timestamp(record.createdTime)), "cellValuesByFieldId": .object(cells),
        ]
    }

    private func addUpdated(_ before: Record, _ after: Record, _ table: TableID, _ change: inout RecordChanges) {
        guard let model = schema.table(table) else { return }
        let changed = model.table.fields.filter { isTold($0) && before.cells[$0.id] != after.cells[$0.id] }
        if changed.isEmpty { return }
        let fields = Set(changed.map(\.id))
        // A cell that became empty is told as null: left out, nobody would know.
        var current = cells(of: after, table) { fields.contains($0.id) }
        for field in changed where current[field.id.description] == nil { current[field.id.description] = .null }
        var json: JSONObject = ["current": ["cellValuesByFieldId": .object(current)]]
        if specification.includesPreviousCells {
            var previous = cells(of: before, table) { fields.contains($0.id) }
            for field in changed where previous[field.id.description] == nil { previous[field.id.description] = .null }
            json["previous"] = ["cellValuesByFieldId": .object(previous)]
        }
        if specification.cellsIncluded != .none {
            let unchanged = cells(of: after, table) { specification.includes($0.id) && !fields.contains($0.id) }
            json["unchanged"] = ["cellValuesByFieldId": .object(unchanged)]
        }
        change.changed[after.id.description] = .object(json)
    }

    /// Whether a change of the field's cells is told.
    private func isTold(_ field: Field) -> Bool {
        if let watched = specification.watchedFields { return watched.contains(field.id) }
        return !field.type.isComputed || specification.fieldsNamed.contains(field.id)
    }

    private func tellsComputed(_ table: TableID) -> Bool {
        schema.table(table)?.table.fields.contains { $0.type.isComputed && isTold($0) } ?? false
    }

    private func cells(of record: Record, _ table: TableID, _ isShown: (Field) -> Bool) -> JSONObject {
        guard let model = schema.table(table) else { return [:] }
        return JSONObject(
            model.table.fields.lazy.filter(isShown).compactMap { field in
                guard let value = record.cells[field.id] else { return nil }
                let json = Self.json(of: value, field, linkedName)
                return json.isNull ? nil : (key: field.id.description, value: json)
            }
        )
    }

    /// A cell as webhooks give it: selects with identifier and colour, links with names; others as everywhere.
    static func json(of value: CellValue, _ field: Field, _ linkedName: (RecordID) -> String?) -> JSONValue {
        func choice(_ id: ChoiceID) -> JSONValue? {
            guard let choice = field.options.choices?.first(where: { $0.id == id }) else { return nil }
            var json: JSONObject = ["id": .string(id.description), "name": .string(choice.name)]
            json["color"] = choice.color.map { .string($0) }
            return .object(json)
        }
        if case .choice(let id) = value { return choice(id) ?? .null }
        if case .choices(let ids) = value { return .array(ids.compactMap(choice)) }
        if case .links(let ids) = value {
            return .array(
                ids.map { ["id": .string($0.description), "name": .string(linkedName($0) ?? "")] }
            )
        }
        return CellCodec.json(of: value, field: field)
    }
}

/// What one transaction did to one table, as far as a webhook is told.
private struct TableChange {
    var isCreated = false
    var isDestroyed = false
    /// Something happened that has no members of its own.
    var isTouched = false
    var metadata: JSONValue?
    var metadataChange: JSONValue?
    var createdFields: JSONObject = [:]
    var changedFields: JSONObject = [:]
    var destroyedFields: [JSONValue] = []
    var records = RecordChanges()
    /// The view that `records` are told of; nil for the table itself.
    var view: ViewID?

    var asCreated: JSONValue {
        var json: JSONObject = [:]
        json["metadata"] = metadata
        json["fieldsById"] = .object(createdFields)
        json["recordsById"] = .object(view == nil ? records.created : [:])
        return .object(json)
    }

    /// Nil when nothing happened.
    var asChanged: JSONValue? {
        var json: JSONObject = [:]
        json["changedMetadata"] = metadataChange
        if !createdFields.isEmpty { json["createdFieldsById"] = .object(createdFields) }
        if !changedFields.isEmpty { json["changedFieldsById"] = .object(changedFields) }
        if !destroyedFields.isEmpty { json["destroyedFieldIds"] = .array(destroyedFields) }
        let told = records.members
        if let view {
            if !told.isEmpty { json["changedViewsById"] = [view.description: .object(told)] }
        } else {
            for (key, value) in told { json[key] = value }
        }
        return json.isEmpty && !isTouched ? nil : .object(json)
    }
}

/// What happened to the records of a table, or of a view.
private struct RecordChanges {
    var created: JSONObject = [:]
    var changed: JSONObject = [:]
    private var destroyed: [JSONValue] = []

    mutating func addDestroyed(_ id: RecordID) {
        // Made and deleted in one transaction: nothing happened.
        if created.removeValue(forKey: id.description) != nil { return }
        changed.removeValue(forKey: id.description)
        destroyed.append(.string(id.description))
    }

    /// Without what is empty.
    var members: JSONObject {
        var json: JSONObject = [:]
        if !created.isEmpty { json["createdRecordsById"] = .object(created) }
        if !changed.isEmpty { json["changedRecordsById"] = .object(changed) }
        if !destroyed.isEmpty { json["destroyedRecordIds"] = .array(destroyed) }
        return json
    }
}
