import Domain
import Formula
import Testing

/// What a formula gives, as a cell, for fields in JSON.
func evaluate(
    _ formula: String,
    _ fields: JSONObject = [:],
    types: JSONObject = [:],
    now: String = "2024-05-01T12:34:56.789Z"
) -> JSONValue {
    let question: JSONValue = [
        "id": 1, "formula": .string(formula), "fields": .object(fields), "types": .object(types), "now": .string(now),
    ]
    return FormulaQuestion.answer(question, now: Instant(microseconds: 0))["value"] ?? "no value"
}

/// Why a formula is none; nil when it is one.
func failure(_ formula: String, fields: [String] = []) -> FormulaError? {
    do {
        _ = try Formula(formula, schema: FormulaSchema(fields.map { FormulaField(name: $0, type: .any) }))
        return nil
    } catch {
        return error
    }
}

let errorCell: JSONValue = ["error": "#ERROR!"]
let notANumber: JSONValue = ["specialValue": "NaN"]
