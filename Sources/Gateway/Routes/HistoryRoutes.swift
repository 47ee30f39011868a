package import Airtable
package import Domain
import HTTPTypes

/// What changed, when and by whom; and taking it back.
enum HistoryRoutes {
    static let all = [base, table, record, transaction, undo]

    private static let door = AirtableDoor.platform
    private static let transactions = "/api/v1/airtable/transactions/{transaction}"

    private static let paging = [
        QueryParameter("before", "What the page before gave as `next`.", .integer(minimum: 1)),
        QueryParameter(
            "limit",
            "Entries of this page, at most; a page may have fewer, even none, and others after it.",
            .integer(minimum: 1, maximum: Limits.changePageEntries, default: Limits.pageRecords)
        ),
    ]

    private static let base = Route(
        .get,
        door.base + "/history",
        name: "getBaseHistory",
        summary: "What changed in a base, its schema included.",
        query: paging,
        reply: .json(HistoryPageWire.self, "The changes, newest first."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let base = try call.baseID
            return try await answer(call, context) { before, limit in
                try await call.services.airtable.history(in: base, before: before, limit: limit, context: context)
            }
        }
    )

    private static let table = Route(
        .get,
        door.table + "/history",
        name: "getTableHistory",
        summary: "What changed in a table, its schema included.",
        query: paging,
        reply: .json(HistoryPageWire.self, "The changes, newest first."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let table = try await call.table(context)
            return try await answer(call, context) { before, limit in
                try await call.services.airtable.history(
                    in: table.base,
                    table: table.id,
                    before: before,
                    limit: limit,
                    context: context
                )
            }
        }
    )

    private static let record = Route(
        .get,
        door.record + "/history",
        name: "getRecordHistory",
        summary: "What happened to a record, also to a deleted one.",
        query: paging,
        reply: .json(HistoryPageWire.self, "The changes, newest first."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let record: RecordID = try call.identifier(.recordId)
            let table = try await call.table(context)
            return try await answer(call, context) { before, limit in
                try await call.services.airtable.history(
                    of: record,
                    in: table.id,
                    before: before,
                    limit: limit,
                    context: context
                )
            }
        }
    )

    private static let transaction = Route(
        .get,
        transactions,
        name: "getTransaction",
        summary: "What one transaction changed.",
        reply: .json(TransactionWire.self, "The changes, in their order."),
        problems: [.notFound],
        handler: .requires(.recordsRead) { call, context in
            let entries = try await call.services.airtable.history(
                ofTransaction: try call.transactionNumber,
                context: context
            )
            let names = try await HistoryNames(entries, call, context)
            return try AirtableReply.json(["entries": .array(entries.map(names.json))])
        }
    )

    private static let undo = Route(
        .post,
        transactions + "/undo",
        name: "undoTransaction",
        summary: "Takes back what one transaction did to records, or says what stands against it.",
        reply: .json(UndoneWire.self, "It is undone."),
        problems: [.notFound, .conflict],
        handler: .requires(.recordsWrite) { call, context in
            let outcome = try await call.services.airtable.undo(
                transaction: try call.transactionNumber,
                context: context
            )
            switch outcome {
            case .undone(let transaction, let records):
                return try AirtableReply.json([
                    "transaction": transaction.map { .number(JSONNumber(Int($0))) } ?? .null,
                    "records": .number(JSONNumber(records)),
                ])
            case .refused(let obstacles): throw UndoRefusal(obstacles)
            }
        }
    )

    private static func answer(
        _ call: RouteCall,
        _ context: Domain.RequestContext,
        _ read: (_ before: Int64?, _ limit: Int) async throws -> HistoryPage
    ) async throws -> Reply {
        let before = try call.query.integer("before", in: 1...Int.max)
        let limit = try call.query.integer("limit", in: 1...Limits.changePageEntries) ?? Limits.pageRecords
        let page = try await read(before.map(Int64.init), limit)
        let names = try await HistoryNames(page.entries, call, context)
        var members: JSONObject = ["entries": .array(page.entries.map(names.json))]
        members["next"] = page.next.map { .number(JSONNumber(Int($0))) }
        return try AirtableReply.json(.object(members))
    }
}

extension RouteCall {
    fileprivate var transactionNumber: Int64 {
        get throws(GatewayError) {
            guard let number = parameters[.transaction].flatMap({ Int64($0) }), number > 0 else {
                throw GatewayError.notFound
            }
            return number
        }
    }
}

/// An undo that something stands against; the problem document lists what.
package struct UndoRefusal: Failure {
    package enum Code: String, Sendable { case undoObstructed }

    let obstacles: JSONValue
    package let code = Code.undoObstructed
    package let kind = FailureKind.conflict
    package let message = "The transaction cannot be undone: something that it touched has changed since."
    package let hint: String? = "each of obstacles says what, where, and by which change"

    package init(_ obstacles: [UndoObstacle]) {
        self.obstacles = .array(
            obstacles.map { obstacle in
                var members: JSONObject = [
                    "reason": .string(obstacle.reason.rawValue), "baseId": .string(obstacle.base.description),
                    "tableId": .string(obstacle.table.description),
                ]
                members["recordId"] = obstacle.record.map { .string($0.description) }
                members["fieldIds"] = .array(obstacle.fields.map { .string($0.description) })
                members["since"] = obstacle.since.map { since in
                    [
                        "transaction": .number(JSONNumber(Int(since.transaction))),
                        "time": .string(CellCodec.timestamp(since.time)), "userId": .string(since.actor.description),
                    ]
                }
                return .object(members)
            }
        )
    }
}
