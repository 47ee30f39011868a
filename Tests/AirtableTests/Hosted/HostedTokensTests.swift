import Access
import Database
import Domain
import Foundation
import Outbound
import TestSupport
import Testing

@testable import Airtable

@Suite("Tokens for the hosted service")
struct HostedTokensTests {
    private static func master() throws -> MasterKey {
        try MasterKey(text: Secret(Data(UInt8(7)..<39).base64EncodedString()), source: "the test")
    }

    @Test("belong to their workspace and tenant, and rest encrypted", arguments: DatabaseKind.allCases)
    func tokens(kind: DatabaseKind) async throws {
        try await withStore(kind) { fixture in
            let vault = CredentialVault(database: fixture.database, master: try Self.master())
            let tokens = HostedTokens(vault: vault, common: OutboundSecret("patCommon"))
            let (one, two) = (WorkspaceID.random(), WorkspaceID.random())
            try await tokens.store(Secret("patOfWorkspaceOne"), for: one, context: fixture.context)
            #expect(try await tokens.token(for: one, context: fixture.context) == OutboundSecret("patOfWorkspaceOne"))
            #expect(try await tokens.token(for: two, context: fixture.context) == OutboundSecret("patCommon"))
            let stranger = try await fixture.otherTenant()
            #expect(try await tokens.token(for: one, context: stranger) == OutboundSecret("patCommon"))
            let sealed = try await fixture.database.read(of: .everyTenant) { transaction in
                try transaction.rows("SELECT sealed FROM access_credentials", []).map { try $0.bytes(0) }
            }
            #expect(sealed.count == 1)
            #expect(!String(decoding: sealed[0], as: UTF8.self).contains("patOf"))
            try await tokens.delete(for: one, context: fixture.context)
            #expect(try await tokens.token(for: one, context: fixture.context) == OutboundSecret("patCommon"))
        }
    }

    @Test(
        "only an administrator stores or deletes one; without any, the error says what to do",
        arguments: DatabaseKind.allCases
    )
    func refusals(kind: DatabaseKind) async throws {
        try await withStore(kind) { fixture in
            let tokens = HostedTokens(vault: CredentialVault(database: fixture.database, master: try Self.master()))
            let workspace = WorkspaceID.random()
            let limited = fixture.context(with: [.recordsRead, .recordsWrite])
            await #expect(throws: AccessError.self) {
                try await tokens.store(Secret("pat"), for: workspace, context: limited)
            }
            await #expect(throws: AccessError.self) { try await tokens.delete(for: workspace, context: limited) }
            let error = await #expect(throws: AirtableError(.authenticationRequired, "")) {
                _ = try await tokens.token(for: workspace, context: limited)
            }
            #expect(error?.hint?.contains("AIRTABLE_API_KEY") == true)
        }
    }
}
