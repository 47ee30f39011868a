import Domain
import Formula

/// A field whose cells follow from others: how, and from which.
struct ComputedField: Sendable {
    /// How a cell is made.
    enum Rule: Sendable {
        case formula(Formula)
        /// The formula's only field is `values`, the cells of `target` in the records that `link` leads to.
        case rollup(link: FieldID, target: Field, Formula)
        case lookup(link: FieldID, target: Field)
        case count(link: FieldID)
        case button(label: String, Formula?)
        /// What it is made from is gone, or leads back to itself.
        case invalid
    }

    let table: TableID
    /// With what is known of its values: `result`, `isValid`, the fields it names.
    let field: Field
    let rule: Rule
    /// The cells that it is made from.
    let sources: [FieldSource]
    /// Records that are read by their primary value, where its formula reads links.
    let texts: [LinkedTexts]
    /// What formulas see of it.
    let type: FormulaType

    var id: FieldID { field.id }

    /// Whether its cells change with time alone.
    var isVolatile: Bool { formula?.dependencies.contains(.now) == true }

    var formula: Formula? {
        switch rule {
        case .formula(let formula), .rollup(_, _, let formula): formula
        case .button(_, let formula): formula
        case .lookup, .count, .invalid: nil
        }
    }
}

/// A field that a computed one reads, of the same record or of those at the end of links.
struct FieldSource: Sendable, Hashable {
    let field: FieldID
    /// The links to follow, the first one a field of the computed field's table.
    let path: [FieldID]
}

/// Records at the end of links, whose primary values stand for them.
struct LinkedTexts: Sendable, Hashable {
    let path: [FieldID]
    let table: TableID
}

extension FieldType {
    /// Whether cells of it are made by a rule from other cells, and so kept in step by the store.
    var isRuled: Bool { isDerived || self == .button }
}
