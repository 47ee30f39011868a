import Airtable
import Domain

/// A proposed change for reading. Texts of records are quoted, on one line, short, and without hidden characters: what stands
/// in a record must not pass for a part of the question.
struct ProposalText {
    let proposal: ChangeProposal
    /// Where, as in `Tasks (base Work)`; quoted here.
    let place: String

    // MARK: Words

    /// What agreeing does, as `Delete 42 records`.
    var action: String {
        let counts = [
            phrase("delete", proposal.count(.deleted)), phrase("create", proposal.count(.created)),
            phrase("change", proposal.count(.updated)),
        ].compactMap(\.self)
        let text: String
        switch proposal.operation {
        case .undo(let number): text = "take back transaction \(number): " + counts.joined(separator: ", ")
        case .upsert where !proposal.isExact: text = "change or create \(records(proposal.operation.recordCount))"
        case .updateTable: text = "change the table"
        case .updateField: text = (["change the field"] + counts).joined(separator: ", ")
        case .createBase: text = "create the base"
        case .createTable: text = "create the table"
        case .createField: text = "create the field"
        case .comment: text = "comment on a record"
        case .attach: text = "attach a file"
        case .create, .update, .upsert, .delete: text = counts.joined(separator: ", ")
        }
        return text.prefix(1).uppercased() + text.dropFirst()
    }

    /// The question, whole.
    var question: String {
        var lines = ["\(action) in \(Self.quoted(place))?"]
        lines += changeLines(max: Limits.confirmedRecords)
        lines += schemaLines
        lines += proposal.notes
        return lines.joined(separator: "\n")
    }

    /// The change, one line a record.
    func changeLines(max: Int) -> [String] {
        let direct = proposal.changes.filter { !$0.isFollowing }
        var lines = direct.prefix(max).map(Self.line)
        if direct.count > max { lines.append("… and \(direct.count - max) more") }
        let following = proposal.changes.count - direct.count
        if following > 0 { lines.append("Links of \(records(following)) follow.") }
        return lines
    }

    var schemaLines: [String] { proposal.schema.compactMap { $0.change.map(SchemaChangeText.sentence) } }

    // MARK: Parts

    private static func line(_ change: ProposedChange) -> String {
        let name = (change.title.isEmpty ? [] : [quoted(change.title)]) + (change.record.map { ["(\($0))"] } ?? [])
        switch change.kind {
        case .deleted: return "- delete \(name.joined(separator: " "))"
        case .created: return "- create \(cells(change.cells) { quoted($0.name) + ": " + value($0.after) })"
        case .updated:
            let cells = cells(change.cells) { "\(quoted($0.name)): \(value($0.before)) → \(value($0.after))" }
            return "- change \(name.joined(separator: " ")): \(cells)"
        }
    }

    private static func cells(_ cells: [ProposedCell], _ text: (ProposedCell) -> String) -> String {
        let shown = cells.prefix(cellsShown).map(text)
        let more = cells.count > cellsShown ? ["… \(cells.count - cellsShown) more fields"] : []
        return (shown + more).joined(separator: "; ")
    }

    private static let cellsShown = 6

    static func value(_ value: JSONValue) -> String {
        value.isNull ? "empty" : quoted(RecordEntry.text(of: value, Limits.confirmedValueCharacters))
    }

    /// Between marks that the text itself does not have.
    static func quoted(_ text: String) -> String {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ")
        let short = line.cut(toScalars: Limits.confirmedValueCharacters).map { $0 + "…" } ?? line
        let inner = HiddenText.visible(short).map { "“”„‟\"".contains($0) ? "'" : $0 }
        return "“\(String(inner))”"
    }

    private func records(_ count: Int) -> String { count == 1 ? "1 record" : "\(count) records" }

    private func phrase(_ verb: String, _ count: Int) -> String? { count == 0 ? nil : "\(verb) \(records(count))" }
}
