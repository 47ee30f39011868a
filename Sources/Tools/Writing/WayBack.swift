import Airtable
import Domain

/// How a change is undone, for who reads that it was made, or that `revert` does not do it.
enum WayBack {
    private static let addresses = "/api/v1/airtable/bases/{base}/tables/{table}"

    /// Nil where `revert` does it.
    static func other(_ operation: ProposedOperation) -> String? {
        let way: String
        switch operation {
        case .create, .update, .upsert, .delete, .attach, .undo: return nil
        case .comment: way = "its author can delete it, over REST"
        case .createBase: way = "DELETE /api/v1/airtable/bases/{base} deletes it"
        case .createTable: way = "DELETE \(addresses) deletes it"
        case .createField: way = "DELETE \(addresses)/fields/{field} deletes it"
        case .updateTable: way = "update_table with what was there before does"
        case .updateField: way = "update_field with what was there before does"
        }
        return "revert does not take this back: \(way)."
    }

    /// Of a change of tables and fields, whichever it was.
    static let ofSchemas =
        "a change of tables and fields is not taken back: update_table and update_field set what was there before,"
        + " and what was made is deleted with DELETE at its address under \(addresses)"

    /// Of an import that the log has as a whole.
    static let ofImports =
        "an import that made a table, or of more than \(Limits.proposedRecords) rows, is not taken back: delete_records deletes"
        + " its records, and DELETE \(addresses) a table"
}
