public import Domain

/// A change that is to be looked at before it is made.
///
/// Holds what its caller gave, not what was made of it: it is read anew each time, and its digest is the same each time.
public enum ProposedOperation: Sendable, Hashable {
    case create([RecordDraft], in: TableID, typecast: Bool)
    case update([RecordUpdate], in: TableID, typecast: Bool)
    /// - Parameter mergeOn: names or identifiers of one to three fields.
    case upsert([RecordUpsert], mergeOn: [String], in: TableID, typecast: Bool)
    case delete([RecordID], in: TableID)
    /// Takes one transaction of the change log back.
    case undo(transaction: Int64)
    case comment(String, parent: CommentID?, on: RecordID, in: TableID)
    /// Appends a file to a cell.
    ///
    /// - Parameter field: name or identifier.
    case attach(AttachedFile, to: RecordID, field: String, in: TableID)
    /// - Parameter tables: as the metadata API is given them.
    case createBase(name: String, tables: [JSONValue])
    case createTable(JSONValue, in: BaseID)
    case updateTable(TableUpdate, of: TableID)
    /// As the metadata API is given it.
    case createField(JSONValue, in: TableID)
    case updateField(JSONValue, of: FieldID, in: TableID)

    /// A file that goes into a cell: never an address, so that nothing is fetched, and nothing told to whoever answers there.
    public enum AttachedFile: Sendable, Hashable {
        case stored(AttachmentID)
        case bytes([UInt8], filename: String, contentType: String?)
    }
}

extension ProposedOperation {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case createRecords, updateRecords, upsertRecords, deleteRecords, undo, comment, attach
        case createBase, createTable, updateTable, createField, updateField
    }

    public var kind: Kind {
        switch self {
        case .create: .createRecords
        case .update: .updateRecords
        case .upsert: .upsertRecords
        case .delete: .deleteRecords
        case .undo: .undo
        case .comment: .comment
        case .attach: .attach
        case .createBase: .createBase
        case .createTable: .createTable
        case .updateTable: .updateTable
        case .createField: .createField
        case .updateField: .updateField
        }
    }

    /// What it needs to be made.
    public var permission: Permission {
        switch kind {
        case .createRecords, .updateRecords, .upsertRecords, .undo, .attach: .recordsWrite
        case .deleteRecords: .recordsDelete
        case .comment: .commentsWrite
        case .createBase, .createTable, .updateTable, .createField, .updateField: .schemaWrite
        }
    }

    /// The table whose records it writes; nil for others.
    public var table: TableID? {
        switch self {
        case .create(_, let table, _), .update(_, let table, _), .upsert(_, _, let table, _), .delete(_, let table),
            .comment(_, _, _, let table), .attach(_, _, _, let table):
            table
        case .undo, .createBase, .createTable, .updateTable, .createField, .updateField: nil
        }
    }

    /// How many records it names.
    public var recordCount: Int {
        switch self {
        case .create(let drafts, _, _): drafts.count
        case .update(let updates, _, _): updates.count
        case .upsert(let upserts, _, _, _): upserts.count
        case .delete(let ids, _): ids.count
        case .comment, .attach: 1
        case .undo, .createBase, .createTable, .updateTable, .createField, .updateField: 0
        }
    }

    /// Whether the change log tells of it. Comments have a log of their own, and a base without tables is in none.
    var isLogged: Bool {
        switch kind {
        case .comment, .createBase: false
        case .createRecords, .updateRecords, .upsertRecords, .deleteRecords, .undo, .attach, .createTable, .updateTable,
            .createField, .updateField:
            true
        }
    }

    /// The records that it names by identifier.
    var named: Set<RecordID> {
        switch self {
        case .update(let updates, _, _): Set(updates.map(\.id))
        case .upsert(let upserts, _, _, _): Set(upserts.compactMap(\.id))
        case .delete(let ids, _): Set(ids)
        case .attach(_, let record, _, _): [record]
        case .create, .undo, .comment, .createBase, .createTable, .updateTable, .createField, .updateField: []
        }
    }

    /// All of it, for digests.
    var json: JSONValue {
        let kind = JSONValue.string(kind.rawValue)
        switch self {
        case .create(let drafts, let table, let typecast):
            return [kind, .id(table), .bool(typecast), .array(drafts.map { .object($0.fields) })]
        case .update(let updates, let table, let typecast):
            return [
                kind, .id(table), .bool(typecast), .array(updates.map { [.id($0.id), .object($0.fields)] }),
            ]
        case .upsert(let upserts, let mergeOn, let table, let typecast):
            return [
                kind, .id(table), .bool(typecast), .array(mergeOn.map { .string($0) }),
                .array(upserts.map { [$0.id.map { .id($0) } ?? .null, .object($0.fields)] }),
            ]
        case .delete(let ids, let table): return [kind, .id(table), .array(ids.map { .id($0) })]
        case .undo(let number): return [kind, .number(JSONNumber(Int(number)))]
        case .comment(let text, let parent, let record, let table):
            return [kind, .id(table), .id(record), parent.map { .id($0) } ?? .null, .string(text)]
        case .attach(let file, let record, let field, let table):
            return [kind, .id(table), .id(record), .string(field), file.json]
        case .createBase(let name, let tables): return [kind, .string(name), .array(tables)]
        case .createTable(let wire, let base): return [kind, .id(base), wire]
        case .updateTable(let update, let table):
            return [
                kind, .id(table), update.name.map { .string($0) } ?? .null,
                update.description.map { .string($0) } ?? .null,
            ]
        case .createField(let wire, let table): return [kind, .id(table), wire]
        case .updateField(let wire, let field, let table): return [kind, .id(table), .id(field), wire]
        }
    }
}

extension ProposedOperation.AttachedFile {
    fileprivate var json: JSONValue {
        switch self {
        case .stored(let id): return .id(id)
        case .bytes(let bytes, let filename, let contentType):
            var hash = ContentHash.Builder()
            hash.add(bytes)
            return [
                .string(filename), contentType.map { .string($0) } ?? .null, .string(hash.finish().description),
            ]
        }
    }
}

extension JSONValue {
    fileprivate static func id(_ id: some CustomStringConvertible) -> JSONValue { .string(id.description) }
}

/// What came of an operation.
public struct OperationOutcome: Sendable, Hashable {
    /// In the order of the request; of deleted ones their identifiers.
    public var records: [RecordID] = []
    public var created: Set<RecordID> = []
    /// Existing ones that were named or found; their cells may have been as wanted already.
    public var found: Set<RecordID> = []
    public var base: Base?
    public var tables: [Table] = []
    public var field: Field?
    public var comment: RecordComment?
    /// What stands against an undo.
    public var obstacles: [UndoObstacle] = []

    public init() {}
}
