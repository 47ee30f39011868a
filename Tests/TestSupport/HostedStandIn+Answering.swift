import Domain
import Foundation

/// A request, taken apart.
struct Question {
    let method: String
    /// Decoded segments.
    let path: [String]
    let query: [(name: String, value: String)]
    let body: JSONValue

    init(method: String, target: String, body: [UInt8]) {
        self.method = method
        let parts = target.split(separator: "?", maxSplits: 1)
        path = (parts.first ?? "").split(separator: "/").map { $0.removingPercentEncoding ?? "" }
        query = (parts.dropFirst().first ?? "").split(separator: "&").map { item in
            let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (sides[0].removingPercentEncoding ?? "", sides.last?.removingPercentEncoding ?? "")
        }
        self.body = (try? JSONValue(parsing: body)) ?? .null  // what is no JSON is refused as null is
    }

    var base: String {
        if path.first == "bases" { return path.count > 1 ? path[1] : "" }
        return path.first == "meta" ? (path.count > 2 ? path[2] : "meta") : path.first ?? ""
    }
}

extension HostedStandIn.State {
    mutating func answer(_ question: Question, at now: HostedStandIn.Moment) -> HostedStandIn.Reply {
        do throws(Refusal) {
            return .answer(status: 200, body: try reply(question, at: now).encoded())
        } catch {
            return .answer(status: error.status, body: error.body.encoded())
        }
    }

    struct Refusal: Error {
        let status: Int
        let body: JSONValue

        init(_ status: Int, _ type: String, _ message: String) {
            self.status = status
            body = ["error": ["type": .string(type), "message": .string(message)]]
        }

        static let notFound = Refusal(status: 404, body: ["error": "NOT_FOUND"])

        private init(status: Int, body: JSONValue) {
            self.status = status
            self.body = body
        }
    }

    private mutating func reply(
        _ question: Question,
        at now: HostedStandIn.Moment
    ) throws(Refusal) -> JSONValue {
        if question.path.first == "meta" { return try meta(question.path) }
        if question.path.first == "bases" { return try webhooks(question) }
        guard question.path.count >= 2, let base = question.path.first, let all = tables[base],
            let table = all.firstIndex(where: { [$0.id, $0.name].contains(question.path[1]) })
        else { throw Refusal(403, "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND", "Invalid permissions, or not found.") }
        switch (question.method, question.path.count) {
        case ("GET", 2), ("POST", 3): return list(all[table], question, at: now)
        case ("GET", 3):
            guard let row = all[table].rows.first(where: { $0.id == question.path[2] }) else { throw Refusal.notFound }
            return row.json(all[table], question)
        case ("POST", 2): return try write(base, table, question, replaces: false, at: now)
        case ("PATCH", 2): return try write(base, table, question, replaces: false, at: now)
        case ("PUT", 2): return try write(base, table, question, replaces: true, at: now)
        case ("DELETE", 2): return try delete(base, table, question, at: now)
        default: throw Refusal.notFound
        }
    }

    private func meta(_ path: [String]) throws(Refusal) -> JSONValue {
        if path == ["meta", "bases"] {
            let bases = names.sorted { $0.key < $1.key }.map { id, name -> JSONValue in
                ["id": .string(id), "name": .string(name), "permissionLevel": "create"]
            }
            return ["bases": .array(bases)]
        }
        guard path.count == 4, let list = tables[path[2]] else { throw Refusal.notFound }
        return [
            "tables": .array(
                list.map { table in
                    [
                        "id": .string(table.id), "name": .string(table.name),
                        "primaryFieldId": table.fields[0]["id"] ?? .null,
                        "fields": .array(table.fields.map { .object($0) }), "views": [],
                    ]
                }
            )
        ]
    }

    private func list(
        _ table: HostedStandIn.Table,
        _ question: Question,
        at now: HostedStandIn.Moment
    ) -> JSONValue {
        let size = Int(question["pageSize"] ?? "") ?? question.body["pageSize"]?.intValue ?? 100
        let offset = question["offset"] ?? question.body["offset"]?.stringValue
        // Pages begin after a record, so that one that is made or deleted meanwhile moves nothing.
        let after = offset.map { String($0.split(separator: "/")[1]) } ?? ""
        let filter = question["filterByFormula"] ?? question.body["filterByFormula"]?.stringValue
        let rest = table.rows.filter { $0.id > after && passes($0, filter, at: now) }.sorted { $0.id < $1.id }
        let page = rest.prefix(size)
        var reply: JSONObject = ["records": .array(page.map { $0.json(table, question) })]
        if rest.count > page.count, let last = page.last { reply["offset"] = .string("itr00000000000000/\(last.id)") }
        return .object(reply)
    }

    private mutating func write(
        _ base: String,
        _ table: Int,
        _ question: Question,
        replaces: Bool,
        at now: HostedStandIn.Moment
    ) throws(Refusal) -> JSONValue {
        let items = question.body["records"]?.arrayValue ?? []
        guard (1...10).contains(items.count) else {
            throw Refusal(422, "INVALID_REQUEST_UNKNOWN", "received \(items.count) records")
        }
        guard let stored = tables[base]?[table] else { throw Refusal.notFound }
        var copy = stored
        var created: [JSONValue] = []
        var done: [(id: String, fields: JSONObject)] = []
        var rows: [JSONValue] = []
        let merge = (question.body["performUpsert"]?["fieldsToMergeOn"]?.arrayValue ?? []).compactMap { key in
            copy.fields.first { [$0["id"], $0["name"]].contains(key) }?["name"]?.stringValue
        }
        for item in items {
            let fields = try checked(item["fields"]?.objectValue ?? JSONObject(), copy)
            var index = try position(of: item, merge, fields, in: copy, isCreate: question.method == "POST")
            if let found = index, done.contains(where: { $0.id == copy.rows[found].id }) {
                throw Refusal(422, "INVALID_REQUEST_UNKNOWN", "Cannot update the same record twice in one request.")
            }
            if index == nil {
                lastRow += 1
                let id = "rec" + String(repeating: "0", count: 14 - "\(lastRow)".count) + "\(lastRow)"
                copy.rows.append(.init(id: id, createdTime: "2024-05-01T12:00:00.000Z", fields: JSONObject()))
                index = copy.rows.count - 1
                created.append(.string(id))
            }
            guard let index else { throw Refusal.notFound }
            if replaces { copy.rows[index].fields = JSONObject() }
            for (name, value) in fields { copy.rows[index].fields[name] = value.isNull ? nil : value }
            done.append((copy.rows[index].id, fields))
            rows.append(copy.rows[index].json(copy, question))
        }
        tables[base]?[table] = copy
        writes += done
        note(stored, copy, base: base, at: now)
        linkBack(stored, copy, base: base, at: now)
        var reply: JSONObject = ["records": .array(rows)]
        if !merge.isEmpty { reply["createdRecords"] = .array(created) }
        return .object(reply)
    }

    /// Where the record of a write stands; nil when one is to be made.
    private func position(
        of item: JSONValue,
        _ merge: [String],
        _ fields: JSONObject,
        in table: HostedStandIn.Table,
        isCreate: Bool
    ) throws(Refusal) -> Int? {
        if isCreate { return nil }
        if let id = item["id"]?.stringValue {
            guard let index = table.rows.firstIndex(where: { $0.id == id }) else {
                throw Refusal(422, "ROW_DOES_NOT_EXIST", "Record ID \(id) does not exist in this table")
            }
            return index
        }
        return table.rows.firstIndex { row in merge.allSatisfy { fields[$0] != nil && row.fields[$0] == fields[$0] } }
    }

    /// The cells by field name.
    private func checked(_ fields: JSONObject, _ table: HostedStandIn.Table) throws(Refusal) -> JSONObject {
        var checked = JSONObject()
        for (key, value) in fields {
            let field = table.fields.first { [$0["id"], $0["name"]].contains(.string(key)) }
            guard let field, let name = field["name"]?.stringValue else {
                throw Refusal(422, "UNKNOWN_FIELD_NAME", "Unknown field name: \"\(key)\"")
            }
            if field["type"] == "number", value.numberValue == nil, !value.isNull {
                throw Refusal(422, "INVALID_VALUE_FOR_COLUMN", "Field \"\(name)\" cannot accept the provided value")
            }
            checked[name] = value
        }
        return checked
    }

    private mutating func delete(
        _ base: String,
        _ table: Int,
        _ question: Question,
        at now: HostedStandIn.Moment
    ) throws(Refusal) -> JSONValue {
        let ids = question.query.filter { $0.name == "records[]" }.map(\.value)
        let known = Set(tables[base]?[table].rows.map(\.id) ?? [])
        for id in ids where !known.contains(id) {
            throw Refusal(422, "ROW_DOES_NOT_EXIST", "Record ID \(id) does not exist in this table")
        }
        guard let stored = tables[base]?[table] else { throw Refusal.notFound }
        var copy = stored
        copy.rows.removeAll { ids.contains($0.id) }
        tables[base]?[table] = copy
        note(stored, copy, base: base, at: now)
        linkBack(stored, copy, base: base, at: now)
        return ["records": .array(ids.map { ["id": .string($0), "deleted": true] })]
    }
}

extension Question {
    subscript(name: String) -> String? { query.first { $0.name == name }?.value }
}

extension HostedStandIn.Row {
    fileprivate func json(_ table: HostedStandIn.Table, _ question: Question) -> JSONValue {
        var shown = fields
        if question["returnFieldsByFieldId"] == "true" || question.body["returnFieldsByFieldId"] == true {
            shown = JSONObject()
            for field in table.fields {
                guard let id = field["id"]?.stringValue, let name = field["name"]?.stringValue else { continue }
                shown[id] = fields[name]
            }
        }
        return ["id": .string(id), "createdTime": .string(createdTime), "fields": .object(shown)]
    }
}
