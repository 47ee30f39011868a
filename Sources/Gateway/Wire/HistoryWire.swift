import Access
package import Airtable
package import Domain

/// What entries of the history are written with: the names of people and fields.
package struct HistoryNames: Sendable {
    private let people: [UserID: Collaborator]
    private let tables: [TableID: Table]

    /// - Parameter tables: those that the entries are of, as their reader sees them.
    package init(people: [Collaborator], tables: [Table]) {
        self.people = Dictionary(people.map { ($0.id, $0) }) { first, _ in first }
        self.tables = Dictionary(tables.map { ($0.id, $0) }) { first, _ in first }
    }

    init(_ entries: [HistoryEntry], _ call: RouteCall, _ context: Domain.RequestContext) async throws {
        let people = try await call.services.access.authors(tenant: context.tenant, deadline: context.deadline)
        var tables: [Table] = []
        for base in Set(entries.lazy.filter { !$0.cells.isEmpty }.map(\.base)) {
            tables += try await call.reads.tables(in: base, context: context)
        }
        self.init(people: people, tables: tables)
    }

    package func json(_ entry: HistoryEntry) -> JSONValue {
        var members: JSONObject = [
            "sequence": .number(JSONNumber(Int(entry.sequence))),
            "transaction": .number(JSONNumber(Int(entry.transaction))),
            "time": .string(CellCodec.timestamp(entry.time)),
            "actor": CellCodec.json(of: people[entry.actor] ?? Collaborator(id: entry.actor)),
            "kind": .string(entry.kind.rawValue), "baseId": .string(entry.base.description),
            "tableId": .string(entry.table.description),
        ]
        if entry.isDerived { members["derived"] = true }
        members["recordId"] = entry.record.map { .string($0.description) }
        if let change = entry.schemaChange { members["schema"] = Self.json(change) }
        if entry.record != nil { members["cells"] = .array(entry.cells.compactMap { json($0, entry.table) }) }
        return .object(members)
    }

    /// A cell before and after; empty ones are left out.
    private func json(_ cell: CellChange, _ table: TableID) -> JSONValue? {
        guard let field = tables[table]?.field(id: cell.field) else { return nil }
        var members: JSONObject = ["fieldId": .string(field.id.description), "fieldName": .string(field.name)]
        members["before"] = cell.before.map { CellCodec.json(of: $0, field: field) }
        members["after"] = cell.after.map { CellCodec.json(of: $0, field: field) }
        return .object(members)
    }

    private static func json(_ change: SchemaChange) -> JSONValue {
        let parts: (kind: String, before: JSONValue?, after: JSONValue?) =
            switch change {
            case .tableCreated(let name): ("tableCreated", nil, ["name": .string(name)])
            case .tableUpdated(let before, let after): ("tableUpdated", json(before), json(after))
            case .fieldCreated(let field): ("fieldCreated", nil, MetaTable.json(field))
            case .fieldUpdated(let before, let after):
                ("fieldUpdated", MetaTable.json(before), MetaTable.json(after))
            case .fieldDeleted(let field): ("fieldDeleted", MetaTable.json(field), nil)
            case .viewCreated(let view): ("viewCreated", nil, json(view))
            case .viewUpdated(let before, let after): ("viewUpdated", json(before), json(after))
            case .viewDeleted(let view): ("viewDeleted", json(view), nil)
            case .baseRenamed(let before, let after):
                ("baseRenamed", ["name": .string(before)], ["name": .string(after)])
            }
        var members: JSONObject = ["kind": .string(parts.kind)]
        members["before"] = parts.before
        members["after"] = parts.after
        return .object(members)
    }

    private static func json(_ head: TableHead) -> JSONValue {
        var members: JSONObject = ["name": .string(head.name)]
        members["description"] = head.description.map { .string($0) }
        return .object(members)
    }

    /// As it is stored, its formula by identifiers, since names may be others by now.
    private static func json(_ view: TableView) -> JSONValue { MetaTable.whole(view, shownFields: view.visibleFields) }
}

private enum Piece {
    static let entry = JSONSchema.object(
        properties: [
            "sequence": .integer(description: "The entry's place in the change log.", minimum: 1),
            "transaction": .integer(description: "Entries written together share it.", minimum: 1),
            "time": .string(format: "date-time"),
            "actor": .object(
                properties: ["id": .string(), "email": .string(), "name": .string()],
                required: ["id"]
            ),
            "kind": .string(enum: HistoryEntry.Kind.allCases.map(\.rawValue)),
            "derived": .boolean(description: "True of what follows from another change of the transaction."),
            "baseId": PathParameter.baseId.schema,
            "tableId": PathParameter.tableId.schema,
            "recordId": PathParameter.recordId.schema,
            "schema": .object(
                properties: ["kind": .string(), "before": .any, "after": .any],
                required: ["kind"],
                description: "What of the schema changed."
            ),
            "cells": .array(
                of: .object(
                    properties: ["fieldId": .string(), "fieldName": .string(), "before": .any, "after": .any],
                    required: ["fieldId", "fieldName"]
                ),
                description: "The cells that changed; an empty one is left out."
            ),
        ],
        required: ["sequence", "transaction", "time", "actor", "kind", "baseId", "tableId"]
    )
    static let example: JSONValue = [
        "sequence": 7, "transaction": 7, "time": .string(Sample.time.iso8601),
        "actor": ["id": "usrChemist00000001", "name": "Marie"], "kind": "updated",
        "baseId": .string(Sample.base.description), "tableId": .string(Sample.table.description),
        "recordId": .string(Sample.record.description),
        "cells": [
            ["fieldId": .string(Sample.state.description), "fieldName": "State", "before": "Solid", "after": "Gas"]
        ],
    ]
}

struct HistoryPageWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "HistoryPage"
    static let schema = JSONSchema.object(
        properties: [
            "entries": .array(of: Piece.entry, maxItems: Limits.changePageEntries),
            "next": .integer(description: "Give it back as `before`. Absent on the last page.", minimum: 1),
        ],
        required: ["entries"]
    )
    static let example: JSONValue = ["entries": [Piece.example], "next": 7]
}

struct TransactionWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "Transaction"
    static let schema = JSONSchema.object(properties: ["entries": .array(of: Piece.entry)], required: ["entries"])
    static let example: JSONValue = ["entries": [Piece.example]]
}

struct UndoneWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "Undone"
    static let schema = JSONSchema.object(
        properties: [
            "transaction": JSONSchema(json: [
                "type": ["integer", "null"],
                "description":
                    "The new transaction; undoing it does the first one again. Null when nothing was left to undo.",
            ]),
            "records": .integer(description: "How many records were made, changed or deleted.", minimum: 0),
        ],
        required: ["transaction", "records"]
    )
    static let example: JSONValue = ["transaction": 9, "records": 1]
}
