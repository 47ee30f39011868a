package import Access
import Logging

/// Signs where the audit log ends: each minute, and once more when everything else has ended.
struct AuditCheckpoints {
    private let services: Services

    init(_ services: Services) { self.services = services }

    /// Ends only by cancellation; what fails is logged and tried again.
    func run() async throws {
        while true {
            await keep()
            try await Task.sleep(for: AuditKeeper.interval)
        }
    }

    func keep() async {
        do {
            try await services.auditKeeper().keep()
        } catch {
            services.logger.error("the audit log's end is not signed", metadata: ["error": "\(error)"])
        }
    }
}

extension Services {
    /// The newest checkpoints, outside the database.
    package var auditFile: AuditCheckpointFile { AuditCheckpointFile(directory: configuration.dataDirectory) }

    package func auditKeeper() throws -> AuditKeeper {
        AuditKeeper(log: access.audit, vault: try vault(), tenant: first.tenant, file: auditFile)
    }

    package func auditVerifier() throws -> AuditVerifier {
        AuditVerifier(database: database, vault: try vault(), tenant: first.tenant, file: auditFile)
    }
}
