import Domain

/// What the groups of a table's records may show, decided by its schema alone.
///
/// The fields of a group are a superset of what any record's unit of that group shows: a scope that hides one of
/// them excludes the whole group. That keeps too much from somebody who may not see a field, never too little.
struct TableLayout: Sendable, Hashable {
    /// A field whose text a group shows, by the table it belongs to.
    struct Source: Sendable, Hashable {
        let table: TableID
        let field: FieldID
    }

    let table: Table
    private let linkedPrimaries: [TableID: Field]
    /// By group. A link field shows the primary field of the linked table too.
    private let shortSources: Set<Source>

    /// - Parameter linkedPrimaries: the primary field of every table that this one links to.
    init(_ table: Table, linkedPrimaries: [TableID: Field]) {
        self.table = table
        self.linkedPrimaries = linkedPrimaries
        var sources: Set<Source> = []
        for field in table.fields where !field.type.isAlwaysLong || field.id == table.primaryField {
            sources.insert(Source(table: table.id, field: field.id))
            if let linked = field.options.linkedTable, let primary = linkedPrimaries[linked] {
                sources.insert(Source(table: linked, field: primary.id))
            }
        }
        shortSources = sources
    }

    func sources(of group: FieldGroup) -> Set<Source> {
        switch group {
        case .short: return shortSources
        case .long(let field):
            var sources: Set<Source> = [
                Source(table: table.id, field: field), Source(table: table.id, field: table.primaryField),
            ]
            // The primary value may itself be a link's text.
            if let linked = table.field(id: table.primaryField)?.options.linkedTable {
                sources.formUnion(shortSources.filter { $0.table == linked })
            }
            return sources
        }
    }
}

extension TableLayout {
    /// What the rendered texts depend on beside the records: names and kinds of fields, names of choices.
    var signature: TableSignature {
        var fields: [String] = []
        var choices: Set<String> = []
        for field in table.fields {
            let isPrimary = field.id == table.primaryField
            let looks = [field.name, field.type.rawValue, "\(isPrimary)"] + Self.format(of: field)
            fields.append("\(field.id) \(Self.hash(of: looks))")
            for choice in field.options.choices ?? [] { choices.insert("\(choice.id) \(Self.hash(of: [choice.name]))") }
            guard let linked = field.options.linkedTable, let primary = linkedPrimaries[linked] else { continue }
            choices.insert("\(linked) \(primary.id)")
            for choice in primary.options.choices ?? [] {
                choices.insert("\(choice.id) \(Self.hash(of: [choice.name]))")
            }
        }
        return TableSignature(fields: fields, choices: choices)
    }

    /// Options that show in a cell's text.
    private static func format(of field: Field) -> [String] {
        let shown = field.options.result?.options ?? field.options
        return [shown.precision.map(String.init) ?? "", shown.symbol ?? "", shown.durationFormat ?? ""]
    }

    private static func hash(of texts: [String]) -> String {
        ContentHash(of: texts.joined(separator: "\u{0}")).bytes.prefix(8).map { String($0, radix: 16) }
            .joined(separator: "-")
    }
}

/// Tells whether a change of schema changes what stored records look like.
struct TableSignature: Sendable, Hashable {
    /// In table order.
    let fields: [String]
    let choices: Set<String>

    init(fields: [String], choices: Set<String>) {
        self.fields = fields
        self.choices = choices
    }

    /// The form stored in SQL.
    var text: String { (fields.map { "F \($0)" } + choices.sorted().map { "C \($0)" }).joined(separator: "\n") }

    init(text: String) {
        var fields: [String] = []
        var choices: Set<String> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("F ") { fields.append(String(line.dropFirst(2))) }
            if line.hasPrefix("C ") { choices.insert(String(line.dropFirst(2))) }
        }
        self.init(fields: fields, choices: choices)
    }

    /// Whether every record rendered under `old` still looks the same: nothing was renamed, moved or taken away. A new
    /// field or choice is in no record yet; when it comes into one, that is a change of its own.
    func onlyAdds(to old: TableSignature) -> Bool {
        var rest = fields[...]
        for field in old.fields {
            guard let position = rest.firstIndex(of: field) else { return false }
            rest = rest[(position + 1)...]
        }
        return old.choices.isSubset(of: choices)
    }
}

extension TableLayout.Source {
    /// `tbl…/fld…`, the form stored in SQL.
    var text: String { "\(table)/\(field)" }

    init?(text: Substring) {
        let parts = text.split(separator: "/")
        guard parts.count == 2, let table = TableID(String(parts[0])), let field = FieldID(String(parts[1])) else {
            return nil
        }
        self.init(table: table, field: field)
    }
}
