import Domain
import Logging
import Outbound

/// What the payloads of a webhook say has changed, by name only: values are read anew, since those of payloads have
/// another shape and are older.
struct MirrorNews: Sendable {
    var records: [TableID: [RecordID]] = [:]
    var changesSchema = false
    var cursor: Int
    let asked: Instant

    mutating func add(_ payload: JSONValue) {
        for (key, change) in payload["changedTablesById"]?.objectValue ?? [:] {
            let schemaKeys = ["createdFieldsById", "changedFieldsById", "destroyedFieldIds", "changedMetadata"]
            if schemaKeys.contains(where: { change[$0] != nil }) { changesSchema = true }
            guard let table = TableID(key) else { continue }
            var ids = change["destroyedRecordIds"]?.arrayValue?.compactMap(\.stringValue) ?? []
            for part in ["createdRecordsById", "changedRecordsById"] { ids += change[part]?.objectValue?.keys ?? [] }
            records[table, default: []] += ids.compactMap { RecordID($0) }
        }
        if payload["createdTablesById"] != nil || payload["destroyedTableIds"] != nil { changesSchema = true }
        // A payload that the service could not make says only that something happened.
        if payload["error"]?.boolValue == true { changesSchema = true }
    }
}

extension MirrorRound {
    private var path: [String] { ["bases", base.id.description, "webhooks"] }

    /// Asks for a webhook without notifications when there is none, and keeps one alive.
    ///
    /// Before the first pull, so that what changes during the pull is told.
    mutating func openWebhook() async throws {
        let now = service.now()
        if let webhook = state.webhook {
            guard let end = webhook.expires, end.microseconds - now.microseconds < rules.webhookRest.microseconds else {
                return
            }
            do {
                let reply = try await send(.post, path + [webhook.id, "refresh"], [:])
                setWebhook(webhook.expiring(reply["expirationTime"]))
            } catch let error as AirtableError where error.refusesWebhook {
                try await loseWebhook()
            }
            return
        }
        if let end = state.webhookRefusedUntil, end > now { return }
        let filters: JSONValue = ["dataTypes": ["tableData", "tableFields", "tableMetadata"]]
        let specification: JSONValue = ["options": ["filters": filters]]
        do {
            let reply = try await send(.post, path, ["notificationUrl": .null, "specification": specification])
            guard let id = reply["id"]?.stringValue else { throw AirtableError.malformedHosted("a webhook has no id") }
            setWebhook(MirrorState.Webhook(id: id, cursor: 1, expires: nil).expiring(reply["expirationTime"]))
            // What changed before it was made is told by nobody.
            for table in state.tables where table.isPulled { update(table.table) { $0.needsSweep = true } }
            try await save()
        } catch let error as AirtableError where error.refusesWebhook {
            let end = Instant(microseconds: now.microseconds + rules.webhookPause.microseconds)
            refuseWebhook(until: end)
            context.logger.info("no webhook for a mirrored base", metadata: ["reason": "\(error.code.rawValue)"])
        }
    }

    /// What has changed by the webhook since it was last read; nil without one.
    mutating func readWebhook() async throws -> MirrorNews? {
        guard let webhook = state.webhook else { return nil }
        var news = MirrorNews(cursor: webhook.cursor, asked: service.now())
        do {
            while true {
                let page = try await upstream.client.fetch(
                    path + [webhook.id, "payloads"],
                    query: [(name: "cursor", value: String(news.cursor))],
                    base: base.id,
                    table: webhook.id,
                    try await call()
                )
                let payloads = page["payloads"]?.arrayValue ?? []
                for payload in payloads { news.add(payload) }
                guard let next = page["cursor"]?.intValue, next >= news.cursor else {
                    throw AirtableError.malformedHosted("the payloads of a webhook have no cursor")
                }
                let isStuck = next == news.cursor
                news.cursor = next
                if isStuck || page["mightHaveMore"]?.boolValue != true { return news }
            }
        } catch let error as AirtableError where error.refusesWebhook {
            try await loseWebhook()
            return nil
        }
    }

    /// Brings what `news` names, and only then moves the cursor.
    mutating func take(_ news: MirrorNews) async throws {
        if news.changesSchema { try await followSchema() }
        var changed = 0
        for (table, ids) in news.records.sorted(by: { $0.key < $1.key })
        where state.tables.contains(where: { $0.table == table }) {
            changed += try await reread(ids.distinct(), in: table)
        }
        if !news.records.isEmpty { try await noteDependents() }
        for table in state.tables.map(\.table) {
            update(table) { $0.changesTime = max($0.changesTime ?? news.asked, news.asked) }
        }
        guard var webhook = state.webhook else { return }
        webhook.cursor = news.cursor
        setWebhook(webhook)
        if changed > 0 { context.logger.debug("a webhook brought changes", metadata: ["records": "\(changed)"]) }
    }

    /// It is gone, or we may not use it: everything is compared, then polled until there is another.
    private mutating func loseWebhook() async throws {
        setWebhook(nil)
        for table in state.tables.map(\.table) { update(table) { $0.needsSweep = true } }
        try await save()
    }

    private func send(_ method: OutboundRequest.Method, _ path: [String], _ body: JSONObject) async throws -> JSONValue
    {
        try await upstream.client.send(
            method,
            path,
            body: .object(body),
            isRepeatable: true,
            base: base.id,
            try await call()
        )
    }
}

extension MirrorState.Webhook {
    fileprivate func expiring(_ time: JSONValue?) -> Self {
        var webhook = self
        webhook.expires = time?.stringValue.flatMap { Instant(iso8601: $0) }
        return webhook
    }
}

extension AirtableError {
    /// Whether the service says that there is no such webhook, or that we may have none; not that it failed, or that the
    /// token is wrong for everything.
    fileprivate var refusesWebhook: Bool { [.notFound, .forbidden, .invalid].contains(kind) }
}
