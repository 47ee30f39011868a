import Domain

/// What a change of a schema is, in a sentence: of one that is proposed, and of one that was made. Names are quoted, as in
/// `ProposalText`.
enum SchemaChangeText {
    static func sentence(of change: SchemaChange) -> String {
        switch change {
        case .fieldCreated(let field): "Field \(name(field.name)) (\(field.type.rawValue)) is made."
        case .fieldUpdated(let before, let after):
            "Field \(name(before.name)) \(parts(before, after).joined(separator: "; "))."
        case .fieldDeleted(let field): "Field \(name(field.name)) is removed."
        case .tableCreated(let table): "Table \(name(table)) is made."
        case .tableUpdated(let before, let after) where before.name == after.name:
            "Table \(name(before.name)) is described anew."
        case .tableUpdated(let before, let after): "Table \(name(before.name)) is renamed to \(name(after.name))."
        case .viewCreated(let view): "View \(name(view.name)) is made."
        case .viewUpdated(let before, let after) where before.name == after.name:
            "View \(name(before.name)) shows something else."
        case .viewUpdated(let before, let after): "View \(name(before.name)) is renamed to \(name(after.name))."
        case .viewDeleted(let view): "View \(name(view.name)) is removed."
        case .baseRenamed(let before, let after): "Base \(name(before)) is renamed to \(name(after))."
        }
    }

    private static let choicesShown = 10

    private static func name(_ text: String) -> String { ProposalText.quoted(text) }

    /// What is another in a field.
    private static func parts(_ before: Field, _ after: Field) -> [String] {
        let (old, new) = (before.options.choices ?? [], after.options.choices ?? [])
        let (known, kept) = (Set(old.map(\.id)), Set(new.map(\.id)))
        let added = new.filter { !known.contains($0.id) }.prefix(choicesShown).map { name($0.name) }
        let gone = old.filter { !kept.contains($0.id) }.prefix(choicesShown).map { name($0.name) }
        let parts = [
            before.name == after.name ? nil : "is renamed to \(name(after.name))",
            before.type == after.type ? nil : "becomes \(after.type.rawValue)",
            before.description == after.description ? nil : "is described anew",
            added.isEmpty ? nil : "gets the choices \(added.joined(separator: ", "))",
            gone.isEmpty ? nil : "loses the choices \(gone.joined(separator: ", "))",
        ].compactMap(\.self)
        return parts.isEmpty ? ["gets other options"] : parts
    }
}
