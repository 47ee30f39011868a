import Domain

/// Makes the sort keys of one field.
struct CellOrdering: Sendable {
    let field: Field
    /// So that a long list of choices is not gone through for each cell.
    private let choicePlaces: [ChoiceID: Double]

    init(_ field: Field) {
        self.field = field
        let choices = field.options.choices ?? []
        choicePlaces = Dictionary(
            choices.enumerated().map { ($0.element.id, Double($0.offset)) },
            uniquingKeysWith: { first, _ in first }
        )
    }

    func key(_ value: CellValue?, links: LinkTexts) -> CellSortKey {
        switch value {
        case .choice(let id): return choicePlaces[id].map { .number($0) } ?? .blank
        case .choices(let ids):
            let places = ids.compactMap { choicePlaces[$0] }
            return places.isEmpty ? .blank : .list(places.map { .number($0) })
        default: return CellSortKey(value, field: field) { links[$0] }
        }
    }
}
