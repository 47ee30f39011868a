import Foundation
import Testing

/// Who opens transactions on the rows of all tenants, and why they must.
@Suite("Row scopes in the sources")
struct RowScopeUseTests {
    /// By file and function. A new line here is a decision: say what can't be done with one tenant's scope.
    private static let reasons: [String: String] = [
        "Access/Accounts/AccountStore+Profiles.swift: give": "a new password ends a person's sessions in every tenant",
        "Access/Accounts/AccountStore+Registrations.swift: admit":
            "makes a tenant, and looks whether there is room for it",
        "Access/Accounts/AccountStore+Tokens.swift: resetPassword":
            "a new password ends a person's sessions in every tenant",
        "Access/Accounts/AccountStore+Tokens.swift: setEmail":
            "an address changes for a person's users in every tenant",
        "Access/Accounts/AccountStore+Tokens.swift: sweep": "an account goes once no tenant has a user of it",
        "Access/Accounts/AccountStore+Tokens.swift: takeEmail":
            "an address changes for a person's users in every tenant",
        "Access/Accounts/AccountStore.swift: insert": "makes a tenant, and looks whether there is room for it",
        "Access/Accounts/AccountStore.swift: memberships": "the tenants a person may sign in to",
        "Access/Accounts/AccountStore.swift: setPassword": "a new password ends a person's sessions in every tenant",
        "Access/Accounts/Mail/MailQueue.swift: take":
            "a mail finds its invite, of whatever tenant, and gives it its token",
        "Access/Audit/AuditStore.swift: add": "the checkpoints of all chains, each minute",
        "Access/Audit/AuditStore.swift: heads": "where all chains end, for checkpoints and for who verifies them",
        "Access/Invites/InviteStore.swift: invite": "an invite says whose it is only once it is found",
        "Access/Invites/InviteStore.swift: sweep": "sweeps invites that are dead, of all tenants",
        "Access/Sessions/AccessStore+SessionRows.swift: person": "a person's sessions are theirs in every tenant",
        "Access/Sessions/AccessStore+Sessions.swift: deleteOverSessions":
            "sweeps sessions that are over, of all tenants",
        "Access/Sessions/AccessStore+Sessions.swift: recordUse": "uses of all tenants, gathered into one write",
        "Access/Sessions/AccessStore+Sessions.swift: rotate": "a refresh token says whose it is only once it is found",
        "Access/Storage/AccessStore+Keys.swift: key": "a key says whose it is only once it is found",
        "Access/Storage/AccessStore+Keys.swift: recordUse": "uses of all tenants, gathered into one write",
        "Access/Storage/AccessStore+Policy.swift: policyVersions":
            "who follows several tenants asks once for all of them",
        "Access/Storage/AccessStore.swift: bootstrap": "makes the first tenant, unless another start has",
        "Access/Storage/AccessStore.swift: bootstrapped": "finds out which tenant is the first",
        "Access/Tenants/AccessStore+ManagedTenants.swift: insert": "makes a tenant, and counts them all",
        "Access/Tenants/AccessStore+ManagedTenants.swift: tenants":
            "the list that operators and housekeeping go through",
        "Access/Vault/CredentialStore.swift: rewrapDataKeys": "a new master key wraps every tenant's data keys at once",
        "Airtable/Changes/ChangedPlaces.swift: latestSequences":
            "who follows several tenants asks once for all of them",
        "Airtable/Webhooks/WebhookNotifier.swift: tenants": "finds out who has webhooks",
        "App/Backup/Backup.swift: all": "counts the rows of every table",
        "App/Backup/Backup.swift: dumpPostgres": "saves every row of every table",
        "Chat/Storage/ChatStore+Processes.swift: append": "events of runs of several tenants, gathered into one write",
        "Chat/Storage/ChatStore+Processes.swift: bury": "ends what a dead process ran, for whomever",
        "Chat/Storage/ChatStore+Processes.swift: cancelRequests": "what this process runs, for whomever",
        "Chat/Storage/ChatStore+Processes.swift: purgeOne": "finds the next conversation to be removed",
        "Chat/Storage/ChatStore+Processes.swift: unregister": "a process stays while it runs something, for whomever",
        "Embeddings/Pipeline/EmbeddingCache.swift: trim": "the bound is on the cache as a whole",
    ]

    @Test("AUTHZ-10: only those on the list, each with its reason, open transactions on the rows of all tenants")
    func everyTenant() throws {
        let found = try Self.uses()
        #expect(found.subtracting(Self.reasons.keys) == [], "take one tenant's scope, or say why not")
        #expect(Set(Self.reasons.keys).subtracting(found) == [], "no longer there")
        #expect(Self.reasons.values.allSatisfy { $0.count > 10 })
    }

    @Test("AUTHZ-10: nobody but the driver touches the parameter that holds the scope, or the role")
    func parameter() {
        for file in Repository.swiftSources where !file.path.hasPrefix("Sources/Database/Postgres/") {
            for word in ["pyairtable.scope", "set_config", "SET ROLE", "row_security"] {
                #expect(!file.text.contains(word), "\(file) says \(word)")
            }
        }
    }

    /// `Folder/File.swift: function` wherever such a scope is named outside `Database`.
    private static func uses() throws -> Set<String> {
        let use = try Regex(#"\.everyTenant\b|\bof: \.owner\b"#)
        let function = try Regex(#"\bfunc (\w+)"#)
        var found: Set<String> = []
        for file in Repository.swiftSources where file.target != "Database" {
            var name = "?"
            for line in file.lines where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                if let match = line.firstMatch(of: function) { name = String(match.output[1].substring ?? "") }
                if line.contains(use) { found.insert("\(file.path.dropFirst("Sources/".count)): \(name)") }
            }
        }
        return found
    }
}
