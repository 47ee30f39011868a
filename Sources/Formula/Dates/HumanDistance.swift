import Domain

/// The distance of two moments in words, as moment.js's `humanize` says it: `a few seconds`, `3 days`, `a month`.
enum HumanDistance {
    static func text(from start: Instant, to end: Instant) -> String {
        let (earlier, later) = start < end ? (start, end) : (end, start)
        let (months, rest) = difference(from: earlier, to: later)
        // 400 years have 4,800 months and 146,097 days.
        let days = rounded(Double(months) * 146_097 / 4_800) + rest / 86_400_000
        let wholeMonths = rounded(Double(months) + rest / 86_400_000 * 4_800 / 146_097)
        let years = rounded((Double(months) + rest / 86_400_000 * 4_800 / 146_097) / 12)
        let steps: [(count: Double, below: Double, one: String, many: String)] = [
            (rounded(days * 86_400), 45, "a few seconds", "seconds"),
            (rounded(days * 1_440), 45, "a minute", "minutes"),
            (rounded(days * 24), 22, "an hour", "hours"),
            (rounded(days), 26, "a day", "days"),
            (wholeMonths, 11, "a month", "months"),
        ]
        for (index, step) in steps.enumerated() {
            // 44 seconds are still "a few", so that "seconds" are never counted.
            if step.count <= (index == 0 ? 44 : 1) { return step.one }
            if step.count < step.below { return "\(Int(step.count)) \(step.many)" }
        }
        return years <= 1 ? "a year" : "\(Int(years)) years"
    }

    /// Months by the calendar, and the milliseconds that remain.
    private static func difference(from earlier: Instant, to later: Instant) -> (months: Int, rest: Double) {
        let (start, end) = (CalendarDate(earlier).components, CalendarDate(later).components)
        let months = (end.year - start.year) * 12 + end.month - start.month
        for count in [months, months - 1] where count >= 0 {
            guard let anchor = DateUnit.month.adding(Double(count), to: FormulaDate(earlier))?.instant else { continue }
            if anchor <= later { return (count, Double(later.milliseconds - anchor.milliseconds)) }
        }
        return (0, Double(later.milliseconds - earlier.milliseconds))
    }

    private static func rounded(_ value: Double) -> Double { (value + 0.5).rounded(.down) }
}
