import Domain

// The 25 functions of dates and times (docs/formula.md). What hangs on nobody's word but ours is in `DateDecisions`.

extension FunctionDefinition {
    static let dateFunctions: [FunctionDefinition] =
        presentFunctions + arithmeticFunctions + comparisonFunctions + partFunctions + writtenFunctions
        + workdayFunctions

    private static let presentFunctions: [FunctionDefinition] = [
        FunctionDefinition("NOW", 0, 0, gives: .date(isDay: false)) { _, environment in
            .date(FormulaDate(environment.now))
        },
        FunctionDefinition("TODAY", 0, 0, gives: .date(isDay: true)) { _, environment in
            .date(FormulaDate(DateUnit.day.start(of: environment.now), isDay: true))
        },
        FunctionDefinition("FROMNOW", 1, 1, gives: .text, distanceFromNow),
        FunctionDefinition("TONOW", 1, 1, gives: .text, distanceFromNow),
    ]

    private static let arithmeticFunctions: [FunctionDefinition] = [
        FunctionDefinition("DATEADD", 3, 3, gives: firstType) { arguments, _ in
            guard let date = arguments[0].date, let count = arguments[1].asNumber, count.isFinite,
                let unit = arguments[2].unit, let moved = unit.adding(count, to: date)
            else { return .error }
            return .date(moved)
        },
        FunctionDefinition("DATETIME_DIFF", 2, 3, gives: .number) { arguments, _ in
            guard let later = arguments[0].date, let earlier = arguments[1].date else { return .error }
            let unit =
                arguments.count < 3 || arguments[2].isAbsent
                ? DateDecisions.differenceUnit : arguments[2].unit ?? DateDecisions.differenceOfUnknownUnit
            return .number(Double(unit.count(from: earlier.instant, to: later.instant)))
        },
    ]

    private static let comparisonFunctions: [FunctionDefinition] = [
        FunctionDefinition("IS_SAME", 2, 3, gives: .boolean) { arguments, _ in compared(arguments, by: ==) },
        FunctionDefinition("IS_BEFORE", 2, 3, gives: .boolean) { arguments, _ in compared(arguments, by: <) },
        FunctionDefinition("IS_AFTER", 2, 3, gives: .boolean) { arguments, _ in compared(arguments, by: >) },
    ]

    private static let partFunctions: [FunctionDefinition] = [
        part("YEAR") { $0.year },
        part("MONTH") { $0.month },
        part("DAY") { $0.day },
        part("HOUR") { $0.hour },
        part("MINUTE") { $0.minute },
        part("SECOND") { $0.second },
        FunctionDefinition("WEEKDAY", 1, 2, gives: .number) { arguments, environment in
            guard let time = arguments[0].shown(in: environment), let first = firstDay(arguments, 0) else {
                return .error
            }
            return .number(Double((time.weekday - first).remainder(by: 7)))
        },
        FunctionDefinition("WEEKNUM", 1, 2, gives: .number) { arguments, environment in
            let rule = DateDecisions.weekNumbers
            guard let time = arguments[0].shown(in: environment), let first = firstDay(arguments, rule.firstDay) else {
                return .error
            }
            let weeks = WeekRule(firstDay: first, minimumDays: rule.minimumDays)
            return .number(Double(weeks.week(of: time.date).week))
        },
    ]

    private static let writtenFunctions: [FunctionDefinition] = [
        FunctionDefinition("DATESTR", 1, 1, gives: .text) { arguments, environment in
            arguments[0].shown(in: environment).map { .text($0.date.iso8601) } ?? .error
        },
        FunctionDefinition("TIMESTR", 1, 1, gives: .text) { arguments, environment in
            formatted(arguments[0], clock, environment)
        },
        FunctionDefinition("DATETIME_FORMAT", 1, 2, gives: .text) { arguments, environment in
            guard arguments.count == 2, !arguments[1].isAbsent else {
                guard let date = arguments[0].date?.forDisplay(in: environment) else { return .error }
                return DateFormat.isoText(of: date).map { .text($0) } ?? .error
            }
            guard let text = arguments[1].asText, let format = DateFormat.compiled(text) else { return .error }
            return formatted(arguments[0], format, environment)
        },
        FunctionDefinition("DATETIME_PARSE", 1, 3, gives: .date(isDay: false), parsed),
        FunctionDefinition("SET_TIMEZONE", 2, 2, gives: firstType) { arguments, _ in
            guard var date = arguments[0].date, let zone = arguments[1].asText, Zones.exists(zone) else {
                return .error
            }
            date.timeZone = zone
            return .date(date)
        },
        FunctionDefinition("SET_LOCALE", 2, 2, gives: firstType) { arguments, _ in
            guard var date = arguments[0].date, let locale = arguments[1].asText else { return .error }
            date.locale = locale
            return .date(date)
        },
    ]

    private static let workdayFunctions: [FunctionDefinition] = [
        FunctionDefinition("WORKDAY", 2, 3, gives: firstType) { arguments, _ in
            guard let date = arguments[0].date, let count = arguments[1].asNumber, count.magnitude < 1e7,
                let workdays = workdays(arguments)
            else { return .error }
            let start = CalendarDate(date.instant)
            guard let day = workdays.day(Int(count), from: start) else { return .error }
            let days = Int64(day.daysSinceEpoch) - Int64(start.daysSinceEpoch)
            // Ten million days are more than there are in all years; a moment far outside them may still be too much.
            let (moment, overflows) = date.instant.microseconds.addingReportingOverflow(days * 86_400_000_000)
            if overflows { return .error }
            return date.moved(to: Instant(microseconds: moment)).map { .date($0) } ?? .error
        },
        FunctionDefinition("WORKDAY_DIFF", 2, 3, gives: .number) { arguments, _ in
            guard let start = arguments[0].date, let end = arguments[1].date, let workdays = workdays(arguments) else {
                return .error
            }
            return .number(Double(workdays.count(from: CalendarDate(start.instant), to: CalendarDate(end.instant))))
        },
    ]

    private static let clock = DateFormat("HH:mm:ss")

    private static func part(_ name: String, _ part: @escaping @Sendable (CivilTime) -> Int) -> FunctionDefinition {
        FunctionDefinition(name, 1, 1, gives: .number) { arguments, environment in
            arguments[0].shown(in: environment).map { .number(Double(part($0))) } ?? .error
        }
    }

    @Sendable private static func distanceFromNow(
        _ arguments: [FormulaValue],
        _ environment: FormulaEnvironment
    ) -> FormulaValue {
        guard let date = arguments[0].date, FormulaDate(environment.now).isInRange else { return .error }
        return .text(HumanDistance.text(from: date.instant, to: environment.now))
    }

    private static func compared(
        _ arguments: [FormulaValue],
        by holds: (Instant, Instant) -> Bool
    ) -> FormulaValue {
        guard let left = arguments[0].date, let right = arguments[1].date else { return .error }
        guard arguments.count == 3, !arguments[2].isAbsent else {
            return .boolean(holds(left.instant, right.instant))
        }
        let unit = arguments[2].unit ?? DateDecisions.comparisonOfUnknownUnit
        return .boolean(holds(unit.start(of: left.instant), unit.start(of: right.instant)))
    }

    /// The first day of the week that the second argument names; nil when it names none.
    private static func firstDay(_ arguments: [FormulaValue], _ missing: Int) -> Int? {
        guard arguments.count == 2, !arguments[1].isAbsent else { return missing }
        return arguments[1].asText.flatMap { WeekRule.weekday(named: $0) }
    }

    private static func formatted(
        _ value: FormulaValue,
        _ format: DateFormat,
        _ environment: FormulaEnvironment
    ) -> FormulaValue {
        value.date.flatMap { format.text(of: $0.forDisplay(in: environment)) }.map { .text($0) } ?? .error
    }

    @Sendable private static func parsed(
        _ arguments: [FormulaValue],
        _ environment: FormulaEnvironment
    ) -> FormulaValue {
        if case .date = arguments[0].scalar { return arguments[0].date.map { .date($0) } ?? .error }
        guard let text = arguments[0].asText, FormulaDate(environment.now).isInRange else { return .error }
        let locale = arguments.count == 3 && !arguments[2].isAbsent ? arguments[2].asText : environment.locale
        guard arguments.count >= 2, !arguments[1].isAbsent else {
            let date = FormulaDate(parsing: text, locale: locale, now: environment.now)
            return date.map { .date($0) } ?? .error
        }
        guard let format = arguments[1].asText.flatMap({ DateFormat.compiled($0) }) else { return .error }
        return format.date(in: text, locale: locale, now: environment.now).map { .date($0) } ?? .error
    }

    /// From the third argument: days in one text with commas between, a date, or an array of either. Nil when something
    /// there is no date.
    private static func workdays(_ arguments: [FormulaValue]) -> Workdays? {
        guard arguments.count == 3 else { return Workdays(holidays: []) }
        var days: [CalendarDate] = []
        guard collect(arguments[2], into: &days) else { return nil }
        return Workdays(holidays: days)
    }

    private static func collect(_ value: FormulaValue, into days: inout [CalendarDate]) -> Bool {
        switch value {
        case .blank: return true
        case .text(let text):
            for item in text.split(separator: ",") where !item.allSatisfy(\.isWhitespace) {
                guard let date = FormulaDate(reading: String(item)) else { return false }
                days.append(CalendarDate(date.instant))
            }
            return true
        case .date(let date):
            days.append(CalendarDate(date.instant))
            return true
        case .array(let items): return items.allSatisfy { collect($0, into: &days) }
        case .number, .boolean, .error: return false
        }
    }

    /// A date as the first argument is.
    @Sendable private static func firstType(_ types: [FormulaType]) -> FormulaType {
        if case .date(let isDay)? = types.first { return .date(isDay: isDay) }
        return .date(isDay: false)
    }
}

extension FormulaValue {
    /// As a date of the years we have; nil for everything else.
    package var date: FormulaDate? { asDate.flatMap { $0.isInRange ? $0 : nil } }

    fileprivate var unit: DateUnit? { asText.flatMap { DateUnit($0) } }

    /// An optional argument that was left blank.
    fileprivate var isAbsent: Bool {
        switch self {
        case .blank: true
        case .text(let text): text.isEmpty
        default: false
        }
    }

    /// What calendar and clock show of this date.
    fileprivate func shown(in environment: FormulaEnvironment) -> CivilTime? {
        guard let date = date?.forDisplay(in: environment),
            let offset = Zones.offsetSeconds(date.timeZone, at: date.instant)
        else { return nil }
        return CivilTime(date.instant, offsetSeconds: offset)
    }
}

extension FormulaDate {
    /// With the request's time zone and language where it has none of its own; days stay in UTC.
    fileprivate func forDisplay(in environment: FormulaEnvironment) -> FormulaDate {
        var date = self
        if !isDay || DateDecisions.requestZoneMovesDays { date.timeZone = timeZone ?? environment.timeZone }
        date.locale = locale ?? environment.locale
        return date
    }
}
