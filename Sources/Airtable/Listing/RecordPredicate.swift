package import Domain

/// Decides for each record whether a listing gives it: a compiled formula.
package protocol RecordPredicate: Sendable {
    /// The fields whose cells it reads; of other cells it is told nothing.
    var fields: Set<FieldID> { get }

    /// Whether it looks at when cells were changed.
    var readsTimes: Bool { get }

    /// - Parameters:
    ///   - record: with the cells of `fields`.
    ///   - links: the texts of the records that its link cells name.
    func holds(for record: Record, links: LinkTexts) -> Bool
}

extension RecordPredicate {
    package var readsTimes: Bool { false }
}

/// A predicate of which SQL can decide a part.
protocol PushablePredicate: RecordPredicate {
    /// Nil when SQL can say nothing of it.
    var pushdown: Pushdown? { get }
}

/// Makes predicates of formulas, for one table as its reader sees it.
package protocol FilterCompiler: Sendable {
    /// - Parameter table: without the fields that the reader may not see, so that naming one is the same as
    ///   naming one that does not exist.
    /// - Throws: `.invalidFilter`.
    func predicate(
        _ formula: String,
        table: Table,
        environment: FilterEnvironment
    ) throws(AirtableError) -> any RecordPredicate

    /// The formula with its fields named one way: by identifier it outlives renaming, by name people read it.
    ///
    /// - Throws: `.invalidFilter`, as `predicate`.
    func text(of formula: String, table: Table, naming: FieldNaming) throws(AirtableError) -> String
}

package enum FieldNaming: Sendable, Hashable {
    case identifiers
    case names
}

/// All of them have to hold: a view's filter and the query's own.
struct AllPredicates: RecordPredicate {
    private let predicates: [any RecordPredicate]
    let fields: Set<FieldID>

    init(_ predicates: [any RecordPredicate]) {
        self.predicates = predicates
        fields = predicates.reduce(into: []) { $0.formUnion($1.fields) }
    }

    var readsTimes: Bool { predicates.contains(where: \.readsTimes) }

    func holds(for record: Record, links: LinkTexts) -> Bool {
        predicates.allSatisfy { $0.holds(for: record, links: links) }
    }
}

/// What a filter's result hangs on besides the record.
package struct FilterEnvironment: Sendable, Hashable {
    /// One moment for all records of a page.
    package var now: Instant
    /// An IANA name; nil is UTC.
    package var timeZone: String?
    package var locale: String?

    package init(now: Instant, timeZone: String? = nil, locale: String? = nil) {
        self.now = now
        self.timeZone = timeZone
        self.locale = locale
    }
}

/// What people read where a record is linked: its primary value.
///
/// Records that do not exist, have no primary value, or whose primary field the reader may not see have none.
package struct LinkTexts: Sendable {
    private let texts: [RecordID: String]

    package init(_ texts: [RecordID: String] = [:]) { self.texts = texts }

    package subscript(id: RecordID) -> String? { texts[id] }
}
