import Domain

/// What of the service tells of changes: the filters that a mirror asks with, and webhooks.
extension HostedStandIn.State {
    /// Of all formulas these: whether a record is one of some, and whether it was changed within so many seconds. To all
    /// others every record is true.
    func passes(_ row: HostedStandIn.Row, _ formula: String?, at now: HostedStandIn.Moment) -> Bool {
        guard let formula, !formula.isEmpty else { return true }
        if formula.contains("RECORD_ID()") { return formula.contains("'\(row.id)'") }
        guard let match = formula.firstMatch(of: /LAST_MODIFIED_TIME\(\),'seconds'\)<([0-9]+)/),
            let seconds = Int(match.1)
        else { return true }
        guard let changed = changed[row.id] else { return false }
        return now - changed < .seconds(seconds)
    }

    /// Remembers what changed in a table, and tells the base's webhooks.
    mutating func note(
        _ old: HostedStandIn.Table,
        _ new: HostedStandIn.Table,
        base: String,
        at now: HostedStandIn.Moment
    ) {
        let before = Dictionary(old.rows.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let after = Set(new.rows.map(\.id))
        var (created, updated) = (JSONObject(), JSONObject())
        for row in new.rows where before[row.id] != row {
            changed[row.id] = now
            if before[row.id] == nil {
                created[row.id] = ["createdTime": .string(row.createdTime), "cellValuesByFieldId": [:]]
            } else {
                updated[row.id] = ["current": ["cellValuesByFieldId": [:]]]
            }
        }
        let destroyed = old.rows.map(\.id).filter { !after.contains($0) }
        var change = JSONObject()
        if !created.isEmpty { change["createdRecordsById"] = .object(created) }
        if !updated.isEmpty { change["changedRecordsById"] = .object(updated) }
        if !destroyed.isEmpty { change["destroyedRecordIds"] = .array(destroyed.map { .string($0) }) }
        if old.fields != new.fields { change["changedFieldsById"] = [:] }
        guard !change.isEmpty else { return }
        for (hook, watched) in hooks where watched == base {
            payloads[hook, default: []].append(["changedTablesById": [new.id: .object(change)]])
        }
    }

    /// Sets the other sides of links that changed in a table.
    mutating func linkBack(
        _ old: HostedStandIn.Table,
        _ new: HostedStandIn.Table,
        base: String,
        at now: HostedStandIn.Moment
    ) {
        for field in new.fields where field["type"] == "multipleRecordLinks" {
            guard let name = field["name"]?.stringValue, let options = field["options"],
                let other = tables[base]?.firstIndex(where: { options["linkedTableId"] == .string($0.id) }),
                let before = tables[base]?[other],
                let inverse = before.fields.first(where: { $0["id"] == options["inverseLinkFieldId"] })?["name"]?
                    .stringValue
            else { continue }
            func links(_ rows: [HostedStandIn.Row]) -> [String: [JSONValue]] {
                Dictionary(
                    rows.map { ($0.id, $0.fields[name]?.arrayValue ?? []) },
                    uniquingKeysWith: { first, _ in first }
                )
            }
            let (was, isNow) = (links(old.rows), links(new.rows))
            var after = before
            for position in after.rows.indices {
                let id = JSONValue.string(after.rows[position].id)
                var list = after.rows[position].fields[inverse]?.arrayValue ?? []
                for (record, targets) in was where targets.contains(id) && isNow[record]?.contains(id) != true {
                    list.removeAll { $0 == .string(record) }
                }
                for row in new.rows
                where isNow[row.id]?.contains(id) == true && was[row.id]?.contains(id) != true
                    && !list.contains(.string(row.id))
                {
                    list.append(.string(row.id))
                }
                after.rows[position].fields[inverse] = list.isEmpty ? nil : .array(list)
            }
            tables[base]?[other] = after
            note(before, after, base: base, at: now)
        }
    }

    mutating func webhooks(_ question: Question) throws(Refusal) -> JSONValue {
        guard givesWebhooks else { throw Refusal(403, "INVALID_PERMISSIONS", "You may make no webhook.") }
        let week: JSONValue = "2099-01-01T00:00:00.000Z"
        switch (question.method, question.path.count) {
        case ("POST", 3):
            lastRow += 1
            let id = "ach" + String(repeating: "0", count: 14 - "\(lastRow)".count) + "\(lastRow)"
            hooks[id] = question.path[1]
            return ["id": .string(id), "macSecretBase64": "", "expirationTime": week]
        case ("POST", 5) where hooks[question.path[3]] != nil: return ["expirationTime": week]
        case ("GET", 5):
            guard hooks[question.path[3]] != nil, let cursor = Int(question["cursor"] ?? "1") else {
                throw Refusal.notFound
            }
            let all = payloads[question.path[3]] ?? []
            let page = all.dropFirst(cursor - 1).prefix(50)
            return [
                "payloads": .array(Array(page)), "cursor": .number(JSONNumber(cursor + page.count)),
                "mightHaveMore": .bool(cursor - 1 + page.count < all.count),
            ]
        default: throw Refusal.notFound
        }
    }
}
