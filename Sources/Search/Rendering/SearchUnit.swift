import Domain

/// A piece of a record that is found as one: encoded to one vector, indexed by its words, shown as one snippet.
struct SearchUnit: Sendable, Hashable {
    /// Which of a table's groups of fields the unit shows.
    let group: FieldGroup
    /// Number among the units of the same record and group, from 0.
    let window: Int
    /// What the unit shows of `GroupText.text`, in Unicode scalars.
    let range: Range<Int>
    /// What is encoded and indexed: the window with its prefix.
    let text: String
    /// False for what lies beyond `Limits.windowsPerField`: it is found by its words only.
    let isEncoded: Bool

    /// Changes when, and only when, the vector and the words would.
    var hash: ContentHash { ContentHash(of: isEncoded ? text : "\u{0}" + text) }
}

/// What a table's records are divided into for searching.
///
/// A group is what can be kept from somebody: a scope that hides any field of it never searches it.
enum FieldGroup: Sendable, Hashable {
    /// All the short fields of a record together.
    case short
    /// One long text, told by its field.
    case long(FieldID)

    /// The form stored in SQL.
    var text: String {
        switch self {
        case .short: "short"
        case .long(let field): field.description
        }
    }

    init?(text: String) {
        if text == "short" {
            self = .short
        } else if let field = FieldID(text) {
            self = .long(field)
        } else {
            return nil
        }
    }
}

/// The text of one group of one record, before it is cut into windows.
struct GroupText: Sendable, Hashable {
    /// Where one field's line, with its name, lies in the text of a short group.
    struct Line: Sendable, Hashable {
        let field: FieldID
        /// In Unicode scalars of `text`.
        let range: Range<Int>
    }

    let group: FieldGroup
    /// What every window repeats before its piece of `text`, when the text has to be cut or is a long field's.
    let prefix: String
    /// Whether even an uncut text carries the prefix.
    let alwaysPrefixed: Bool
    /// A long field's value as people see it, or `Field: value` lines.
    let text: String
    /// Of a short group, in table order; empty for a long one.
    let lines: [Line]
}

extension GroupText {
    /// The same with the lines of `fields` only; nil when it shows none of them.
    func showing(_ fields: Set<FieldID>?) -> GroupText? {
        guard let fields else { return self }
        if case .long(let field) = group { return fields.contains(field) ? self : nil }
        let kept = lines.filter { fields.contains($0.field) }
        if kept.isEmpty { return nil }
        return GroupText(group: group, prefix: prefix, alwaysPrefixed: alwaysPrefixed, text: text, lines: kept)
    }
}
