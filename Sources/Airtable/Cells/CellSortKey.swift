package import Domain

/// Where a cell stands among the cells of its field, rising; blanks first.
///
/// What the reference leaves open is decided here:
/// - Text is compared without regard to case, by its first 512 Unicode scalars: nobody reads on to tell two texts apart, and
///   the keys of a table of long texts would not fit into memory. People, attachments and links by what is shown of them.
/// - Choices stand in the order of their field, several of them place by place: `[a]` before `[a, b]` before `[b]`.
/// - A list of computed values stands where its elements do, one after the other; of computed values numbers come
///   first, then texts, then what is an error.
/// - NaN stands below all numbers: it has no place among them, but a sort must give it one.
package enum CellSortKey: Sendable, Hashable, Comparable {
    case blank
    case notANumber
    case number(Double)
    case text(String)
    case list([CellSortKey])
    case error

    /// - Parameters:
    ///   - value: nil for an empty cell.
    ///   - linkedPrimary: the primary value of a linked record; those it doesn't know are left out.
    package init(_ value: CellValue?, field: Field, linkedPrimary: (RecordID) -> String?) {
        func place(_ id: ChoiceID) -> Double? {
            field.options.choices?.firstIndex { $0.id == id }.map(Double.init)
        }
        switch value {
        case nil: self = .blank
        case .text(let text): self = Self.folded(text)
        case .number(let number): self = .number(number)
        case .checked: self = .number(1)
        case .choice(let id): self = place(id).map { .number($0) } ?? .blank
        case .choices(let ids): self = Self.of(ids.compactMap(place).map { .number($0) })
        case .date(let date): self = .number(Double(date.daysSinceEpoch))
        case .dateTime(let instant): self = .number(Double(instant.microseconds))
        case .links(let ids): self = Self.folded(ids.compactMap(linkedPrimary).joined(separator: ", "))
        case .collaborator(let person): self = Self.folded(person.displayName)
        case .collaborators(let people): self = Self.folded(people.map(\.displayName).joined(separator: ", "))
        case .attachments(let files): self = Self.folded(files.map(\.filename).joined(separator: ", "))
        case .barcode(let code): self = Self.folded(code.text)
        case .button(let button): self = Self.folded(button.label)
        case .aiText(let text): self = Self.folded(text.value ?? "")
        case .computed(let value): self = Self.computed(value, linkedPrimary)
        }
    }

    private static func computed(_ value: ComputedValue, _ linkedPrimary: (RecordID) -> String?) -> Self {
        switch value {
        case .text(let text): folded(text)
        case .number(let number): .number(number)
        case .special(.notANumber): .notANumber
        case .special(.infinity): .number(.infinity)
        case .special(.negativeInfinity): .number(-.infinity)
        case .boolean(let flag): flag ? .number(1) : .number(0)
        case .day(let date): .number(Double(Instant(date).microseconds))
        case .moment(let instant): .number(Double(instant.microseconds))
        case .collaborator(let person): folded(person.displayName)
        case .attachment(let file): folded(file.filename)
        case .barcode(let code): folded(code.text)
        case .record(let id): folded(linkedPrimary(id) ?? "")
        case .list(let values): of(values.map { computed($0, linkedPrimary) })
        case .blank: .blank
        case .error: .error
        }
    }

    /// A list of nothing is an empty cell.
    private static func of(_ keys: [Self]) -> Self { keys.isEmpty ? .blank : .list(keys) }

    private static func folded(_ text: String) -> Self {
        text.isEmpty ? .blank : .text((text.cut(toScalars: textScalars) ?? text).lowercased())
    }

    private static let textScalars = 512

    /// About what it takes in memory.
    var byteCount: Int {
        switch self {
        case .blank, .notANumber, .number, .error: 24
        case .text(let text): 56 + text.utf8.count
        case .list(let keys): 56 + keys.reduce(0) { $0 + $1.byteCount }
        }
    }

    package static func < (left: Self, right: Self) -> Bool {
        switch (left, right) {
        case (.number(let left), .number(let right)): left < right
        case (.text(let left), .text(let right)): left < right
        case (.list(let left), .list(let right)): left.lexicographicallyPrecedes(right)
        default: left.rank < right.rank
        }
    }

    private var rank: Int {
        switch self {
        case .blank: 0
        case .notANumber: 1
        case .number: 2
        case .text: 3
        case .list: 4
        case .error: 5
        }
    }
}
