import Airtable
import Domain
import HummingbirdTesting
import TestSupport
import Testing

@testable import Gateway

@Suite("Attachments and webhooks, by pyairtable")
struct AttachmentClientTests {
    @Test("files, payloads of every kind and signed notifications, over real sockets", arguments: DatabaseKind.allCases)
    func officialClient(_ kind: DatabaseKind) async throws {
        try await withGateway(kind) { fixture in
            var fixture = fixture
            fixture.emulation = AirtableEmulation(acceptsAnyWorkspace: true)
            let (key, user) = (fixture.key, fixture.owner.principal.user)
            let notifier = WebhookNotifier(fixture.webhooks, logger: fixture.log.logger())
            try await fixture.server().publicApplication.test(.live) { client in
                let port = try #require(client.port)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    group.addTask { try await notifier.run() }
                    let result = try await ClientServer.run(
                        "airtable_files.py",
                        ["http://127.0.0.1:\(port)", key, user.description]
                    )
                    #expect(result.status == 0, "\(result.errors)")
                    group.cancelAll()
                    await #expect(throws: CancellationError.self) { try await group.waitForAll() }
                }
            }
        }
    }
}
