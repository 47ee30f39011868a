import Airtable
import Domain

/// One condition on one field of a record.
struct RecordFilter: Sendable {
    enum Comparison: String, Sendable, Hashable, Codable, CaseIterable {
        case equals = "="
        case differs = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="
        case contains
        case isIn = "in"
        case empty
        case notEmpty
    }

    let field: Field
    private let comparison: Comparison
    private let wanted: [Wanted]

    /// What a cell is compared with, read as its field's type.
    private enum Wanted: Sendable {
        case number(Double)
        /// A day, or a moment.
        case day(CalendarDate)
        case moment(Instant)
        case flag(Bool)
        /// Folded.
        case text(String)
    }

    /// - Throws: `invalidRequest` for a comparison that the field's type does not have, and a value that is not of it.
    init(field: Field, comparison: Comparison, value: JSONValue?) throws {
        self.field = field
        self.comparison = comparison
        switch comparison {
        case .empty, .notEmpty:
            guard value == nil || value == .null else { throw Self.refusal(field, "takes no value") }
            wanted = []
        case .isIn:
            guard let values = value?.arrayValue, !values.isEmpty, values.count <= Limits.searchPlaces else {
                throw Self.refusal(field, "takes a list of 1 to \(Limits.searchPlaces) values with in")
            }
            wanted = try values.map { try Self.wanted($0, field) }
        case .contains:
            guard let text = value?.stringValue, !text.isEmpty, field.hasText else {
                throw Self.refusal(field, "takes no contains: that is a text, for a field of texts")
            }
            wanted = [.text(Self.folded(text))]
        case .less, .lessOrEqual, .greater, .greaterOrEqual:
            guard field.isNumeric || field.isDate else {
                throw Self.refusal(field, "has no order, it is of type \(field.type.rawValue)")
            }
            wanted = [try Self.wanted(value ?? .null, field)]
        case .equals, .differs: wanted = [try Self.wanted(value ?? .null, field)]
        }
    }

    /// Whether the record fits. An empty cell fits `empty`, `!=`, and false of a checkbox.
    func accepts(_ record: Record, _ names: LinkedNames) -> Bool {
        let value = record.cells[field.id]
        switch comparison {
        case .empty: return value == nil
        case .notEmpty: return value != nil
        case .equals, .isIn: return wanted.contains { equals(value, $0, names) }
        case .differs: return !wanted.contains { equals(value, $0, names) }
        case .contains:
            guard let value, case .text(let part)? = wanted.first else { return false }
            // Not in identifiers, whose letters mean nothing.
            return shown(value, names).contains { $0.contains(part) }
        case .less: return order(value).map { $0 < 0 } ?? false
        case .lessOrEqual: return order(value).map { $0 <= 0 } ?? false
        case .greater: return order(value).map { $0 > 0 } ?? false
        case .greaterOrEqual: return order(value).map { $0 >= 0 } ?? false
        }
    }

    // MARK: Private

    private func equals(_ value: CellValue?, _ wanted: Wanted, _ names: LinkedNames) -> Bool {
        if case .flag(let flag) = wanted { return (value != nil) == flag }
        guard let value else { return false }
        switch wanted {
        case .text(let text): return texts(of: value, names).contains(text)
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
    private func shown(_ value: CellValue, _ names: LinkedNames) -> [String] {
        CellElements.of(value, field, names).map { Self.folded($0.stringValue ?? $0.text) }
    }

    /// The same; links by identifier as well.
    private func texts(of value: CellValue, _ names: LinkedNames) -> [String] {
        var texts = shown(value, names)
        if case .links(let ids) = value { texts += ids.map { Self.folded($0.description) } }
        return texts
    }

    private static func wanted(_ value: JSONValue, _ field: Field) throws -> Wanted {
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
        return .text(folded(text))
    }

    private static func refusal(_ field: Field, _ reason: String) -> AirtableError {
        AirtableError(.invalidRequest, "The filter can't be used: \"\(field.name)\" \(reason).")
    }

    private static func folded(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ").lowercased()
    }
}

extension Field {
    /// Whether its values are texts, or have names.
    fileprivate var hasText: Bool { !isNumeric && !isDate && type != .checkbox }
}
