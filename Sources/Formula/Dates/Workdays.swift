import Domain

/// Days that are worked: Monday to Friday without the holidays.
///
/// Weekdays (Monday to Friday) are numbered through, so that moving by any count is arithmetic, and only the holidays
/// are looked at one by one: O(holidays), whatever the count.
struct Workdays {
    /// Numbers of the weekdays that are holidays, rising, each once.
    private let holidays: [Int]

    init(holidays: [CalendarDate]) {
        let numbers = Set(
            holidays.lazy.filter { !Self.isWeekend($0) }.map { Self.weekdays(before: Int($0.daysSinceEpoch)) }
        )
        self.holidays = numbers.sorted()
    }

    /// The day that is so many working days away; never a day that is not worked. Nil for what no calendar reaches.
    func day(_ count: Int, from start: CalendarDate) -> CalendarDate? {
        guard count.magnitude < 1 << 40 else { return nil }
        let before = Self.weekdays(before: Int(start.daysSinceEpoch))
        if count < 0 { return Self.day(backward(from: before, count)) }
        if count == 0 {
            let isWorked = !Self.isWeekend(start) && !holidays.contains(before)
            return isWorked ? start : Self.day(forward(from: Self.isWeekend(start) ? before - 1 : before, 1))
        }
        return Self.day(forward(from: Self.isWeekend(start) ? before - 1 : before, count))
    }

    /// Working days from one day to another, both included; negative when `end` is before `start`.
    func count(from start: CalendarDate, to end: CalendarDate) -> Int {
        if end < start { return -count(from: end, to: start) }
        let first = Self.weekdays(before: Int(start.daysSinceEpoch))
        let last = Self.weekdays(before: Int(end.daysSinceEpoch) + 1)
        return last - first - holidays.count { first <= $0 && $0 < last }
    }

    /// The number of the weekday that is `count` working ones after number `from`.
    private func forward(from: Int, _ count: Int) -> Int {
        var number = from + count
        for holiday in holidays where holiday > from && holiday <= number { number += 1 }
        return number
    }

    /// The number of the weekday that is `-count` working ones before number `from`.
    private func backward(from: Int, _ count: Int) -> Int {
        var number = from + count
        for holiday in holidays.reversed() where holiday < from && holiday >= number { number -= 1 }
        return number
    }

    private static func isWeekend(_ day: CalendarDate) -> Bool { day.weekday == 0 || day.weekday == 6 }

    /// Weekdays before a day, counted from Monday 1970-01-05: the number of that day if it is a weekday, and of the next
    /// one otherwise.
    private static func weekdays(before day: Int) -> Int {
        let sinceMonday = day - 4
        return sinceMonday.floored(by: 7) * 5 + min(sinceMonday.remainder(by: 7), 5)
    }

    private static func day(_ number: Int) -> CalendarDate? {
        let days = number.floored(by: 5) * 7 + number.remainder(by: 5) + 4
        return Int32(exactly: days).map { CalendarDate(daysSinceEpoch: $0) }
    }
}
