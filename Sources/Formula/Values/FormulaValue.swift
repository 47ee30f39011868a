public import Domain

/// What a formula works with and gives.
public enum FormulaValue: Sendable, Hashable {
    /// An empty cell, or BLANK().
    case blank
    /// IEEE double, NaN and infinities included.
    case number(Double)
    case text(String)
    case boolean(Bool)
    case date(FormulaDate)
    /// Of lookups, rollups, multiple selects, links; nested until ARRAYFLATTEN.
    case array([FormulaValue])
    /// `#ERROR!`.
    case error
}

/// A moment as formulas know it, with what SET_TIMEZONE and SET_LOCALE said of how to show it.
public struct FormulaDate: Sendable, Hashable {
    public var instant: Instant
    /// A value of a date field without time: midnight UTC of its day.
    public var isDay: Bool
    /// An IANA name; nil is UTC.
    public var timeZone: String?
    /// For names of months and days; nil is English.
    public var locale: String?

    public init(_ instant: Instant, isDay: Bool = false, timeZone: String? = nil, locale: String? = nil) {
        self.instant = instant
        self.isDay = isDay
        self.timeZone = timeZone
        self.locale = locale
    }
}

/// What is known of a value before any record is seen.
public indirect enum FormulaType: Sendable, Hashable {
    /// Only ever BLANK().
    case blank
    case number
    case text
    case boolean
    case date(isDay: Bool)
    case array(FormulaType)
    /// Known only when evaluated, such as the cell of a field whose type nobody told.
    case any
}
