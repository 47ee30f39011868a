import Domain
import Formula

/// The record of a case that says when each of its fields was changed, which the JSON face does not take.
struct CaseRow: FormulaRow {
    let schema: FormulaSchema
    let recordID: String?
    let createdTime: Instant?
    private let cells: [FormulaValue]
    private let modified: [Instant?]

    init(fields: JSONObject, record: JSONValue) {
        schema = FormulaSchema(fields.map { FormulaField(name: $0.key, type: .any) })
        cells = fields.map { FormulaValue(cell: $0.value) }
        modified = fields.map { record["modified"]?[$0.key]?.stringValue.flatMap { Instant(iso8601: $0) } }
        recordID = record["id"]?.stringValue
        createdTime = record["createdTime"]?.stringValue.flatMap { Instant(iso8601: $0) }
    }

    func value(_ slot: Int) -> FormulaValue { cells[slot] }

    func lastModifiedTime(_ slots: [Int]?) -> Instant? {
        (slots.map { $0.map { modified[$0] } } ?? modified).compactMap(\.self).max()
    }
}
