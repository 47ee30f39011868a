/// A piece of a formula's text.
enum FormulaToken: Equatable {
    case number(Double)
    case text(String)
    /// A name without braces: of a function or a field.
    case name(String)
    /// A field in braces.
    case field(String)
    case plus
    case minus
    case times
    case divide
    case ampersand
    case comparison(FormulaComparison)
    case open
    case close
    case comma
    case end

    /// For messages.
    var shown: String {
        switch self {
        case .number: "a number"
        case .text: "a text"
        case .name(let name): name.count > 40 ? "a name" : "\"\(name)\""
        case .field(let name): name.count > 40 ? "a field" : "{\(name)}"
        case .plus: "\"+\""
        case .minus: "\"-\""
        case .times: "\"*\""
        case .divide: "\"/\""
        case .ampersand: "\"&\""
        case .comparison(let comparison): "\"\(comparison.rawValue)\""
        case .open: "\"(\""
        case .close: "\")\""
        case .comma: "\",\""
        case .end: "the end of the formula"
        }
    }
}
