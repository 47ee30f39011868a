public import Domain

/// What a change would do, told without doing it; and, once somebody has agreed, the only change that is made.
///
/// Made by `AirtableService.propose` for one caller: what it tells is what they may see, and nobody else can have it made.
/// Cells are those that people write; computed ones follow, and are not part of it. Records that do not exist yet have no
/// identifier here: they are told by their number, and get one when they are made.
public struct ChangeProposal: Sendable {
    public let operation: ProposedOperation
    /// Every record that changes, in the order of the change log.
    public let changes: [ProposedChange]
    /// Changes of tables and fields, such as a choice that a cell names first.
    public let schema: [ProposedSchemaChange]
    /// What the operation would answer. Identifiers of what is new are not the ones that it will get.
    public let outcome: OperationOutcome
    /// The state of every record that is there and changes, as it was looked at.
    public let versions: [RecordID: RecordVersion]
    /// SHA-256 over the caller, the operation, every change and every version, in hexadecimal. The same change of the same
    /// records for the same caller has the same one.
    public let hash: String
    public let expires: Instant
    /// What cannot be told exactly, in sentences.
    public let notes: [String]
    /// Whom it was made for.
    let caller: ProposalCaller

    /// Whether it is told exactly; else `notes` say what is not.
    public var isExact: Bool { notes.isEmpty }

    /// Whether nothing at all would change.
    public var isEmpty: Bool {
        switch operation.kind {
        // Not all of these are in the change log.
        case .comment, .createBase, .createTable, .createField, .updateTable, .updateField:
            isExact && schema.isEmpty && [.updateTable, .updateField].contains(operation.kind)
        case .createRecords, .updateRecords, .upsertRecords, .deleteRecords, .undo, .attach:
            changes.isEmpty && schema.isEmpty
        }
    }

    /// Whether something is overwritten, emptied, deleted or taken back.
    public var isDestructive: Bool {
        switch operation {
        case .undo, .delete, .updateTable, .updateField: return true
        case .createBase, .createTable, .createField, .comment: return false
        case .upsert where !isExact: return true
        case .create, .update, .upsert, .attach:
            return changes.contains { change in
                !change.isFollowing && (change.kind == .deleted || change.cells.contains(where: \.losesSomething))
            }
        }
    }

    /// How many records change by themselves, not only because another links to them.
    public var directCount: Int { changes.count { !$0.isFollowing } }

    public func count(_ kind: ProposedChange.Kind) -> Int { changes.count { !$0.isFollowing && $0.kind == kind } }
}

/// One record's part of a proposed change.
public struct ProposedChange: Sendable, Hashable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case created, updated, deleted
    }

    public let kind: Kind
    public let table: TableID
    public let tableName: String
    /// Nil for one that is to be made.
    public let record: RecordID?
    /// The primary value, of a record that is there as it is now; empty when there is none, or it is hidden.
    public let title: String
    /// In the table's order. Of a deleted record all that it has.
    public let cells: [ProposedCell]
    /// Only the other side of links that another record's change sets.
    public let isFollowing: Bool
}

/// One cell before and after; null for an empty one. In the shapes of Airtable's API.
public struct ProposedCell: Sendable, Hashable {
    public let field: FieldID
    public let name: String
    public let before: JSONValue
    public let after: JSONValue

    /// Whether a value goes away: not when a list only grows.
    public var losesSomething: Bool {
        if before.isNull { return false }
        guard let old = before.arrayValue, let new = after.arrayValue else { return before != after }
        let kept = Set(new)
        return !old.allSatisfy(kept.contains)
    }
}

/// A change of a table or field that is part of a proposed change.
public struct ProposedSchemaChange: Sendable, Hashable {
    public let table: TableID
    public let change: SchemaChange?
}

/// A digest of what a caller sees of a record's written cells. Different when one of them was changed.
public struct RecordVersion: Sendable, Hashable {
    let digest: String
}

/// Whom a proposal is for: a user, by one key or by none, in one tenant.
struct ProposalCaller: Sendable, Hashable {
    let tenant: TenantID
    let user: UserID
    let key: KeyID?

    init(_ context: RequestContext) {
        tenant = context.tenant
        user = context.principal.user
        key = context.principal.key
    }

    var json: JSONValue {
        [
            .string(tenant.description), .string(user.description),
            key.map { .string($0.description) } ?? .null,
        ]
    }
}

/// What became of a proposal that was accepted.
public struct AppliedChange: Sendable {
    /// Its number in the change log, to take it back by; nil when nothing changed there.
    public let transaction: Int64?
    /// As it was made, with the identifiers of what is new.
    public let outcome: OperationOutcome
    /// As it was made.
    public let changes: [ProposedChange]
    public let schema: [ProposedSchemaChange]
}
