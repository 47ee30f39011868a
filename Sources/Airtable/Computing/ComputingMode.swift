import Domain

/// How a session keeps computed cells in step with what it writes.
enum ComputingMode: Sendable {
    /// Whatever follows from what is written, wherever it is, each with its entry in the change log.
    case whole
    /// The same, and nothing is logged: for rows that are announced otherwise.
    case unlogged
    /// Only the cells that are marked, and nothing is logged: for who goes through whole tables in order.
    case markedOnly
    /// Nothing: computed cells are kept as they are given. For bases that somebody else computes.
    case asGiven

    var isLogged: Bool {
        switch self {
        case .whole, .asGiven: true
        case .unlogged, .markedOnly: false
        }
    }
}
