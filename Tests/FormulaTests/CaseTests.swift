import Domain
import Formula
import TestSupport
import Testing

@Suite("The formula language, case by case")
struct CaseTests {
    private static let now = Instant(milliseconds: 1_715_342_400_000)

    @Test("gives what the reference says", arguments: FormulaCase.all)
    func value(_ specimen: FormulaCase) throws {
        let answer = try Self.answer(specimen)
        let comment = Comment(
            rawValue: "\(specimen.why)\(specimen.isDecision ? " (decision)" : ""); got \(answer.text)"
        )
        switch specimen.expectation {
        case .value(let expected, let isExact):
            let value = try #require(answer["value"])
            #expect(value.isNear(expected, isExact: isExact), comment)
        case .invalid(let position):
            #expect(answer["value"] == ["error": "INVALID"], comment)
            if let position { #expect(answer["position"]?.intValue == position, comment) }
        }
    }

    @Test("has at least five cases for each of the 84 functions: ordinary, edge, blank, error and mix")
    func count() throws {
        let cases = FormulaCase.all
        #expect(cases.count >= 600)
        #expect(Set(cases.map(\.id)).count == cases.count, "two cases have the same id")
        let byFunction = Dictionary(grouping: cases.filter { $0.function != nil }, by: { $0.function! })
        #expect(FormulaSignature.all.count == 84)
        #expect(Set(byFunction.keys) == Set(FormulaSignature.all.map(\.name)))
        for (name, cases) in byFunction {
            #expect(Set(cases.map(\.kind)) == FormulaCase.kinds, "\(name) lacks a kind")
            let strangers = cases.filter { !$0.formula.uppercased().contains(name) }
            #expect(strangers.isEmpty, "\(strangers.map(\.id)) do not call \(name)")
        }
        for specimen in cases {
            #expect(FormulaCase.kinds.contains(specimen.kind), "\(specimen.id)")
            #expect(specimen.why.count >= 2, "\(specimen.id) does not say why")
        }
    }

    private static func answer(_ specimen: FormulaCase) throws -> JSONValue {
        guard let record = specimen.json["record"] else { return FormulaQuestion.answer(specimen.json, now: now) }
        let row = CaseRow(fields: specimen.json["fields"]?.objectValue ?? [:], record: record)
        do {
            let formula = try Formula(specimen.formula, schema: row.schema)
            return ["value": formula.evaluate(row, in: FormulaEnvironment(now: now)).cell]
        } catch {
            return ["value": ["error": "INVALID"], "position": .number(JSONNumber(error.position))]
        }
    }
}

extension JSONValue {
    /// Equal, where numbers may differ by 1e-12 of their size unless it is exactly this one that is wanted.
    fileprivate func isNear(_ expected: Self, isExact: Bool) -> Bool {
        switch (self, expected) {
        case (.number(let left), .number(let right)):
            let (left, right) = (left.doubleValue, right.doubleValue)
            return left == right || (!isExact && abs(left - right) <= 1e-12 * max(abs(left), abs(right)))
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isNear($1, isExact: isExact) }
        default:
            return self == expected
        }
    }
}
