package import Domain

/// A table as the store reads and writes it: the table people see, its number, and how its cells
/// are stored.
///
/// Immutable; shared by the schema cache, so that no call copies a schema.
package final class TableModel: Sendable {
    package let table: Table
    /// Small, unique in the database, never used again: child tables say it in place of the
    /// identifier.
    package let number: Int64
    /// The ordinal the next field gets; every ordinal below it is a field's or was one's.
    package let nextOrdinal: Int
    /// Fields that are stored in cells, by ascending ordinal; not createdTime, which is a column of
    /// the row.
    let stored: [StoredField]
    /// Fields whose cell is the row's own time of creation.
    let createdTimeFields: [FieldID]
    let autoNumberFields: [FieldID]
    let createdByFields: [FieldID]
    /// lastModifiedTime and lastModifiedBy.
    let modifiedFields: [WatchingField]
    let linkFields: [Field]
    /// Those that people set.
    let writtenFields: [FieldID]
    /// Whether cells of it are made from others.
    let hasRules: Bool
    /// Position in `stored` by ordinal; −1 where no stored field has that ordinal.
    private let positions: [Int]
    private let fieldsByID: [FieldID: Field]
    private let fieldsByName: [String: Field]

    package init(table: Table, number: Int64, nextOrdinal: Int) {
        self.table = table
        self.number = number
        self.nextOrdinal = nextOrdinal
        var stored: [StoredField] = []
        for field in table.fields.sorted(by: { $0.ordinal < $1.ordinal }) {
            guard let kind = StoredKind(field.type) else { continue }
            stored.append(StoredField(id: field.id, ordinal: field.ordinal, kind: kind))
        }
        var positions = Array(repeating: -1, count: nextOrdinal)
        for (position, field) in stored.enumerated() where positions.indices.contains(field.ordinal) {
            positions[field.ordinal] = position
        }
        self.stored = stored
        self.positions = positions
        self.createdTimeFields = table.fields.filter { $0.type == .createdTime }.map(\.id)
        self.autoNumberFields = table.fields.filter { $0.type == .autoNumber }.map(\.id)
        self.createdByFields = table.fields.filter { $0.type == .createdBy }.map(\.id)
        self.modifiedFields = table.fields.compactMap { WatchingField($0, in: table) }
        self.linkFields = table.fields.filter { $0.type == .multipleRecordLinks }
        self.writtenFields = table.fields.filter { !$0.type.isComputed }.map(\.id)
        self.hasRules = table.fields.contains { $0.type.isRuled }
        self.fieldsByID = Dictionary(table.fields.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.fieldsByName = Dictionary(table.fields.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package func field(id: FieldID) -> Field? { fieldsByID[id] }

    /// The same table, other things known of its fields.
    func replacing(_ table: Table) -> TableModel {
        TableModel(table: table, number: number, nextOrdinal: nextOrdinal)
    }

    /// Whether its cells may name people, also such as the store itself writes.
    var namesPeople: Bool {
        !createdByFields.isEmpty
            || stored.contains { field in
                switch field.kind {
                case .collaborator, .collaborators: true
                default: false
                }
            }
    }

    /// The field with this identifier, or else this exact name.
    func field(_ nameOrID: String) -> Field? {
        if let field = fieldsByName[nameOrID] { return field }
        guard let id = FieldID(nameOrID) else { return nil }
        return fieldsByID[id]
    }

    /// The stored field of this ordinal; nil when it was deleted or never was.
    @inline(__always)
    func storedField(ordinal: Int) -> StoredField? {
        guard ordinal >= 0, ordinal < positions.count else { return nil }
        let position = positions[ordinal]
        return position < 0 ? nil : stored[position]
    }

    /// Rows of this table have positions in here, in the order they came.
    var positionRange: ClosedRange<Int64> { Self.positionRange(number: number) }

    /// A row's position is the table's number and the row's number in the table, packed: rows of
    /// one table lie together in SQLite's row tree, and paging needs no second index.
    static func positionRange(number: Int64) -> ClosedRange<Int64> {
        (number << Self.rowBits)...((number + 1) << Self.rowBits - 1)
    }

    static func number(ofPosition position: Int64) -> Int64 { position >> rowBits }

    /// 2⁴⁰ rows a table, 2²³ tables a database.
    static let rowBits: Int64 = 40
}

/// One field as it is stored.
struct StoredField: Sendable {
    let id: FieldID
    let ordinal: Int
    let kind: StoredKind
}

/// How a cell is stored in JSON.
enum StoredKind: Sendable {
    case text, number, checked, choice, choices, date, dateTime, links
    case collaborator, collaborators, attachments, barcode, button, aiText, computed

    /// Nil for a type that is not stored in cells.
    init?(_ type: FieldType) {
        switch type {
        case .singleLineText, .multilineText, .richText, .email, .url, .phoneNumber, .manualSort: self = .text
        case .number, .currency, .percent, .duration, .rating, .autoNumber, .count: self = .number
        case .checkbox: self = .checked
        case .singleSelect, .externalSyncSource: self = .choice
        case .multipleSelects: self = .choices
        case .date: self = .date
        case .dateTime, .lastModifiedTime: self = .dateTime
        case .multipleRecordLinks: self = .links
        case .singleCollaborator, .createdBy, .lastModifiedBy: self = .collaborator
        case .multipleCollaborators: self = .collaborators
        case .multipleAttachments: self = .attachments
        case .barcode: self = .barcode
        case .button: self = .button
        case .aiText: self = .aiText
        case .formula, .rollup, .multipleLookupValues: self = .computed
        case .createdTime: return nil
        }
    }
}
