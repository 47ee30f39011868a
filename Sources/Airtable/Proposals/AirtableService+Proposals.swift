import Access
import Database
public import Domain
import Synchronization

/// Changes that are looked at before they are made.
extension AirtableService {
    /// What `operation` would do, without doing it: it is done in a transaction that is rolled back, with the caller's rights.
    /// What would be refused is refused now, with the same error.
    ///
    /// A base of the hosted service knows no such transaction: there the proposal is what is asked for against what is there, and
    /// its notes say so.
    ///
    /// - Parameter attachments: for files; without it those that are sent are refused.
    /// - Throws: what the operation throws; `.tooLarge` beyond `Limits.proposedRecords`.
    public func propose(
        _ operation: ProposedOperation,
        attachments: AttachmentService? = nil,
        context: RequestContext
    ) async throws -> ChangeProposal {
        try context.require(operation.permission)
        try Self.checkWrite(operation.recordCount, max: Limits.proposedRecords)
        if let hosted = try await hostedProposal(operation, context: context) { return hosted }
        let examiner = try await examiner(of: operation, context: context)
        let found = Mutex(WriteExamination())
        let rehearsal = rehearsing(context) { transaction, before in
            let examination = try examiner.examine(transaction, before)
            // A transaction may be run again: the last one counts.
            found.withLock { $0 = examination }
            return false
        }
        let outcome = try await rehearsal.perform(operation, attachments: nil, context: context)
        var examination = found.withLock { $0 }
        if examination.hash.isEmpty { examination.hash = examiner.hash(examination) }
        return ChangeProposal(
            operation: operation,
            changes: examination.changes,
            schema: examination.schema,
            outcome: outcome,
            versions: examination.versions,
            hash: examination.hash,
            expires: Instant(microseconds: now().microseconds + Limits.proposalSeconds * 1_000_000),
            notes: [],
            caller: examiner.caller
        )
    }

    /// Makes a proposed change: exactly that, in one transaction, or nothing.
    ///
    /// - Parameter report: how many records are written; of hosted bases from time to time.
    /// - Throws: `ProposalError`; what the operation throws.
    public func apply(
        _ proposal: ChangeProposal,
        attachments: AttachmentService? = nil,
        report: @escaping @Sendable (Int) async -> Void = { _ in },
        context: RequestContext
    ) async throws -> AppliedChange {
        try context.require(proposal.operation.permission)
        guard proposal.caller == ProposalCaller(context) else { throw ProposalError.foreign }
        guard now() < proposal.expires else { throw ProposalError.expired }
        if !proposal.isExact {
            return try await applyHosted(proposal, attachments: attachments, report: report, context: context)
        }
        let examiner = try await examiner(of: proposal.operation, context: context)
        let found = Mutex(WriteExamination())
        let writer = rehearsing(context) { transaction, before in
            let examination = try examiner.examine(transaction, before)
            found.withLock { $0 = examination }
            // A write that found the schema to be another has done nothing, and starts again.
            let isIdle = examination.transaction == nil && !proposal.isEmpty
            guard isIdle || examination.hash == proposal.hash else {
                throw ProposalError.stale(Self.changed(proposal.versions, examination.versions))
            }
            return true
        }
        let outcome: OperationOutcome
        do {
            outcome = try await writer.perform(proposal.operation, attachments: attachments, context: context)
        } catch let error as AirtableError where error.code == .rowDoesNotExist || error.code == .notFound {
            // It was there when it was proposed.
            throw ProposalError.stale(try await gone(proposal, context))
        }
        let examination = found.withLock { $0 }
        if examination.transaction == nil, !proposal.isEmpty, proposal.operation.isLogged {
            // Nothing is left to do, or something stands against it.
            let obstacles = outcome.obstacles.compactMap(\.record)
            throw ProposalError.stale(obstacles.isEmpty ? proposal.versions.keys.sorted() : obstacles)
        }
        signal.notify()
        await report(proposal.operation.recordCount)
        return AppliedChange(
            transaction: examination.transaction,
            outcome: outcome,
            changes: examination.changes,
            schema: examination.schema
        )
    }

    private static func changed(
        _ proposed: [RecordID: RecordVersion],
        _ present: [RecordID: RecordVersion]
    ) -> [RecordID] {
        Set(proposed.keys).union(present.keys).filter { proposed[$0] != present[$0] }.sorted()
    }

    private func gone(_ proposal: ChangeProposal, _ context: RequestContext) async throws -> [RecordID] {
        guard let table = proposal.operation.table else { return [] }
        let ids = Array(proposal.versions.keys).sorted()
        var present: Set<RecordID> = []
        for start in stride(from: 0, to: ids.count, by: Limits.internalPageRecords) {
            let part = Array(ids[start..<min(ids.count, start + Limits.internalPageRecords)])
            let reads = reads(by: proposal.operation.permission)
            present.formUnion(try await reads.records(part, in: table, context: context).map(\.id))
        }
        let named = proposal.operation.named
        return ids.filter { named.contains($0) && !present.contains($0) }
    }

    // MARK: Parts

    func checkWrite(_ count: Int) throws(AirtableError) { try Self.checkWrite(count, max: recordsPerWrite) }

    private static func checkWrite(_ count: Int, max: Int) throws(AirtableError) {
        guard count <= max else {
            throw AirtableError(.tooLarge, "One call takes at most \(max) records, received \(count).")
        }
    }

    func examiner(of operation: ProposedOperation, context: RequestContext) async throws -> WriteExaminer {
        // Who may only change the schema hears nothing of records.
        let permission = operation.permission == .schemaWrite ? .recordsRead : operation.permission
        var scope: VisibleScope?
        if context.principal.permissions.contains(permission) {
            scope = try await access.visibleScope(for: context, doing: permission)
        }
        return WriteExaminer(
            operation: operation,
            caller: ProposalCaller(context),
            scope: scope,
            now: now(),
            cache: cache
        )
    }

    private func rehearsing(
        _ context: RequestContext,
        _ examine: @escaping @Sendable (any Transaction, WriteExamination.Before) throws -> Bool
    ) -> AirtableService {
        let (tenant, cache) = (context.tenant, cache)
        let examined = ExaminedDatabase(
            database: database,
            prepare: { try WriteExamination.prepare(tenant, cache, in: $0) },
            examine: examine
        )
        return AirtableService(
            of: self,
            over: examined,
            attachments: attachmentSource.map { StoredAttachments(source: $0) },
            recordsPerWrite: Limits.proposedRecords
        )
    }
}

/// Attachments that are there already: a proposed change fetches nothing, for an address can say something to whoever
/// answers there.
private struct StoredAttachments: AttachmentSource {
    let source: any AttachmentSource

    func attachments(
        _ inputs: Set<AttachmentInput>,
        base: BaseID,
        context: RequestContext
    ) async throws -> [AttachmentInput: Attachment] {
        for case .url in inputs { throw AirtableError.addressRefused }
        return try await source.attachments(inputs, base: base, context: context)
    }
}

extension AirtableError {
    static var addressRefused: Self {
        Self(
            .invalidAttachment,
            "Attachments are not fetched by address here.",
            hint: "upload_attachment takes the file itself, or the id (att…) of one that is stored"
        )
    }
}
