import Airtable
import Domain

extension WriteAnswer {
    /// What a proposal would do.
    static func proposed(_ proposal: ChangeProposal, _ place: String, asks: Bool, mode: WriteMode) -> WriteAnswer {
        let words = ProposalText(proposal: proposal, place: place)
        let direct = proposal.changes.filter { !$0.isFollowing }
        var notes = proposal.notes
        notes += words.schemaLines
        var answer = WriteAnswer(.proposed)
        answer.proposal = Proposal(
            hash: proposal.hash,
            expires: CellCodec.timestamp(proposal.expires),
            asks: asks,
            created: proposal.count(.created),
            updated: proposal.count(.updated),
            deleted: proposal.count(.deleted),
            changes: direct.prefix(Limits.proposedRecordsShown).map(Proposal.Change.init),
            moreChanges: max(0, direct.count - Limits.proposedRecordsShown),
            notes: notes
        )
        var lines = ["Dry run, nothing was changed. It would: \(words.action), in \(ProposalText.quoted(place))."]
        lines += words.changeLines(max: Limits.proposedRecordsShown)
        lines += notes
        if mode == .dryRun {
            lines.append("To do exactly this within \(Limits.proposalSeconds / 60) minutes: confirm: \(proposal.hash)")
        } else if asks {
            lines.append("The user is asked before it is done.")
        }
        return answer.reading(lines.joined(separator: "\n"))
    }

    /// What was done.
    static func done(_ applied: AppliedChange, _ proposal: ChangeProposal, _ place: String) -> WriteAnswer {
        let outcome = applied.outcome
        var answer = WriteAnswer(.done)
        answer.transaction = applied.transaction
        let changed = Set(applied.changes.lazy.filter { $0.kind == .updated }.compactMap(\.record))
        if !outcome.records.isEmpty, outcome.comment == nil { answer.report(outcome, changed, proposal.operation) }
        if proposal.operation.kind == .undo {
            let direct = applied.changes.filter { !$0.isFollowing }
            answer.created = direct.count { $0.kind == .created }
            answer.updated = direct.count { $0.kind == .updated }
            answer.deleted = direct.count { $0.kind == .deleted }
        }
        var made: [Made] = []
        if let base = outcome.base { made.append(Made(kind: "base", id: base.id.description, name: base.name)) }
        made += outcome.tables.map { Made(kind: "table", id: $0.id.description, name: $0.name) }
        if let field = outcome.field { made.append(Made(kind: "field", id: field.id.description, name: field.name)) }
        if let comment = outcome.comment {
            made.append(Made(kind: "comment", id: comment.id.description, name: comment.author.name ?? ""))
        }
        if !made.isEmpty { answer.made = made }
        if !proposal.notes.isEmpty { answer.notes = proposal.notes }
        return answer.reading(answer.doneText(proposal, place))
    }

    private mutating func report(
        _ outcome: OperationOutcome,
        _ changed: Set<RecordID>,
        _ operation: ProposedOperation
    ) {
        var counts: [RecordReport.Outcome: Int] = [:]
        var reports: [RecordReport] = []
        for id in outcome.records {
            let result: RecordReport.Outcome
            if operation.kind == .deleteRecords {
                result = .deleted
            } else if outcome.created.contains(id) {
                result = .created
            } else {
                // Of hosted bases it is not known which were as wanted already.
                result = changed.contains(id) || changed.isEmpty ? .updated : .unchanged
            }
            counts[result, default: 0] += 1
            if reports.count < Limits.reportedRecords {
                reports.append(RecordReport(id: id.description, outcome: result))
            }
        }
        (created, updated) = (counts[.created] ?? 0, counts[.updated] ?? 0)
        (unchanged, deleted) = (counts[.unchanged] ?? 0, counts[.deleted] ?? 0)
        records = reports
        moreRecords = outcome.records.count - reports.count
    }

    private func doneText(_ proposal: ChangeProposal, _ place: String) -> String {
        let parts = [("created", created), ("updated", updated), ("unchanged", unchanged), ("deleted", deleted)]
            .compactMap { name, count in count.flatMap { $0 > 0 ? "\($0) \(name)" : nil } }
        var lines: [String]
        if parts.isEmpty {
            lines = ["Done in \(ProposalText.quoted(place))."]
        } else {
            lines = ["Records in \(ProposalText.quoted(place)): \(parts.joined(separator: ", "))."]
        }
        for made in made ?? [] { lines.append("\(made.kind) \(ProposalText.quoted(made.name)) (\(made.id))") }
        let ids = (records ?? []).filter { $0.outcome != .deleted }.prefix(Self.idsInText).map(\.id)
        if !ids.isEmpty {
            let more = (records ?? []).count { $0.outcome != .deleted } + (moreRecords ?? 0) - ids.count
            lines.append(ids.joined(separator: ", ") + (more > 0 ? " and \(more) more" : ""))
        }
        lines += notes ?? []
        // Of a hosted base the notes say it.
        if let other = WayBack.other(proposal.operation), proposal.isExact {
            // What was there before.
            lines += ProposalText(proposal: proposal, place: place).schemaLines
            lines.append((transaction.map { "Transaction \($0); " } ?? "") + other)
        } else if let transaction {
            lines.append("revert with transaction \(transaction) takes this back.")
        }
        return lines.joined(separator: "\n")
    }

    private static let idsInText = 20

    /// What stands against an undo.
    static func conflict(_ obstacles: [UndoObstacle]) -> WriteAnswer {
        var answer = WriteAnswer(.conflict)
        answer.conflicts = obstacles.map { obstacle in
            Conflict(
                record: obstacle.record?.description,
                reason: obstacle.reason.rawValue,
                fields: obstacle.fields.isEmpty ? nil : obstacle.fields.map(\.description),
                since: obstacle.since?.transaction
            )
        }
        var lines = ["Nothing was changed: this stands against it."]
        for obstacle in obstacles.prefix(Limits.proposedRecordsShown) {
            let fields = obstacle.fields.map(\.description).joined(separator: ", ")
            var line = "- \(obstacle.record.map(\.description) ?? "table \(obstacle.table)"): \(obstacle.words)"
            if !fields.isEmpty { line += " (\(fields))" }
            if let since = obstacle.since { line += ", by transaction \(since.transaction)" }
            lines.append(line)
        }
        if obstacles.count > Limits.proposedRecordsShown {
            lines.append("… and \(obstacles.count - Limits.proposedRecordsShown) more")
        }
        return answer.reading(lines.joined(separator: "\n"))
    }
}

extension UndoObstacle {
    fileprivate var words: String {
        switch reason {
        case .changed: "its cells were changed since"
        case .deleted: "it was deleted since"
        case .restored: "it is there again"
        case .choiceGone: "a choice that it had is gone"
        case .tableGone: "its table is gone"
        case .schemaChanged: WayBack.ofSchemas
        case .imported: WayBack.ofImports
        }
    }
}

extension WriteAnswer.Proposal.Change {
    init(_ change: ProposedChange) {
        self.change = change.kind.rawValue
        record = change.record?.description
        name = change.title.isEmpty ? nil : change.title
        cells = Dictionary(change.cells.map { ($0.name, [$0.before, $0.after]) }) { first, _ in first }
    }
}
