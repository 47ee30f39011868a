import Domain
import Formula
import TestSupport
import Testing

/// Formulas made from the grammar with arguments of sense, which damaged ones seldom are.
///
/// A failure names the seed that makes its formula and rows again: `PYAIRTABLE_SEED`.
@Suite("Formulas from the grammar")
struct GrammarTests {
    private static let environment = FormulaEnvironment(now: Instant(milliseconds: 1_715_342_400_000))

    @Test("printed and parsed again are the same formula, and give the same")
    func printing() throws {
        let schema = RandomRow.schema
        var compiled = 0
        for round in 0..<UInt64(RandomRun.count(2_000, long: 200_000)) {
            let seed = RandomRun.seed &+ round
            var generator = FormulaGenerator(seed: seed)
            let text = generator.formula()
            guard let formula = try? Formula(text, schema: schema) else { continue }
            compiled += 1
            let printed = FormulaPrinter.text(of: formula.syntax, schema: schema)
            let again: Formula
            do {
                again = try Formula(printed, schema: schema)
            } catch {
                Issue.record("seed \(seed): \(text) prints as \(printed), which fails: \(error)")
                return
            }
            try #require(FormulaPrinter.text(of: again.syntax, schema: schema) == printed, "seed \(seed)")
            try #require(again.resultType == formula.resultType, "seed \(seed): \(text)")
            for _ in 0..<3 {
                let row = RandomRow(&generator.random)
                let first = formula.evaluate(row, in: Self.environment).cell
                let second = again.evaluate(row, in: Self.environment).cell
                try #require(first == second, "seed \(seed): \(text) for \(row)")
            }
        }
        #expect(compiled > 1_000, "most formulas of the grammar compile; seed \(RandomRun.seed)")
    }

    @Test("mean the same in any case and with any white space")
    func spelling() throws {
        let schema = RandomRow.schema
        for round in 0..<UInt64(RandomRun.count(300, long: 30_000)) {
            let seed = RandomRun.seed &+ round
            var generator = FormulaGenerator(seed: seed)
            guard let formula = try? Formula(generator.formula(), schema: schema) else { continue }
            let printed = FormulaPrinter.text(of: formula.syntax, schema: schema)
            let spread = FormulaPrinter.text(of: formula.syntax, schema: schema, space: " \r\n\t")
            let again = try Formula(spread, schema: schema)
            try #require(FormulaPrinter.text(of: again.syntax, schema: schema) == printed, "seed \(seed)")
        }
    }

    @Test("of all cases, damaged in one place, compile or say where they are wrong")
    func damage() throws {
        var random = SeededGenerator(seed: RandomRun.seed)
        let marks: [Unicode.Scalar] = [
            "(", ")", "\"", "'", "{", "}", ",", "\\", "&", "=", "-", "1", "e", ".", " ", "\u{0}", "😀",
        ]
        for specimen in FormulaCase.all {
            for _ in 0..<RandomRun.count(2, long: 200) {
                var scalars = Array(specimen.formula.unicodeScalars)
                let place = random.number(0..<scalars.count + 1)
                if random.once(in: 2), place < scalars.count {
                    scalars.remove(at: place)
                } else {
                    scalars.insert(marks[random.number(0..<marks.count)], at: place)
                }
                let text = String(String.UnicodeScalarView(scalars))
                let answer = FormulaQuestion.answer(
                    ["id": 1, "formula": .string(text), "fields": specimen.json["fields"] ?? [:]],
                    now: Self.environment.now
                )
                guard answer["value"] == ["error": "INVALID"] else { continue }
                let position = try #require(answer["position"]?.intValue, "\(text): \(answer.text)")
                #expect((0...scalars.count).contains(position), "\(text): \(answer.text)")
            }
        }
    }
}
