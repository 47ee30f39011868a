public import Domain

/// What to compute of a table's records, over which of them, and in which groups.
public struct AggregationQuery: Sendable, Hashable {
    public enum Function: String, Sendable, Hashable, Codable, CaseIterable {
        case count, sum, average, min, max, distinct
    }

    /// Spans of time, in UTC; weeks begin on Monday (ISO 8601).
    public enum Bucket: String, Sendable, Hashable, Codable, CaseIterable {
        case year, quarter, month, week, day, hour
    }

    public struct Measure: Sendable, Hashable {
        public var function: Function
        /// Name or identifier; only `count` does without, and counts records then.
        public var field: String?

        public init(_ function: Function, of field: String? = nil) {
            self.function = function
            self.field = field
        }
    }

    public struct Grouping: Sendable, Hashable {
        public var field: String
        public var bucket: Bucket?

        public init(by field: String, bucket: Bucket? = nil) {
            self.field = field
            self.bucket = bucket
        }
    }

    public var measures: [Measure]
    public var groupings: [Grouping]
    /// Only records that fit all of them.
    public var conditions: [RecordCondition]
    /// A formula: only records for which it is true.
    public var filter: String?
    /// Groups to give, those of the largest first measure first; where a field holds dates, in the order of time.
    public var limit: Int

    public init(
        measures: [Measure],
        groupings: [Grouping] = [],
        conditions: [RecordCondition] = [],
        filter: String? = nil,
        limit: Int
    ) {
        self.measures = measures
        self.groupings = groupings
        self.conditions = conditions
        self.filter = filter
        self.limit = limit
    }
}

/// What came of an aggregation.
public struct AggregationResult: Sendable, Hashable {
    public struct Group: Sendable, Hashable {
        /// In the order of the groupings; null for records without a value.
        public let keys: [JSONValue]
        /// In the order of the measures; null where there is nothing to compute from.
        public let values: [JSONValue]
    }

    /// Records that the filters chose.
    public let recordCount: Int
    public let groups: [Group]
    /// Before the limit.
    public let groupCount: Int
}

extension AggregationQuery.Bucket {
    /// `2024`, `2024-Q1`, `2024-02`, `2024-W05`, `2024-02-01`, `2024-02-01T13`: in the order of time as texts.
    func text(of moment: Instant) -> String {
        let day = CalendarDate(moment)
        let date = day.iso8601
        switch self {
        case .year: return Self.year(of: date)
        case .quarter:
            let month = Int(date.dropLast(3).suffix(2)) ?? 1
            return "\(Self.year(of: date))-Q\((month - 1) / 3 + 1)"
        case .month: return String(date.dropLast(3))
        case .week:
            // A week is of the year that its Thursday is in; day 0 was a Thursday.
            let weekday = (Int(day.daysSinceEpoch) % 7 + 10) % 7
            let thursday = CalendarDate(daysSinceEpoch: day.daysSinceEpoch - Int32(weekday) + 3)
            let year = Self.year(of: thursday.iso8601)
            let first = CalendarDate(iso8601: "\(year)-01-01")?.daysSinceEpoch ?? thursday.daysSinceEpoch
            let week = (thursday.daysSinceEpoch - first) / 7 + 1
            return "\(year)-W\(week < 10 ? "0" : "")\(week)"
        case .day: return date
        case .hour:
            let hour = (moment.milliseconds - Int64(day.daysSinceEpoch) * 86_400_000) / 3_600_000
            return "\(date)T\(hour < 10 ? "0" : "")\(hour)"
        }
    }

    private static func year(of date: String) -> String { String(date.dropLast(6)) }
}
