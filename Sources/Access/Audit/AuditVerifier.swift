package import Database
package import Domain

/// What a look through one chain found.
package struct AuditReport: Sendable, Hashable {
    package let chain: String
    /// Entries that were read.
    package let entries: Int64
    /// Checkpoints whose signature and hash are right.
    package let checkpoints: Int
    /// The first thing that is wrong; nil when nothing is.
    package let finding: AuditFinding?
}

package struct AuditFinding: Sendable, Hashable {
    package enum Problem: String, Sendable, Hashable, CaseIterable {
        /// The entry is not what was hashed.
        case changed
        /// It stands where another one stood.
        case moved
        case missing
        /// The chain ends before this entry, which was there.
        case truncated
        /// The chain is whole in itself, and not the one that was signed: it was written anew from some entry behind
        /// the last good checkpoint on.
        case rewritten
        /// A checkpoint with a signature that is not ours.
        case forged
        /// A signed checkpoint, which the file beside the database has, is gone from the database.
        case checkpointMissing
        /// A row that is none of ours.
        case foreign
    }

    package let problem: Problem
    /// The first entry that is broken.
    package let sequence: Int64

    /// One sentence for people.
    package var message: String {
        switch problem {
        case .changed: "entry \(sequence) was changed"
        case .moved: "entry \(sequence) stands in another one's place"
        case .missing: "entry \(sequence) is missing"
        case .truncated: "the log was cut off: entry \(sequence) and what followed are gone"
        case .rewritten: "the log was written anew, from entry \(sequence) or one soon behind it on"
        case .forged: "the checkpoint at entry \(sequence) is not signed by this server"
        case .checkpointMissing: "the checkpoint at entry \(sequence) is gone from the database"
        case .foreign: "there is a chain of unknown name"
        }
    }
}

/// Looks through whole chains for anything that was changed, deleted, moved or cut off.
package struct AuditVerifier: Sendable {
    private let store: AuditStore
    private let signing: (vault: CredentialVault, tenant: TenantID)?
    private let file: AuditCheckpointFile

    /// - Parameter tenant: the data directory's, whose data key the signing key comes from.
    package init(database: any SQLDatabase, vault: CredentialVault, tenant: TenantID, file: AuditCheckpointFile) {
        store = AuditStore(database: database)
        signing = (vault, tenant)
        self.file = file
    }

    /// Without the master key: the hashes of checkpoints are compared, their signatures are not.
    package init(withoutKeys database: any SQLDatabase, file: AuditCheckpointFile) {
        store = AuditStore(database: database)
        signing = nil
        self.file = file
    }

    /// Every chain that the database or the file knows of. Reads all entries; memory is bounded by one batch.
    package func verify() async throws -> [AuditReport] {
        // The file first: what it has was in the database before.
        let kept = try file.read()
        let names = try await store.heads().map(\.chain)
        var signers: [Int64: AuditSigner] = [:]
        var reports: [AuditReport] = []
        for name in Set(names).union(kept.checkpoints.keys).sorted() {
            guard let chain = AuditChain(name: name) else {
                let finding = AuditFinding(problem: .foreign, sequence: 0)
                reports.append(AuditReport(chain: name, entries: 0, checkpoints: 0, finding: finding))
                continue
            }
            var look = Look(chain: chain)
            try await collect(kept.checkpoints[name], for: &look, &signers)
            try await read(&look)
            reports.append(look.report)
        }
        if kept.unreadable > 0 {
            let finding = AuditFinding(problem: .forged, sequence: 0)
            reports.append(AuditReport(chain: file.path, entries: 0, checkpoints: 0, finding: finding))
        }
        return reports
    }

    /// Gathers the checkpoints of a chain, from the database and from the file.
    private func collect(
        _ kept: AuditCheckpoint?,
        for look: inout Look,
        _ signers: inout [Int64: AuditSigner]
    ) async throws {
        let stored = try await store.checkpoints(of: look.chain)
        for (sequence, checkpoint) in stored {
            guard let checkpoint, checkpoint.chain == look.chain.name, checkpoint.sequence == sequence,
                try await isOurs(checkpoint, &signers)
            else {
                look.find(.forged, sequence)
                continue
            }
            look.expected[sequence] = checkpoint.hash
        }
        guard let kept else { return }
        guard try await isOurs(kept, &signers) else { return look.find(.forged, kept.sequence) }
        look.expected[kept.sequence] = kept.hash
        if !stored.contains(where: { $0.sequence == kept.sequence }) { look.find(.checkpointMissing, kept.sequence) }
    }

    private func isOurs(_ checkpoint: AuditCheckpoint, _ signers: inout [Int64: AuditSigner]) async throws -> Bool {
        guard let signing else { return true }
        if signers[checkpoint.key] == nil {
            signers[checkpoint.key] = try await signing.vault.auditSigner(
                tenant: signing.tenant,
                number: checkpoint.key
            )
        }
        return signers[checkpoint.key]?.accepts(checkpoint) ?? false
    }

    private func read(_ look: inout Look) async throws {
        while !look.isOver {
            // The end and the last entries are of one moment, though others write.
            let (rows, head) = try await store.rowsAndHead(of: look.chain, after: look.last, limit: Limits.auditBatch)
            for row in rows where !look.isOver { look.take(row) }
            if rows.count < Limits.auditBatch { return look.end(head: head) }
        }
    }
}

/// The state of a look through one chain. Pure: it is given rows in their order.
private struct Look {
    let chain: AuditChain
    /// Hashes that were signed, by their place.
    var expected: [Int64: [UInt8]] = [:]
    /// The place read last.
    private(set) var last: Int64 = 0
    private var hash: [UInt8]
    private var agreed = 0
    /// The last place whose hash was signed.
    private var signed: Int64 = 0
    /// What the entries themselves tell, which is told before what checkpoints do: it names an entry.
    private var broken: AuditFinding?
    private var finding: AuditFinding?
    private(set) var isOver = false

    init(chain: AuditChain) {
        self.chain = chain
        hash = AuditEntry.genesis(chain)
    }

    var report: AuditReport {
        AuditReport(chain: chain.name, entries: last, checkpoints: agreed, finding: broken ?? finding)
    }

    mutating func find(_ problem: AuditFinding.Problem, _ sequence: Int64) {
        guard finding.map({ sequence < $0.sequence }) ?? true else { return }
        finding = AuditFinding(problem: problem, sequence: sequence)
    }

    mutating func take(_ row: StoredEntry) {
        guard row.sequence == last + 1 else { return stop(.missing, last + 1) }
        let next = AuditEntry.hash(hash, row.body)
        guard next == row.hash else { return stop(isElsewhere(row) ? .moved : .changed, row.sequence) }
        // Hashed as it is, and yet not what is written: its columns, its form, or its place.
        guard let entry = AuditEntry(row, of: chain),
            AuditEntry.body(of: entry.event, chain: chain, sequence: row.sequence) == row.body,
            AuditStore.values(of: entry) == row.values
        else { return stop(isElsewhere(row) ? .moved : .changed, row.sequence) }
        last = row.sequence
        hash = next
        guard let signature = expected[last] else { return }
        guard signature == hash else { return stop(.rewritten, signed + 1) }
        agreed += 1
        signed = last
    }

    /// After the last row.
    mutating func end(head: (sequence: Int64, hash: [UInt8])?) {
        guard !isOver else { return }
        let end = max(expected.keys.max() ?? 0, head?.sequence ?? 0)
        if end > last { return stop(.truncated, last + 1) }
        // The last entries are there, and the word of where the chain ends is not theirs.
        if (head?.sequence ?? 0) != last || head.map({ $0.hash != hash }) ?? false { stop(.changed, max(last, 1)) }
    }

    private func isElsewhere(_ row: StoredEntry) -> Bool {
        guard let json = try? JSONValue(parsing: row.body) else { return false }
        return json["sequence"]?.intValue != Int(row.sequence) || json["chain"]?.stringValue != chain.name
    }

    private mutating func stop(_ problem: AuditFinding.Problem, _ sequence: Int64) {
        broken = AuditFinding(problem: problem, sequence: sequence)
        isOver = true
    }
}
