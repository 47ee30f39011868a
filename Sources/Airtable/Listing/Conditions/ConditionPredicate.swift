import Database
import Domain
import Formula

/// A condition, checked against its field, as listings ask it.
struct ConditionPredicate: PushablePredicate {
    let field: Field
    let comparison: RecordCondition.Comparison
    let wanted: [Wanted]

    /// What a cell is compared with, read as its field's type.
    enum Wanted: Sendable {
        case number(Double)
        /// A day, or a moment.
        case day(CalendarDate)
        case moment(Instant)
        case flag(Bool)
        /// Folded.
        case text(String)
    }

    var fields: Set<FieldID> { [field.id] }

    /// - Parameter table: as its reader sees it.
    /// - Throws: `.unknownFieldName`; `.invalidRequest` for a comparison that the field's type does not have, and a value that
    ///   is not of it; `.invalidMultipleChoiceOptions` for a choice that a select does not have.
    init(_ condition: RecordCondition, of table: Table) throws(AirtableError) {
        let field = try ListingPlan.field(condition.field, table)
        self.field = field
        comparison = condition.comparison
        let value = condition.value ?? .null
        switch condition.comparison {
        case .empty, .notEmpty:
            guard value.isNull else { throw Self.refusal(field, "takes no value") }
            wanted = []
        case .isIn:
            guard let values = value.arrayValue, !values.isEmpty, values.count <= Limits.searchPlaces else {
                throw Self.refusal(field, "takes a list of 1 to \(Limits.searchPlaces) values with in")
            }
            var wanted: [Wanted] = []
            for value in values { wanted.append(try Self.wanted(value, field)) }
            self.wanted = wanted
        case .contains:
            guard let text = value.stringValue, !text.isEmpty, field.hasText else {
                throw Self.refusal(field, "takes no contains: that is a text, for a field of texts")
            }
            wanted = [.text(Self.folded(text))]
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard field.isNumeric || field.isDate else {
                throw Self.refusal(field, "has no order, it is of type \(field.type.rawValue)")
            }
            wanted = [try Self.wanted(value, field)]
        case .equals, .differs: wanted = [try Self.wanted(value, field)]
        }
    }

    func holds(for record: Record, links: LinkTexts) -> Bool {
        let value = record.cells[field.id]
        switch comparison {
        case .empty: return value == nil
        case .notEmpty: return value != nil
        case .equals, .isIn: return wanted.contains { equals(value, $0, links) }
        case .differs: return !wanted.contains { equals(value, $0, links) }
        case .contains:
            guard let value, case .text(let part)? = wanted.first else { return false }
            // Not in identifiers, whose letters mean nothing.
            return shown(value, links).contains { $0.contains(part) }
        case .less: return order(value).map { $0 < 0 } ?? false
        case .lessOrEqual: return order(value).map { $0 <= 0 } ?? false
        case .greater: return order(value).map { $0 > 0 } ?? false
        case .greaterOrEqual: return order(value).map { $0 >= 0 } ?? false
        }
    }

    // MARK: Comparing

    private func equals(_ value: CellValue?, _ wanted: Wanted, _ links: LinkTexts) -> Bool {
        if case .flag(let flag) = wanted { return (value != nil) == flag }
        guard let value else { return false }
        switch wanted {
        case .text(let text): return texts(of: value, links).contains(text)
        case .number, .day, .moment: return Self.order(value, wanted) == 0
        case .flag: return false
        }
    }

    private func order(_ value: CellValue?) -> Int? {
        guard let value, let wanted = wanted.first else { return nil }
        return Self.order(value, wanted)
    }

    /// Below 0 when the cell comes before; a moment of a day is compared with a day by its day, in UTC.
    private static func order(_ value: CellValue, _ wanted: Wanted) -> Int? {
        func compare<T: Comparable>(_ left: T, _ right: T) -> Int { left < right ? -1 : left > right ? 1 : 0 }
        switch (value, wanted) {
        case (.number(let left), .number(let right)), (.computed(.number(let left)), .number(let right)):
            return compare(left, right)
        case (.date(let left), .day(let right)), (.computed(.day(let left)), .day(let right)):
            return compare(left.daysSinceEpoch, right.daysSinceEpoch)
        case (.date(let left), .moment(let right)), (.computed(.day(let left)), .moment(let right)):
            return compare(Instant(left), right)
        case (.dateTime(let left), .day(let right)), (.computed(.moment(let left)), .day(let right)):
            return compare(CalendarDate(left).daysSinceEpoch, right.daysSinceEpoch)
        case (.dateTime(let left), .moment(let right)), (.computed(.moment(let left)), .moment(let right)):
            return compare(left, right)
        default: return nil
        }
    }

    /// As people read the cell, each of several values by itself.
    private func shown(_ value: CellValue, _ links: LinkTexts) -> [String] {
        CellElements.of(value, field, links).map { Self.folded($0.stringValue ?? $0.text) }
    }

    /// The same; links by identifier as well.
    private func texts(of value: CellValue, _ links: LinkTexts) -> [String] {
        var texts = shown(value, links)
        if case .links(let ids) = value { texts += ids.map { Self.folded($0.description) } }
        return texts
    }

    // MARK: Reading what is wanted

    private static func wanted(_ value: JSONValue, _ field: Field) throws(AirtableError) -> Wanted {
        if field.isNumeric {
            guard let number = value.doubleValue ?? value.stringValue.flatMap(Double.init), number.isFinite else {
                throw refusal(field, "is compared with a number")
            }
            return .number(number)
        }
        if field.isDate {
            guard let text = value.stringValue else { throw refusal(field, "is compared with a date, YYYY-MM-DD") }
            if let day = CalendarDate(iso8601: text) { return .day(day) }
            guard let moment = Instant(iso8601: text) else {
                throw refusal(field, "is compared with a date, YYYY-MM-DD")
            }
            return .moment(moment)
        }
        if field.type == .checkbox {
            guard let flag = value.boolValue else { throw refusal(field, "is compared with true or false") }
            return .flag(flag)
        }
        guard let text = value.stringValue else { throw refusal(field, "is compared with a text") }
        if let choices = field.options.choices, !choices.contains(where: { folded($0.name) == folded(text) }) {
            throw AirtableError(
                .invalidMultipleChoiceOptions,
                Misnamed.message(
                    "choice",
                    text,
                    in: Misnamed.place("field", field.name),
                    among: choices.map(\.name)
                )
            )
        }
        return .text(folded(text))
    }

    private static func refusal(_ field: Field, _ reason: String) -> AirtableError {
        AirtableError(.invalidRequest, "The filter can't be used: '\(Misnamed.shown(field.name))' \(reason).")
    }

    static func folded(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    }
}

extension ConditionPredicate {
    /// Of cells that people set, numbers, days, choices and whether there is any are SQL's to decide.
    var pushdown: Pushdown? {
        let present = CellCondition.present(field.cell(.anything))
        switch (StoredKind(field.type), comparison) {
        // Of links, some may be hidden from the reader.
        case (nil, _), (.links, _), (.computed, _): return nil
        case (_, .notEmpty): return field.type == .lastModifiedTime ? nil : Pushdown(present)
        case (_, .empty): return field.type == .lastModifiedTime ? nil : Pushdown(.not(present))
        case (.checked, .equals), (.checked, .differs):
            guard case .flag(let flag)? = wanted.first else { return nil }
            return Pushdown(flag == (comparison == .equals) ? present : .not(present))
        case (.number, _), (.date, _):
            let parts = wanted.compactMap(compared)
            guard parts.count == wanted.count else { return nil }
            let found = Pushdown.any(parts)
            return comparison == .differs ? found.negated : found
        case (.choice, .equals), (.choice, .isIn), (.choice, .differs):
            let ids = (field.options.choices ?? []).filter { choice in
                wanted.contains { if case .text(let text) = $0 { Self.folded(choice.name) == text } else { false } }
            }.map(\.id.description)
            let found = CellCondition.isOne(field.cell(.text), ids)
            if comparison == .differs { return Pushdown(.not(found)) }
            let keys = Set(ids.map { CellKey(text: $0) })
            return Pushdown(found, lookup: .keys(ordinal: field.ordinal, keys))
        default: return nil
        }
    }

    private func compared(_ wanted: Wanted) -> Pushdown? {
        let comparison: FormulaComparison =
            switch comparison {
            case .less: .less
            case .lessOrEqual: .lessOrEqual
            case .greater: .greater
            case .greaterOrEqual: .greaterOrEqual
            default: .equal
            }
        switch wanted {
        case .number(let number):
            let key = comparison == .equal ? CellKey(number: number + 0) : nil
            return Pushdown(
                .compare(field.cell(.number), comparison, .real(number + 0)),
                lookup: key.map { .keys(ordinal: field.ordinal, [$0]) }
            )
        case .day(let day):
            let text = day.iso8601
            // Years of four digits are in order as texts.
            guard field.type == .date, text.utf8.count == 10 else { return nil }
            return Pushdown(.compare(field.cell(.text), comparison, .text(text)))
        case .moment, .flag, .text: return nil
        }
    }
}

extension Field {
    /// Whether its values are texts, or have names.
    fileprivate var hasText: Bool { !isNumeric && !isDate && type != .checkbox }
}
