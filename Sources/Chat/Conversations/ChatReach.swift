import Access
import Domain

/// How much somebody sees, as far as conversations go: a conversation may have traces of all that those who asked in it saw.
package struct ChatReach: Sendable, Hashable {
    /// The only bases; nil for all.
    let bases: Set<BaseID>?
    /// What of these is kept back from them (`VisibleScope.narrowing`); nil when nothing is.
    let narrowing: String?

    init(bases: Set<BaseID>?, narrowing: String? = nil) {
        self.bases = bases
        self.narrowing = narrowing
    }

    init(_ scope: VisibleScope) { self.init(bases: scope.bases, narrowing: scope.narrowing) }

    /// Whether they see whatever may have left traces in a conversation: who sees a part of a base, only what was asked by those
    /// who see the same part.
    func covers(bases stored: Set<BaseID>?, narrowing storedNarrowing: String?) -> Bool {
        if let bases, stored?.isSubset(of: bases) != true { return false }
        guard let narrowing else { return true }
        return storedNarrowing == "" || storedNarrowing == narrowing
    }
}
