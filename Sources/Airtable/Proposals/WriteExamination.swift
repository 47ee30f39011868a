import Access
import Database
import Domain

/// What one transaction did, as one caller may see it: read back from the change log before it is committed.
struct WriteExamination: Sendable {
    /// Its number in the log; nil when nothing was logged.
    var transaction: Int64?
    var changes: [ProposedChange] = []
    var schema: [ProposedSchemaChange] = []
    var versions: [RecordID: RecordVersion] = [:]
    /// See `ChangeProposal.hash`.
    var hash = ""
    /// Records that were made, in the order of their numbers.
    var made: [RecordID] = []

    /// What has to be known of the time before the write.
    struct Before: Sendable {
        let schema: TenantSchema
        let latest: Int64
    }

    static func prepare(
        _ tenant: TenantID,
        _ cache: SchemaCache,
        in transaction: any Transaction
    ) throws -> Before {
        Before(
            schema: try cache.schema(tenant, in: transaction, keeps: false),
            latest: try ChangeLogStore().extent(tenant: tenant, in: transaction).latest
        )
    }
}

/// Reads what a transaction did, for one operation of one caller.
struct WriteExaminer: Sendable {
    let operation: ProposedOperation
    let caller: ProposalCaller
    /// What the caller may see of it; nil when they may see no records.
    let scope: VisibleScope?
    let now: Instant
    let cache: SchemaCache

    func examine(_ transaction: any Transaction, _ before: WriteExamination.Before) throws -> WriteExamination {
        let log = ChangeLogStore()
        let latest = try log.extent(tenant: caller.tenant, in: transaction).latest
        var result = WriteExamination()
        let schema = try cache.schema(caller.tenant, in: transaction, keeps: false)
        if latest > before.latest {
            result.transaction = before.latest + 1
            var written: [RecordChange] = []
            var position = before.latest
            while position < latest {
                let page = try log.changes(
                    after: position,
                    limit: Limits.changePageEntries,
                    schema: schema,
                    in: transaction
                )
                guard let last = page.last else { break }
                position = last.sequence
                written += page.filter { !$0.isDerived }
            }
            if let scope {
                let sight = RecordSight(scope, schema, now: now, in: transaction)
                try describe(written, sight, before.schema, &result)
            } else {
                for change in written { result.add(change.schemaChange, of: change) }
            }
        }
        result.hash = hash(result)
        return result
    }

    // MARK: What changed

    private func describe(
        _ written: [RecordChange],
        _ sight: RecordSight,
        _ before: TenantSchema,
        _ result: inout WriteExamination
    ) throws {
        let entries = try HistoryEntry.entries(written, sight)
        let bySequence = Dictionary(written.map { ($0.sequence, $0) }) { first, _ in first }
        var masks: [TableID: [Record]] = [:]
        for entry in entries {
            guard let change = bySequence[entry.sequence] else { continue }
            guard let kind = ProposedChange.Kind(entry.kind), let record = change.record,
                let model = sight.schema.table(entry.table)
            else {
                result.add(entry.schemaChange, of: change)
                continue
            }
            let old = before.table(entry.table)
            let cells = entry.cells.compactMap { cell in Self.cell(cell, model, old) }
            // Only computed cells of it followed.
            if kind == .updated, cells.isEmpty { continue }
            result.changes.append(
                ProposedChange(
                    kind: kind,
                    table: entry.table,
                    tableName: model.table.name,
                    record: kind == .created ? nil : record,
                    title: Self.title(change.event.before ?? change.event.after, model, sight),
                    cells: cells,
                    isFollowing: isFollowing(entry, kind, cells, model)
                )
            )
            if let present = change.event.before { masks[entry.table, default: []].append(present) }
            if kind == .created { result.made.append(record) }
        }
        for (table, records) in masks {
            guard let model = before.table(table) ?? sight.schema.table(table) else { continue }
            let fields = sight.scope.visible(model.table).fields.filter { !$0.type.isComputed }
            for record in try sight.masked(records, of: model) {
                result.versions[record.id] = RecordVersion(of: record, fields)
            }
        }
        result.hideNewIdentifiers()
    }

    private static func cell(_ cell: CellChange, _ model: TableModel, _ old: TableModel?) -> ProposedCell? {
        guard let field = model.field(id: cell.field), !field.type.isComputed else { return nil }
        let known = old?.field(id: cell.field) ?? field
        let (before, after) = (
            cell.before.map { CellCodec.json(of: $0, field: known) } ?? .null,
            cell.after.map { CellCodec.json(of: $0, field: field) } ?? .null
        )
        if before == after { return nil }
        return ProposedCell(field: field.id, name: field.name, before: before, after: after)
    }

    private static func title(_ record: Record?, _ model: TableModel, _ sight: RecordSight) -> String {
        guard let record, let primary = model.field(id: model.table.primaryField),
            !sight.hidden(model.table.id).contains(primary.id), let value = record.cells[primary.id]
        else { return "" }
        return CellCodec.displayText(of: value, field: primary) { _ in nil }
    }

    /// Nobody named the record, and nothing but links that others set changed in it.
    private func isFollowing(
        _ entry: HistoryEntry,
        _ kind: ProposedChange.Kind,
        _ cells: [ProposedCell],
        _ model: TableModel
    ) -> Bool {
        guard kind == .updated, let table = operation.table, let record = entry.record else { return false }
        if entry.table == table, operation.named.contains(record) { return false }
        return cells.allSatisfy { model.field(id: $0.field)?.type == .multipleRecordLinks }
    }

    // MARK: Digest

    func hash(_ result: WriteExamination) -> String {
        var digest = ProposalDigest("proposal 1")
        digest.add(caller.json)
        digest.add(operation.json)
        for change in result.changes {
            let version = change.record.flatMap { result.versions[$0] }
            digest.add([
                .string(change.kind.rawValue), .string(change.table.description),
                change.record.map { .string($0.description) } ?? .null,
                version.map { .string($0.digest) } ?? .null,
                .array(
                    change.cells.map { cell in
                        // A file gets its identifier when it is kept; what it holds is in the operation.
                        let isKnown = operation.kind != .attach
                        return [.string(cell.field.description), cell.before, isKnown ? cell.after : .null]
                    }
                ),
            ])
        }
        // Of changed tables and fields what they are now; what they are to be is in the operation.
        for change in result.schema {
            guard let before = change.change?.storedBefore else { continue }
            digest.add([.string(change.table.description), .string(before)])
        }
        return digest.text()
    }
}

extension WriteExamination {
    fileprivate mutating func add(_ change: SchemaChange?, of entry: RecordChange) {
        switch entry.event {
        case .schemaChanged, .tableDeleted, .imported:
            schema.append(ProposedSchemaChange(table: entry.table, change: change))
        case .created, .updated, .deleted: break
        }
    }

    /// A record that is made has another identifier each time: links name it by its number.
    fileprivate mutating func hideNewIdentifiers() {
        if made.isEmpty { return }
        let numbers = Dictionary(
            made.enumerated().map { (JSONValue.string($1.description), JSONValue.string("new \($0 + 1)")) }
        ) { first, _ in first }
        changes = changes.map { $0.renaming(numbers) }
    }
}

extension ProposedChange {
    fileprivate func renaming(_ numbers: [JSONValue: JSONValue]) -> ProposedChange {
        func renamed(_ value: JSONValue) -> JSONValue {
            guard case .array(let elements) = value else { return value }
            return .array(elements.map { numbers[$0] ?? $0 })
        }
        return ProposedChange(
            kind: kind,
            table: table,
            tableName: tableName,
            record: record,
            title: title,
            cells: cells.map {
                ProposedCell(field: $0.field, name: $0.name, before: renamed($0.before), after: renamed($0.after))
            },
            isFollowing: isFollowing
        )
    }
}

extension ProposedChange.Kind {
    /// Nil for what is no record's change.
    fileprivate init?(_ kind: HistoryEntry.Kind) {
        switch kind {
        case .created: self = .created
        case .updated: self = .updated
        case .deleted: self = .deleted
        case .schemaChanged, .imported, .tableDeleted: return nil
        }
    }
}

extension RecordVersion {
    /// - Parameter fields: those that count.
    init(of record: Record, _ fields: [Field]) {
        var digest = ProposalDigest("version 1")
        for field in fields {
            guard let value = record.cells[field.id] else { continue }
            digest.add([.string(field.id.description), CellCodec.json(of: value, field: field)])
        }
        self.init(digest: digest.text())
    }
}
