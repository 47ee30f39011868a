import Access
import Airtable
import Database
import Domain
import TestSupport
import Testing

@Suite("Webhooks")
struct WebhookTests {
    private static let fields = [
        FieldDraft(name: "Name", type: .singleLineText), FieldDraft(name: "Count", type: .number),
    ]

    @Test("are made with a secret, listed without it, and deleted", arguments: DatabaseKind.allCases)
    func lifeCycle(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let table = try await fixture.store.table(Self.fields)
            let made = try await fixture.create(table.base, url: "https://example.org/hook")
            #expect(Base64.bytes(lenient: made.macSecretBase64)?.count == 32)
            let listed = try await fixture.service.webhooks(in: table.base, context: fixture.context)
            #expect(listed == [made.webhook])
            #expect(listed[0].nextPayload == 1 && listed[0].areNotificationsEnabled && listed[0].lastResult == nil)
            #expect(listed[0].expires.microseconds - fixture.store.clock.instant.microseconds == 7 * 86_400_000_000)
            let other = try await fixture.create(table.base)
            #expect(other.macSecretBase64 != made.macSecretBase64)
            let stored = try await fixture.store.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT secret FROM webhooks").map { try $0.bytes(0) }
            }
            let secret = try #require(Base64.bytes(lenient: made.macSecretBase64))
            #expect(stored.count == 2 && stored.allSatisfy { $0.firstRange(of: secret) == nil })

            try await fixture.service.delete(made.webhook.id, in: table.base, context: fixture.context)
            #expect(
                try await fixture.service.webhooks(in: table.base, context: fixture.context).map(\.id) == [
                    other.webhook.id
                ]
            )
            await expectFailure(.notFound) {
                try await fixture.service.delete(made.webhook.id, in: table.base, context: fixture.context)
            }
        }
    }

    @Test("get one payload for each transaction, in order, and no more", arguments: DatabaseKind.allCases)
    func onePayloadEach(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let table = try await fixture.store.table(Self.fields)
            _ = try await fixture.store.create(table, ["Name": "before"])
            let hook = try await fixture.create(table.base).webhook
            let record = try await fixture.store.create(table, ["Name": "new"])[0]
            for number in 1...20 {
                _ = try await fixture.store.service.update(
                    [RecordUpdate(id: record.id, fields: ["Count": JSONValue.number(JSONNumber(number))])],
                    in: table.id,
                    context: fixture.context
                )
            }
            let (name, count) = (table.fields[0].id.description, table.fields[1].id.description)
            let payloads = try await fixture.payloads(hook)
            #expect(payloads.count == 21)
            let created = try #require(payloads.first)
            #expect(
                created["changedTablesById"] == [
                    table.id.description: [
                        "createdRecordsById": [
                            record.id.description: [
                                "createdTime": .string(CellCodec.timestamp(record.createdTime)),
                                "cellValuesByFieldId": [name: "new"],
                            ]
                        ]
                    ]
                ]
            )
            #expect(created["actionMetadata"]?["source"] == "publicApi" && created["payloadFormat"] == "v0")
            let user = created["actionMetadata"]?["sourceMetadata"]?["user"]?["id"]
            #expect(user?.stringValue == fixture.context.principal.user.description)
            for (number, payload) in payloads.dropFirst().enumerated() {
                let change = payload["changedTablesById"]?[table.id.description]?["changedRecordsById"]
                #expect(
                    change == [
                        record.id.description: [
                            "current": ["cellValuesByFieldId": [count: JSONValue.number(JSONNumber(number + 1))]]
                        ]
                    ]
                )
            }
            let transactions = payloads.compactMap { $0["baseTransactionNumber"]?.intValue }
            #expect(transactions.count == 21 && transactions == transactions.sorted() && Set(transactions).count == 21)
            #expect(try await fixture.webhook(hook)?.nextPayload == 22)
        }
    }

    @Test("are read by cursor, a page at a time", arguments: DatabaseKind.allCases)
    func cursors(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let (service, context) = (fixture.service, fixture.context)
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base).webhook
            func page(_ cursor: Int64, _ limit: Int = 50) async throws -> WebhookPayloadPage {
                try await service.payloads(of: hook.id, in: table.base, cursor: cursor, limit: limit, context: context)
            }
            #expect(try await page(1) == WebhookPayloadPage.testing([], 1, false))
            for number in 0..<5 { _ = try await fixture.store.create(table, ["Name": .string("\(number)")]) }
            let first = try await page(1, 2)
            #expect(first.payloads.count == 2 && first.cursor == 3 && first.mightHaveMore)
            let last = try await page(4, 2)
            #expect(last.payloads.count == 2 && last.cursor == 6 && !last.mightHaveMore)
            #expect(try await page(1).payloads.suffix(2) == last.payloads[...])
            #expect(try await page(6) == WebhookPayloadPage.testing([], 6, false))
            await expectFailure(.invalidRequest) { try await page(0) }
            await expectFailure(.invalidRequest) { try await page(1, 51) }
            await expectFailure(.invalidRequest) { try await page(1, 0) }
        }
    }

    @Test("made side by side each count their own payloads from 1", arguments: DatabaseKind.allCases)
    func several(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let table = try await fixture.store.table(Self.fields)
            let early = try await fixture.create(table.base).webhook
            let record = try await fixture.store.create(table, ["Name": "a"])[0]
            let late = try await fixture.create(
                table.base,
                filters: ["dataTypes": ["tableData"], "changeTypes": ["remove"]]
            )
            .webhook
            let elsewhere = try await fixture.store.table(Self.fields, base: "Elsewhere")
            _ = try await fixture.store.create(elsewhere, ["Name": "unseen"])
            try await fixture.store.service.delete([record.id], in: table.id, context: fixture.context)
            #expect(try await fixture.payloads(early).count == 2)
            let removed = try await fixture.payloads(late)
            #expect(removed.count == 1)
            #expect(
                removed.first?["changedTablesById"]?[table.id.description]
                    == ["destroyedRecordIds": [.string(record.id.description)]]
            )
        }
    }

    @Test("of a view tell what comes into it, changes in it and leaves it", arguments: DatabaseKind.allCases)
    func views(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let (service, context) = (fixture.store.service, fixture.context)
            let table = try await fixture.store.table(Self.fields)
            let view = try await service.createView(
                ViewDraft(name: "Large", filter: "{Count} > 10"),
                in: table.id,
                context: context
            )
            func update(_ id: RecordID, _ cells: JSONObject) async throws {
                _ = try await service.update([RecordUpdate(id: id, fields: cells)], in: table.id, context: context)
            }
            let filters: JSONValue = ["dataTypes": ["tableData"], "recordChangeScope": .string(view.id.description)]
            let hook = try await fixture.create(table.base, filters: filters).webhook
            let id = try await fixture.store.create(table, ["Name": "a", "Count": 1])[0].id
            try await update(id, ["Name": "b"])
            try await update(id, ["Count": 11])
            try await update(id, ["Name": "c"])
            try await update(id, ["Count": 2])
            let large = try await fixture.store.create(table, ["Count": 20])[0].id
            try await service.delete([large], in: table.id, context: context)

            let told = try await fixture.payloads(hook).map { payload in
                let change = payload["changedTablesById"]?[table.id.description]
                #expect(change?.objectValue?.count == 1, "nothing is told of the table beside its view")
                return change?["changedViewsById"]?[view.id.description] ?? .null
            }
            let (name, count) = (table.fields[0].id.description, table.fields[1].id.description)
            #expect(told.count == 5)
            let cells = told.first?["createdRecordsById"]?[id.description]?["cellValuesByFieldId"]
            #expect(cells == .object([name: "b", count: 11]), "what comes in is told whole")
            let current = told[1]["changedRecordsById"]?[id.description]?["current"]?["cellValuesByFieldId"]
            #expect(current == .object([name: "c"]))
            #expect(told[2]["destroyedRecordIds"] == [.string(id.description)])
            #expect(told[3]["createdRecordsById"]?[large.description] != nil)
            #expect(told[4]["destroyedRecordIds"] == [.string(large.description)])

            try await service.deleteView(view.id, in: table.id, context: context)
            _ = try await fixture.store.create(table, ["Count": 30])
            #expect(try await fixture.payloads(hook).count == 5, "of a view that is no more, nobody is told")
            await expectFailure(.invalidRequest) { try await fixture.create(table.base, filters: filters) }
        }
    }

    private static func created(_ payload: JSONValue, _ table: Table) -> [String] {
        let change = payload["changedTablesById"]?[table.id.description]
        return change?["createdRecordsById"]?.objectValue.map { Array($0.keys) } ?? []
    }

    @Test("lose and repeat nothing when many write, read and make payloads at once", arguments: DatabaseKind.allCases)
    func concurrent(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base).webhook
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        let made = try await fixture.store.create(table, ["Name": .string("\(number)")])[0]
                        // What was committed before the call is there, whoever makes payloads at the same time.
                        let told = try await fixture.payloads(hook)
                        #expect(told.contains { Self.created($0, table).contains(made.id.description) })
                    }
                    if number % 4 == 0 { group.addTask { _ = try await fixture.payloads(hook) } }
                    if number % 5 == 0 { group.addTask { _ = try await fixture.notifier.once() } }
                }
                try await group.waitForAll()
            }
            let payloads = try await fixture.payloads(hook)
            let records = payloads.flatMap { Self.created($0, table) }
            #expect(payloads.count == 20 && Set(records).count == 20)
        }
    }

    @Test("hold what was trimmed from the log as one payload that says so", arguments: DatabaseKind.allCases)
    func gap(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base).webhook
            _ = try await fixture.store.create(table, ["Name": "lost"])
            fixture.store.clock.advance(seconds: 100)
            _ = try await fixture.store.service.changes.trim(
                to: ChangeRetention(age: .seconds(1)),
                now: fixture.store.clock.instant,
                tenant: fixture.context.tenant
            )
            let told = try await fixture.payloads(hook)
            #expect(told.count == 1 && told[0]["error"] == true && told[0]["code"] == "INTERNAL_ERROR")
            _ = try await fixture.store.create(table, ["Name": "seen"])
            #expect(try await fixture.payloads(hook).count == 2)
        }
    }

    @Test("expire after seven days unless refreshed or read, and go seven days later", arguments: DatabaseKind.allCases)
    func expiry(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let (service, context, clock) = (fixture.service, fixture.context, fixture.store.clock)
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base).webhook
            let day: Int64 = 86_400
            clock.advance(seconds: 6 * day)
            let refreshed = try await service.refresh(hook.id, in: table.base, context: context)
            #expect(refreshed.microseconds - clock.instant.microseconds == 7 * day * 1_000_000)
            clock.advance(seconds: 6 * day)
            _ = try await fixture.payloads(hook)
            clock.advance(seconds: 6 * day)
            _ = try await fixture.store.create(table, ["Name": "in time"])
            #expect(try await fixture.webhook(hook)?.isEnabled(at: clock.instant) == true)
            clock.advance(seconds: 1 * day)
            #expect(try await fixture.webhook(hook)?.isEnabled(at: clock.instant) == false)
            _ = try await fixture.store.create(table, ["Name": "too late"])
            #expect(try await fixture.payloads(hook).count == 1)

            clock.advance(seconds: 8 * day)
            try await service.sweep(tenant: context.tenant)
            #expect(try await fixture.webhook(hook) != nil, "reading has refreshed it")
            #expect(try await fixture.payloads(hook).isEmpty, "payloads go after seven days")
            clock.advance(seconds: 15 * day)
            try await service.sweep(tenant: context.tenant)
            #expect(try await fixture.webhook(hook) == nil)
        }
    }

    // MARK: Refusals

    @Test("are ten for a base at most, and need what they name", arguments: DatabaseKind.allCases)
    func refusals(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let (service, context) = (fixture.service, fixture.context)
            let table = try await fixture.store.table(Self.fields)
            let elsewhere = try await fixture.store.table(Self.fields, base: "Elsewhere")
            for url in ["ftp://x", "https://u:p@h/", "no", "https://h/#f"] {
                await expectFailure(.invalidRequest) { try await fixture.create(table.base, url: url) }
            }
            await expectFailure(.invalidRequest) {
                try await fixture.create(
                    table.base,
                    filters: ["dataTypes": ["tableData"], "recordChangeScope": .string(elsewhere.id.description)]
                )
            }
            await expectFailure(.invalidRequest) {
                try await fixture.create(
                    table.base,
                    filters: [
                        "dataTypes": ["tableData"],
                        "watchDataInFieldIds": [.string(elsewhere.fields[0].id.description)],
                    ]
                )
            }
            for _ in 0..<10 { _ = try await fixture.create(table.base) }
            await expectFailure(.invalidRequest) { try await fixture.create(table.base) }
            let hook = try await fixture.create(elsewhere.base).webhook
            await expectFailure(.notFound) {
                try await service.payloads(of: hook.id, in: table.base, context: context)
            }
            await expectFailure(.notFound) { try await service.refresh(hook.id, in: table.base, context: context) }
            await expectFailure(.modelNotFound) { try await fixture.create(.random()) }

            let other = try await fixture.store.otherTenant()
            await expectFailure(.modelNotFound) {
                try await service.payloads(of: hook.id, in: elsewhere.base, context: other)
            }
            await expectFailure(.modelNotFound) {
                try await service.setNotifications(false, of: hook.id, in: elsewhere.base, context: other)
            }
            let reader = fixture.store.context(with: [.recordsRead])
            let manager = fixture.store.context(with: [.webhooksManage])
            await #expect(throws: AccessError.self) { try await service.webhooks(in: table.base, context: reader) }
            await #expect(throws: AccessError.self) {
                try await service.payloads(of: hook.id, in: elsewhere.base, context: reader)
            }
            _ = try await service.payloads(of: hook.id, in: elsewhere.base, context: manager)
        }
    }
}

extension WebhookPayloadPage {
    static func testing(_ payloads: [JSONValue], _ cursor: Int64, _ more: Bool) -> Self {
        Self(payloads: payloads, cursor: cursor, mightHaveMore: more)
    }
}
