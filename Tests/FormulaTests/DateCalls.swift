import Domain
import Testing

@testable import Formula

/// Calls functions as the evaluator does, arguments already evaluated.
enum DateCalls {
    /// Tuesday 5 March 2019, 07:08:09.010 UTC: the moment of the reference's examples.
    static let now = moment("2019-03-05T07:08:09.010Z")
    static let environment = FormulaEnvironment(now: now)

    static func call(
        _ name: String,
        _ arguments: FormulaValue...,
        in environment: FormulaEnvironment = environment
    ) throws -> FormulaValue {
        let all = FunctionDefinition.dateFunctions + FunctionDefinition.regexFunctions
        let function = try #require(all.first { $0.name == name })
        #expect(arguments.count >= function.least && arguments.count <= function.most ?? .max)
        return function.body(arguments, environment)
    }

    static func moment(_ text: String) -> Instant { Instant(iso8601: text) ?? Instant(microseconds: .min) }
    static func date(_ text: String) -> FormulaValue { .date(FormulaDate(moment(text))) }
    static func day(_ text: String) -> FormulaValue { .date(FormulaDate(moment(text), isDay: true)) }

    /// A date value as ISO text, a day as `YYYY-MM-DD`.
    static func iso(_ value: FormulaValue) -> String? {
        guard case .date(let date) = value else { return nil }
        return date.isDay ? CalendarDate(date.instant).iso8601 : date.instant.iso8601
    }
}
