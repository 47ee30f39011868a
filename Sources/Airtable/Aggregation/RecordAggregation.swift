import Domain

/// Computes measures over records as they come, whole or by groups. Exact: every record is looked at; sums lose nothing
/// to the order they are added in (Neumaier's compensated sum).
struct RecordAggregation {
    typealias Function = AggregationQuery.Function
    typealias Bucket = AggregationQuery.Bucket

    private let measures: [(function: Function, field: Field?)]
    private let groupings: [(field: Field, bucket: Bucket?)]
    private(set) var recordCount = 0
    private var accumulators: [[JSONValue]: [Accumulator]] = [:]

    /// - Throws: `invalidRequest` for a measure or bucket that a field's type does not have.
    init(
        measures: [(Function, Field?)],
        groupings: [(Field, Bucket?)]
    ) throws {
        for (function, field) in measures {
            guard let field else {
                if function == .count { continue }
                throw AirtableError(.invalidRequest, "\(function.rawValue) needs a field.", hint: "name one")
            }
            let isFit =
                switch function {
                case .count, .distinct: true
                case .sum, .average: field.isNumeric
                case .min, .max: field.isNumeric || field.isDate
                }
            guard isFit else {
                throw AirtableError(
                    .invalidRequest,
                    "\(function.rawValue) of '\(Misnamed.shown(field.name))' can't be computed: its type is "
                        + "\(field.type.rawValue).",
                    hint: "count and distinct take every field"
                )
            }
        }
        for (field, bucket) in groupings where bucket != nil && !field.isDate {
            throw AirtableError(
                .invalidRequest,
                "'\(Misnamed.shown(field.name))' has no \(bucket?.rawValue ?? "bucket"): its type is "
                    + "\(field.type.rawValue).",
                hint: "leave bucket out"
            )
        }
        self.measures = measures.map { (function: $0.0, field: $0.1) }
        self.groupings = groupings.map { (field: $0.0, bucket: $0.1) }
    }

    var fields: [Field] { measures.compactMap(\.field) + groupings.map(\.field) }

    var groupCount: Int { groupings.isEmpty ? 1 : accumulators.count }

    /// - Throws: `tooLarge` beyond `Limits.aggregateGroups` or `Limits.aggregateRecords`.
    mutating func take(_ record: Record, _ links: LinkTexts) throws {
        recordCount += 1
        guard recordCount <= Limits.aggregateRecords else {
            throw AirtableError(
                .tooLarge,
                "More than \(Limits.aggregateRecords) records would be aggregated.",
                hint: "narrow them down by a filter"
            )
        }
        var keys: [[JSONValue]] = [[]]
        for (field, bucket) in groupings {
            let values = Self.keys(of: record.cells[field.id], field, bucket, links)
            // Before they are made: two cells that link to many records each have more pairs than there is memory.
            try Self.checkGroups(keys.count * values.count)
            keys = keys.flatMap { key in values.map { key + [$0] } }
        }
        for key in keys {
            for (place, measure) in measures.enumerated() {
                // In place: a copy of the row would copy all the different values it has seen.
                accumulators[key, default: Array(repeating: Accumulator(), count: measures.count)][place].take(
                    measure.field.map { record.cells[$0.id] } ?? nil,
                    measure.field,
                    measure.function,
                    links
                )
            }
        }
        try Self.checkGroups(accumulators.count)
    }

    private static func checkGroups(_ count: Int) throws {
        guard count <= Limits.aggregateGroups else {
            throw AirtableError(
                .tooLarge,
                "There are more than \(Limits.aggregateGroups) groups.",
                hint: "group by a field of fewer values, or filter"
            )
        }
    }

    /// The groups of the largest first measure, ties in the order of their keys.
    func groups(limit: Int) -> [(keys: [JSONValue], values: [JSONValue])] {
        if groupings.isEmpty {
            let row = accumulators[[]] ?? Array(repeating: Accumulator(), count: measures.count)
            return [(keys: [], values: values(row))]
        }
        // Time runs forward.
        let isTime = groupings.contains { $0.bucket != nil || $0.field.isDate }
        return accumulators.map { (keys: $0.key, values: values($0.value)) }.sorted { left, right in
            let (first, second) = (left.values.first?.doubleValue, right.values.first?.doubleValue)
            if !isTime, first != second { return first ?? -.infinity > second ?? -.infinity }
            return Self.order(left.keys) < Self.order(right.keys)
        }.prefix(limit).map { $0 }
    }

    private static func order(_ keys: [JSONValue]) -> String {
        // Without a value last.
        keys.map { $0.isNull ? "\u{10FFFF}" : $0.stringValue ?? $0.text }.joined(separator: "\u{1}")
    }

    private func values(_ row: [Accumulator]) -> [JSONValue] {
        zip(measures, row).map { measure, accumulator in
            accumulator.value(of: measure.function, isForRecords: measure.field == nil)
        }
    }

    /// What a cell is grouped under; null when it is empty.
    private static func keys(
        of value: CellValue?,
        _ field: Field,
        _ bucket: Bucket?,
        _ links: LinkTexts
    ) -> [JSONValue] {
        guard let value else { return field.type == .checkbox ? [false] : [.null] }
        if let bucket {
            let moment: Instant
            switch value {
            case .date(let date), .computed(.day(let date)): moment = Instant(date)
            case .dateTime(let instant), .computed(.moment(let instant)): moment = instant
            default: return [.null]
            }
            return [.string(bucket.text(of: moment))]
        }
        let elements = CellElements.of(value, field, links)
        return elements.isEmpty ? [.null] : elements
    }
}

/// What is kept of one measure of one group.
private struct Accumulator {
    private var records = 0
    private var filled = 0
    /// Cells that are numbers: of a formula, some may be errors.
    private var numbers = 0
    private var sum = 0.0
    /// What the sum lost to rounding.
    private var compensation = 0.0
    private var least: Bound?
    private var greatest: Bound?
    private var seen: Set<JSONValue> = []

    /// A value that has an order, with how it is shown.
    private struct Bound {
        let place: Double
        let shown: JSONValue
    }

    mutating func take(
        _ value: CellValue?,
        _ field: Field?,
        _ function: RecordAggregation.Function,
        _ links: LinkTexts
    ) {
        records += 1
        guard let value, let field else { return }
        filled += 1
        switch function {
        case .count: break
        case .distinct: seen.formUnion(CellElements.of(value, field, links))
        case .sum, .average: if let number = value.number { add(number) }
        case .min, .max:
            guard let place = value.place, let shown = CellElements.of(value, field, links).first else { return }
            let bound = Bound(place: place, shown: shown)
            if place < least?.place ?? .infinity { least = bound }
            if place > greatest?.place ?? -.infinity { greatest = bound }
        }
    }

    private mutating func add(_ number: Double) {
        numbers += 1
        let next = sum + number
        compensation += sum.magnitude >= number.magnitude ? (sum - next) + number : (number - next) + sum
        sum = next
    }

    func value(of function: RecordAggregation.Function, isForRecords: Bool) -> JSONValue {
        switch function {
        case .count: .number(JSONNumber(isForRecords ? records : filled))
        case .distinct: .number(JSONNumber(seen.count))
        case .sum: Self.json(sum + compensation)
        case .average: numbers == 0 ? .null : Self.json((sum + compensation) / Double(numbers))
        case .min: least?.shown ?? .null
        case .max: greatest?.shown ?? .null
        }
    }

    /// Null for what JSON has no number for.
    private static func json(_ number: Double) -> JSONValue { JSONNumber(number).map { .number($0) } ?? .null }
}

extension CellValue {
    /// Where a number or a moment stands among its kind.
    fileprivate var place: Double? {
        switch self {
        case .number(let number): number
        case .date(let date): Double(date.daysSinceEpoch)
        case .dateTime(let instant): Double(instant.milliseconds)
        case .computed(.number(let number)): number
        case .computed(.day(let date)): Double(date.daysSinceEpoch)
        case .computed(.moment(let instant)): Double(instant.milliseconds)
        default: nil
        }
    }

    /// The number it is, whoever computed it.
    fileprivate var number: Double? {
        switch self {
        case .number(let number), .computed(.number(let number)): number
        default: nil
        }
    }
}
