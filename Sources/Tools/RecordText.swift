import Airtable
import Domain

/// A record in an answer.
struct RecordEntry: WireType {
    var id: String
    var createdTime: String
    var fields: JSONValue

    init(_ record: Record, in table: Table) {
        id = record.id.description
        createdTime = CellCodec.timestamp(record.createdTime)
        fields = .object(CellCodec.fields(of: record, table: table))
    }

    static var schema: JSONSchema {
        .object(
            properties: [
                "id": .string(description: "rec…"), "createdTime": .string(format: "date-time"),
                "fields": .dictionary(
                    of: .any,
                    description: "Non-empty cells by field name, in the shapes of Airtable's API; links as record ids."
                ),
            ],
            required: ["id", "createdTime", "fields"]
        )
    }

    /// `Name: value; Name: value`, each value on one line and cut after `valueCharacters`.
    func line(valueCharacters: Int) -> String {
        (fields.objectValue ?? [:]).map { name, value in "\(name): \(Self.text(of: value, valueCharacters))" }
            .joined(separator: "; ")
    }

    /// A cell for reading.
    static func text(of value: JSONValue, _ characters: Int) -> String {
        let text =
            switch value {
            case .string(let text): text.split(whereSeparator: \.isNewline).joined(separator: " ")
            case .array(let values): values.map { $0.stringValue ?? $0.text }.joined(separator: ", ")
            default: value.text
            }
        return text.cut(toScalars: characters).map { $0 + "…" } ?? text
    }
}
