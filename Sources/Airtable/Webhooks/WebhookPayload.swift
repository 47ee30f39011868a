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
        let isInScope = specification.table.map { $0 == change.table } ?? true
        switch change.event {
        case .created(let record):
            if isInScope, wants(.tableData, .add) { addCreated(record, change.table, &table) }
        case .updated(let before, let after):
            if isInScope, wants(.tableData, .update) { addUpdated(before, after, change.table, &table) }
        case .deleted(let record):
            guard isInScope, wants(.tableData, .remove) else { return }
            // Made and deleted in one transaction: nothing happened.
            if table.createdRecords.removeValue(forKey: record.id.description) != nil { return }
            table.changedRecords.removeValue(forKey: record.id.description)
            table.destroyedRecords.append(.string(record.id.description))
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

    private func addCreated(_ record: Record, _ table: TableID, _ change: inout TableChange) {
        let cells = cells(of: record, table) { isTold($0) }
        if specification.watchedFields != nil, cells.isEmpty { return }
        change.createdRecords[record.id.description] = [
            "createdTime": .string(CellCodec.timestamp(record.createdTime)), "cellValuesByFieldId": .object(cells),
        ]
    }

    private func addUpdated(_ before: Record, _ after: Record, _ table: TableID, _ change: inout TableChange) {
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
        change.changedRecords[after.id.description] = .object(json)
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
    var createdRecords: JSONObject = [:]
    var changedRecords: JSONObject = [:]
    var destroyedRecords: [JSONValue] = []

    var asCreated: JSONValue {
        var json: JSONObject = [:]
        json["metadata"] = metadata
        json["fieldsById"] = .object(createdFields)
        json["recordsById"] = .object(createdRecords)
        return .object(json)
    }

    /// Nil when nothing happened.
    var asChanged: JSONValue? {
        var json: JSONObject = [:]
        json["changedMetadata"] = metadataChange
        if !createdFields.isEmpty { json["createdFieldsById"] = .object(createdFields) }
        if !changedFields.isEmpty { json["changedFieldsById"] = .object(changedFields) }
        if !destroyedFields.isEmpty { json["destroyedFieldIds"] = .array(destroyedFields) }
        if !createdRecords.isEmpty { json["createdRecordsById"] = .object(createdRecords) }
        if !changedRecords.isEmpty { json["changedRecordsById"] = .object(changedRecords) }
        if !destroyedRecords.isEmpty { json["destroyedRecordIds"] = .array(destroyedRecords) }
        return json.isEmpty && !isTouched ? nil : .object(json)
    }
}
