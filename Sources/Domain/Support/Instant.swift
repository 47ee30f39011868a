/// A moment in UTC, counted in microseconds since 1970-01-01T00:00:00Z.
///
/// Both databases store it as an INTEGER of that unit. Airtable's cells and timestamps show milliseconds,
/// so `iso8601` rounds down to those.
public struct Instant: Hashable, Sendable, Comparable {
    public var microseconds: Int64

    public init(microseconds: Int64) { self.microseconds = microseconds }
    public init(milliseconds: Int64) { self.microseconds = milliseconds * 1_000 }

    public static func < (left: Self, right: Self) -> Bool { left.microseconds < right.microseconds }
}

/// A day of the proleptic Gregorian calendar, without time or zone.
public struct CalendarDate: Hashable, Sendable, Comparable {
    /// Days since 1970-01-01.
    public var daysSinceEpoch: Int32

    public init(daysSinceEpoch: Int32) { self.daysSinceEpoch = daysSinceEpoch }

    public static func < (left: Self, right: Self) -> Bool { left.daysSinceEpoch < right.daysSinceEpoch }
}

/// Where the present moment comes from; tests pass their own.
public typealias InstantSource = @Sendable () -> Instant
