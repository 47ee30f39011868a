package import Domain

/// A cell as a writer gave it, checked as far as its field alone can tell.
///
/// What needs the database is left open: choices to be made and links by text, both only when
/// typecasting, and whether linked records exist.
package enum CellInput: Sendable, Hashable {
    /// Clears the cell.
    case empty
    case value(CellValue)
    case choice(ChoiceInput)
    case choices([ChoiceInput])
    case links([LinkInput])
    /// To be fetched, or found in the record itself.
    case attachments([AttachmentInput])
}

package enum ChoiceInput: Sendable, Hashable {
    case existing(ChoiceID)
    /// A name that is no choice yet.
    case new(String)
}

package enum LinkInput: Sendable, Hashable {
    case record(RecordID)
    /// The primary value of the record meant.
    case text(String)
}
