import Access
import Database
import Domain
import TestSupport
import Testing

@testable import Airtable

@Suite("Notifications of webhooks")
struct WebhookNotifierTests {
    private static let fields = [FieldDraft(name: "Name", type: .singleLineText)]

    /// A receiver that notes every request and answers as it is told.
    private struct Receiver {
        let server: RawServer
        let requests = Guarded<[RawRequest]>([])
        let status = Guarded(204)

        init() throws {
            let (requests, status) = (requests, status)
            server = try RawServer { peer in
                while let request = try peer.request() {
                    requests.update { $0.append(request) }
                    try peer.reply(status.value, "")
                }
            }
        }

        var url: String { server.url + "/hook" }
    }

    @Test("say where, and nothing of what, and are signed with the webhook's secret", arguments: DatabaseKind.allCases)
    func signed(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let receiver = try Receiver()
            let table = try await fixture.store.table(Self.fields)
            let made = try await fixture.create(table.base, url: receiver.url)
            #expect(try await fixture.notifier.once() == nil)
            #expect(receiver.requests.value.isEmpty)
            _ = try await fixture.store.create(table, ["Name": "secret text"])
            #expect(try await fixture.notifier.once() == nil)
            let request = try #require(receiver.requests.value.first)
            #expect(receiver.requests.value.count == 1 && request.line == "POST /hook HTTP/1.1")
            #expect(
                try JSONValue(parsing: request.body) == [
                    "base": ["id": .string(table.base.description)],
                    "webhook": ["id": .string(made.webhook.id.description)],
                    "timestamp": .string(CellCodec.timestamp(fixture.store.clock.instant)),
                ]
            )
            let secret = try #require(Base64.bytes(lenient: made.macSecretBase64))
            let mac = SigningKey(Secret(bytes: secret)).signature(of: request.body)
            let text = mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
            #expect(request.header("x-airtable-content-mac") == "hmac-sha256=\(text)")

            let listed = try #require(try await fixture.webhook(made.webhook))
            #expect(listed.lastResult?.success == true && listed.lastResult?.retry == 0)
            #expect(listed.lastSuccess == fixture.store.clock.instant)
            // Nothing new: nobody is told again.
            _ = try await fixture.notifier.once()
            #expect(receiver.requests.value.count == 1)
        }
    }

    @Test("are tried again later and later, and told once for all that happened", arguments: DatabaseKind.allCases)
    func retries(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let receiver = try Receiver()
            receiver.status.value = 500
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base, url: receiver.url).webhook
            _ = try await fixture.store.create(table, ["Name": "1"])
            var due = try #require(try await fixture.notifier.once())
            #expect(due.microseconds - fixture.store.clock.instant.microseconds == 10_000_000)
            _ = try await fixture.store.create(table, ["Name": "2"])
            #expect(try await fixture.notifier.once() == due)
            #expect(receiver.requests.value.count == 1)
            let failed = try #require(try await fixture.webhook(hook)?.lastResult)
            #expect(!failed.success && failed.willBeRetried == true && failed.error == "The receiver answered 500.")

            fixture.store.clock.advance(seconds: 10)
            due = try #require(try await fixture.notifier.once())
            #expect(due.microseconds - fixture.store.clock.instant.microseconds == 20_000_000)
            #expect(try await fixture.webhook(hook)?.lastResult?.retry == 1)
            receiver.status.value = 200
            fixture.store.clock.advance(seconds: 20)
            #expect(try await fixture.notifier.once() == nil)
            #expect(receiver.requests.value.count == 3)
            #expect(try await fixture.webhook(hook)?.lastResult?.retry == 2)
        }
    }

    @Test("are turned off after the last attempt, until somebody turns them on", arguments: DatabaseKind.allCases)
    func turnedOff(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let receiver = try Receiver()
            receiver.status.value = 404
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base, url: receiver.url).webhook
            _ = try await fixture.store.create(table, ["Name": "1"])
            for attempt in 1...Limits.webhookAttempts {
                let due = try await fixture.notifier.once()
                #expect((due == nil) == (attempt == Limits.webhookAttempts))
                fixture.store.clock.advance(seconds: WebhookNotifier.delay(after: attempt) / 1_000_000)
            }
            #expect(receiver.requests.value.count == Limits.webhookAttempts)
            let listed = try #require(try await fixture.webhook(hook))
            #expect(!listed.areNotificationsEnabled && listed.lastResult?.willBeRetried == false)
            receiver.status.value = 200
            _ = try await fixture.store.create(table, ["Name": "2"])
            #expect(try await fixture.notifier.once() == nil)
            #expect(receiver.requests.value.count == Limits.webhookAttempts)
            #expect(try await fixture.payloads(hook).count == 2, "payloads are made all the same")

            try await fixture.service.setNotifications(true, of: hook.id, in: table.base, context: fixture.context)
            _ = try await fixture.notifier.once()
            #expect(receiver.requests.value.count == Limits.webhookAttempts, "what is over is not told")
            _ = try await fixture.store.create(table, ["Name": "3"])
            _ = try await fixture.notifier.once()
            #expect(receiver.requests.value.count == Limits.webhookAttempts + 1)
        }
    }

    @Test("of a webhook that has expired are neither sent nor waited for", arguments: DatabaseKind.allCases)
    func expired(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let receiver = try Receiver()
            receiver.status.value = 500
            let table = try await fixture.store.table(Self.fields)
            _ = try await fixture.create(table.base, url: receiver.url)
            _ = try await fixture.store.create(table, ["Name": "1"])
            #expect(try await fixture.notifier.once() != nil)
            fixture.store.clock.advance(seconds: Limits.webhookSeconds + 1)
            #expect(try await fixture.notifier.once() == nil)
            #expect(receiver.requests.value.count == 1)
        }
    }

    @Test("turned off by somebody are not sent", arguments: DatabaseKind.allCases)
    func disabled(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let receiver = try Receiver()
            let table = try await fixture.store.table(Self.fields)
            let hook = try await fixture.create(table.base, url: receiver.url).webhook
            try await fixture.service.setNotifications(false, of: hook.id, in: table.base, context: fixture.context)
            _ = try await fixture.store.create(table, ["Name": "1"])
            #expect(try await fixture.notifier.once() == nil)
            #expect(receiver.requests.value.isEmpty)
            #expect(try await fixture.webhook(hook)?.areNotificationsEnabled == false)
        }
    }

    @Test("are sent once when two processes look at the same time", arguments: DatabaseKind.allCases)
    func twoProcesses(_ kind: DatabaseKind) async throws {
        try await withWebhooks(kind) { fixture in
            let receiver = try Receiver()
            let table = try await fixture.store.table(Self.fields)
            _ = try await fixture.create(table.base, url: receiver.url)
            _ = try await fixture.store.create(table, ["Name": "1"])
            async let one = fixture.notifier.once()
            async let two = fixture.notifier.once()
            _ = try await (one, two)
            #expect(receiver.requests.value.count == 1)
        }
    }

    @Test("go out by themselves while the loop runs, and end with it")
    func loop() async throws {
        try await withWebhooks(.sqlite) { fixture in
            let receiver = try Receiver()
            let table = try await fixture.store.table(Self.fields)
            _ = try await fixture.create(table.base, url: receiver.url)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await fixture.notifier.run() }
                _ = try await fixture.store.create(table, ["Name": "1"])
                try await eventually("the first notification") { receiver.requests.value.count == 1 }
                _ = try await fixture.store.create(table, ["Name": "2"])
                try await eventually("the second notification") { receiver.requests.value.count == 2 }
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.waitForAll() }
            }
        }
    }

    @Test("wait 10 s after the first failure, twice as long each time, two hours at most")
    func delays() {
        #expect(
            [1, 2, 3, 10, 11, 40].map { WebhookNotifier.delay(after: $0) / 1_000_000 } == [
                10, 20, 40, 5_120, 7_200, 7_200,
            ]
        )
    }
}
