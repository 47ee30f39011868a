import Access
import Airtable
import Database
import Domain
import Foundation
import Outbound
import TestSupport

/// Swift Testing has one too.
typealias Attachment = Domain.Attachment

/// A store of attachments in a directory of its own, that may call this machine.
struct AttachmentFixture: Sendable {
    let store: StoreFixture
    let service: AttachmentService
    let calls: ForeignCalls
    let directory: URL
    let base: BaseID

    /// Every file under a final name.
    func files() throws -> [String] {
        let paths = FileManager.default.enumerator(atPath: directory.path)?.compactMap { $0 as? String } ?? []
        return paths.filter { $0.split(separator: "/").count == 3 && !$0.hasPrefix(".") }.sorted()
    }

    /// What lies under temporary names.
    func incoming() throws -> [String] {
        let path = directory.appendingPathComponent(".incoming").path
        guard FileManager.default.fileExists(atPath: path) else { return [] }
        return try FileManager.default.contentsOfDirectory(atPath: path)
    }

    func add(_ bytes: [UInt8], _ filename: String = "a.bin", type: String? = nil) async throws -> Attachment {
        try await service.add(bytes, filename: filename, declaredType: type, base: base, context: store.context)
    }

    /// What a list for one cell of the base means.
    func resolve(
        _ inputs: [AttachmentInput],
        base: BaseID? = nil,
        context: RequestContext? = nil
    ) async throws -> [Attachment?] {
        let found = try await service.attachments(
            Set(inputs),
            base: base ?? self.base,
            context: context ?? store.context
        )
        return inputs.map { found[$0] }
    }

    /// The bytes behind a link, by its parts.
    func bytes(_ link: String, tenant: TenantID? = nil) async throws -> [UInt8] {
        let parts = link.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 7, parts[1] == "attachments", let linkTenant = TenantID(parts[2]),
            let id = AttachmentID(parts[3])
        else { throw TestSupportError("\(link) is no link") }
        let content = try await service.open(
            id,
            tenant: tenant ?? linkTenant,
            expires: parts[4],
            signature: parts[5]
        )
        return try await content.read(Int(content.attachment.size), at: 0)
    }
}

let attachmentKey = Secret("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")

func withAttachments(
    _ kind: DatabaseKind,
    allowing hosts: [String] = ["127.0.0.1/32"],
    resolver: any HostResolver = SystemResolver(),
    _ body: @escaping @Sendable (AttachmentFixture) async throws -> Void
) async throws {
    try await withTemporaryDirectory { directory in
        let migrations = storeMigrations + [CredentialStore.migration] + AttachmentService.migrations
        let ids = Set(storeMigrations.map(\.id))
        let own = migrations.suffix(from: storeMigrations.count).filter { !ids.contains($0.id) }
        try await withDatabase(kind, migrations: storeMigrations + own) { database in
            let store = try await storeFixture(database)
            let calls = ForeignCalls(allowing: hosts.compactMap { AllowedHost($0) }, resolver: resolver)
            let service = AttachmentService(
                database: database,
                vault: {
                    CredentialVault(database: database, master: try MasterKey(text: attachmentKey, source: "the test"))
                },
                directory: directory.appendingPathComponent("attachments").path,
                transport: calls.transport,
                now: store.clock.now
            )
            try await body(
                AttachmentFixture(
                    store: store,
                    service: service,
                    calls: calls,
                    directory: directory.appendingPathComponent("attachments"),
                    base: .random()
                )
            )
            await calls.shutdown()
        }
    }
}
