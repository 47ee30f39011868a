import Domain

/// What SQL can say of a filter beforehand.
///
/// Every record that the filter accepts fulfils `condition`; when `isExact`, no other does. Lists still ask the
/// evaluator about each row that SQL gives: SQL only ever narrows.
struct Pushdown: Sendable {
    var condition: CellCondition
    var isExact: Bool
    /// The evaluator gives no error for any record, so that what is not accepted is false.
    var isTotal: Bool
    var lookup: Lookup?

    init(_ condition: CellCondition, isExact: Bool = true, isTotal: Bool = true, lookup: Lookup? = nil) {
        self.condition = condition
        self.isExact = isExact
        self.isTotal = isTotal
        self.lookup = lookup
    }

    /// Where all accepted records are found without going through the table.
    enum Lookup: Sendable {
        case records(Set<RecordID>)
        /// Cells with one of these keys, if the field has an index.
        case keys(ordinal: Int, Set<CellKey>)

        /// Whatever either finds; nil when no one lookup does.
        func or(_ other: Lookup) -> Lookup? {
            switch (self, other) {
            case (.records(let left), .records(let right)): .records(left.union(right))
            case (.keys(let field, let left), .keys(let other, let right)) where field == other:
                .keys(ordinal: field, left.union(right))
            default: nil
            }
        }

        /// Less to look at.
        func isBetter(than other: Lookup) -> Bool {
            switch (self, other) {
            case (.records(let left), .records(let right)): left.count < right.count
            case (.records, .keys): true
            case (.keys, .records): false
            case (.keys(_, let left), .keys(_, let right)): left.count < right.count
            }
        }
    }

    /// With more comparisons than this SQL is not asked: its parser has a depth of 1,000, and gains nothing.
    static let sizeMax = 200

    static func always(_ holds: Bool) -> Pushdown { Pushdown(.always(holds)) }

    /// An error for every record.
    static let error = Pushdown(.always(false), isTotal: false)

    // MARK: Put together

    /// AND: nil stands for what is not known.
    static func all(_ parts: [Pushdown?]) -> Pushdown? {
        let known = parts.compactMap(\.self)
        guard !known.isEmpty else { return nil }
        var best: Lookup?
        for lookup in known.compactMap(\.lookup) where best.map({ lookup.isBetter(than: $0) }) ?? true { best = lookup }
        let isWhole = known.count == parts.count
        return Pushdown(
            .allOf(known.map(\.condition)),
            isExact: isWhole && known.allSatisfy(\.isExact),
            isTotal: isWhole && known.allSatisfy(\.isTotal),
            lookup: best
        )
    }

    /// OR: an error in one part is an error of the whole.
    static func any(_ parts: [Pushdown]) -> Pushdown {
        var lookup = parts.first?.lookup
        for part in parts.dropFirst() { lookup = lookup.flatMap { own in part.lookup.flatMap { own.or($0) } } }
        let isTotal = parts.allSatisfy(\.isTotal)
        return Pushdown(
            .anyOf(parts.map(\.condition)),
            isExact: isTotal && parts.allSatisfy(\.isExact),
            isTotal: isTotal,
            lookup: lookup
        )
    }

    /// NOT; nil unless exactly what is accepted is known.
    var negated: Pushdown? {
        isExact && isTotal ? Pushdown(.negated(condition)) : nil
    }

    /// IF.
    func choosing(_ then: Pushdown, _ otherwise: Pushdown) -> Pushdown? {
        guard isExact, isTotal else { return nil }
        return Pushdown(
            .anyOf([.allOf([condition, then.condition]), .allOf([.negated(condition), otherwise.condition])]),
            isExact: then.isExact && otherwise.isExact,
            isTotal: then.isTotal && otherwise.isTotal
        )
    }
}
