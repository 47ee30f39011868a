import Database
import Domain
import Formula

/// A condition on one stored row that SQL can decide: true or false for every row, never neither.
indirect enum CellCondition: Sendable {
    case always(Bool)
    /// The cell is there.
    case present(StoredCell)
    /// The cell is there, of this form, and stands so to a value of the same form.
    case compare(StoredCell, FormulaComparison, SQLValue)
    /// Two numbers or two texts; an absent cell is 0 or empty.
    case compareCells(StoredCell, FormulaComparison, StoredCell)
    /// The cell is one of these texts.
    case isOne(StoredCell, [String])
    /// The cell is a text, or written as one, that has this in it.
    case contains(StoredCell, String)
    /// A computed cell that is there and of that form.
    case isText(StoredCell)
    case isComposite(StoredCell)
    case recordID(FormulaComparison, String)
    /// The row's time of creation, in microseconds.
    case created(FormulaComparison, Int64)
    case all([CellCondition])
    case any([CellCondition])
    case not(CellCondition)

    /// Comparisons in it, which SQL's parser and this program's patience bound.
    var size: Int {
        switch self {
        case .all(let parts), .any(let parts): parts.reduce(0) { $0 + $1.size }
        case .not(let part): part.size
        case .isOne(_, let texts): 1 + texts.count
        default: 1
        }
    }

    /// True for all of `parts`, with what goes without saying left out.
    static func allOf(_ parts: [CellCondition]) -> CellCondition {
        var kept: [CellCondition] = []
        for part in parts {
            if case .always(let holds) = part {
                if holds { continue }
                return .always(false)
            }
            kept.append(part)
        }
        return kept.isEmpty ? .always(true) : kept.count == 1 ? kept[0] : .all(kept)
    }

    /// True for one of `parts`, with what goes without saying left out.
    static func anyOf(_ parts: [CellCondition]) -> CellCondition {
        var kept: [CellCondition] = []
        for part in parts {
            if case .always(let holds) = part {
                if !holds { continue }
                return .always(true)
            }
            kept.append(part)
        }
        return kept.isEmpty ? .always(false) : kept.count == 1 ? kept[0] : .any(kept)
    }

    static func negated(_ part: CellCondition) -> CellCondition {
        switch part {
        case .always(let holds): .always(!holds)
        case .not(let inner): inner
        default: .not(part)
        }
    }
}

/// A stored cell as SQL reads it.
struct StoredCell: Sendable, Hashable {
    enum Form: Sendable, Hashable {
        case text
        case number
        /// Milliseconds.
        case moment
        /// A computed cell that happens to be a text, a number; or one that may be anything.
        case computedText, computedNumber
        case anything
    }

    let ordinal: Int
    let form: Form

    func read(as form: Form) -> StoredCell { StoredCell(ordinal: ordinal, form: form) }
}
