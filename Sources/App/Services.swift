public import Access
public import Airtable
public import Database
public import Domain
import Foundation
public import Logging
import Outbound

/// The object graph of one process, as far as records go: what every command needs.
///
/// The search side (`Services+Search.swift`) is made on demand, so that a command that embeds nothing loads no model.
public struct Services: Sendable {
    public let configuration: AppConfiguration
    public let database: any SQLDatabase
    public let access: AccessService
    public let accounts: AccountService
    public let airtable: AirtableService
    public let attachments: AttachmentService
    public let webhooks: WebhookService
    /// The data directory's tenant, workspace and owner.
    public let first: Access.Bootstrap
    public let logger: Logger
    /// The way out to addresses that users give.
    private let calls: ForeignCalls
    /// The hosted service, called by its bases only.
    public let hosted: HostedServices

    /// Opens the data directory: database, migrations, identity, records.
    ///
    /// - Throws: the failures of each part, each with what to do about it.
    public static func open(_ configuration: AppConfiguration, logger: Logger) async throws -> Services {
        try prepareDirectory(configuration.dataDirectory)
        for warning in configuration.warnings { logger.warning("\(warning)") }
        let database = try await DatabaseOpener.open(url: configuration.databaseURL)
        do {
            try await Migrator.migrate(database, migrations)
            if let gap = try await rowSecurityGap(database) { logger.warning("\(gap.message); \(gap.hint)") }
            let vault: @Sendable () throws -> CredentialVault = { try Self.vault(configuration, database) }
            let access = AccessService(database: database, vault: vault, tokens: configuration.tokens.values)
            let hosted = try HostedServices(configuration, database: database)
            let calls = ForeignCalls(allowing: configuration.models.outboundAllow)
            let attachments = AttachmentService(
                database: database,
                vault: vault,
                directory: configuration.dataDirectory + "/attachments",
                transport: calls.transport
            )
            let airtable = AirtableService(
                database: database,
                access: access,
                attachments: attachments,
                upstream: hosted.upstream
            )
            return Services(
                configuration: configuration,
                database: database,
                access: access,
                accounts: AccountService(
                    access: access,
                    hasher: PasswordHasher(cost: configuration.identity.cost, threads: configuration.threads),
                    settings: configuration.identity.accounts
                ),
                airtable: airtable,
                attachments: attachments,
                webhooks: WebhookService(airtable: airtable, vault: vault, transport: calls.transport),
                first: try await access.bootstrap(),
                logger: logger,
                calls: calls,
                hosted: hosted
            )
        } catch {
            await database.close()
            throw error
        }
    }

    /// Ends what was opened; acknowledged work is on disk before.
    public func close() async {
        await hosted.close()
        await access.flush()
        await calls.shutdown()
        await database.close()
    }

    /// A context of the data directory's owner, for commands and stdio.
    public func ownerContext(_ origin: Origin, timeout: Duration) async throws -> RequestContext {
        try await access.ownerContext(origin: origin, timeout: timeout, logger: logger)
    }

    /// The credential vault under the configured master key, which is made at the first call.
    public func vault() throws -> CredentialVault { try Self.vault(configuration, database) }

    static func vault(
        _ configuration: AppConfiguration,
        _ database: any SQLDatabase
    ) throws -> CredentialVault {
        let master = try MasterKey.load(
            directory: configuration.dataDirectory,
            environmentValue: configuration.masterKey.map { Secret($0) },
            environmentFile: configuration.sources[.masterKeyFile] == .default ? nil : configuration.masterKeyFile
        )
        return CredentialVault(database: database, master: master)
    }

    private static func prepareDirectory(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700]
            )
        } catch {
            throw ConfigurationError(.invalidSetting, ["the data directory \(path) can't be made or used"])
        }
    }
}
