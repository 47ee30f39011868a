package import Domain

/// Signs where each chain ends, now and then, in the database and in a file beside it.
package struct AuditKeeper: Sendable {
    /// What was written between two checkpoints is guarded by its hashes alone.
    package static let interval = Duration.seconds(60)

    private let log: AuditLog
    private let vault: CredentialVault
    private let tenant: TenantID
    private let file: AuditCheckpointFile

    /// - Parameter tenant: the data directory's, whose data key the signing key comes from.
    package init(log: AuditLog, vault: CredentialVault, tenant: TenantID, file: AuditCheckpointFile) {
        self.log = log
        self.vault = vault
        self.tenant = tenant
        self.file = file
    }

    /// Writes what waits, and signs every chain that has grown.
    ///
    /// - Returns: how many were signed.
    @discardableResult
    package func keep() async throws -> Int {
        await log.settle()
        let heads = try await log.store.heads()
        let kept = try file.read().checkpoints
        var made: [AuditCheckpoint] = []
        var signer: AuditSigner?
        for head in heads {
            guard let sequence = head.sequence, let hash = head.hash else { continue }
            let isInFile = kept[head.chain].map { $0.sequence >= sequence } ?? false
            if isInFile, let checkpoint = head.checkpoint, checkpoint >= sequence { continue }
            if signer == nil { signer = try await vault.auditSigner(tenant: tenant) }
            guard let signer else { continue }
            made.append(
                try AuditCheckpoint(
                    chain: head.chain,
                    sequence: sequence,
                    hash: hash,
                    time: log.now(),
                    by: signer
                )
            )
        }
        guard !made.isEmpty else { return 0 }
        // The file first: a checkpoint that the database alone has would leave the file behind unnoticed.
        try file.write(made)
        try await log.store.add(made)
        return made.count
    }
}
