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

    /// A person by name, a file by its name, a code or an error by its text; the rest as it is.
    static func name(of value: JSONValue) -> String {
        if let text = value.stringValue { return text }
        for key in ["name", "filename", "text", "label", "email", "error", "specialValue", "value"] {
            if let text = value[key]?.stringValue { return text }
        }
        return value.text
    }

    /// A cell for reading.
    static func text(of value: JSONValue, _ characters: Int) -> String {
        let text =
            switch value {
            case .string(let text): text.split(whereSeparator: \.isNewline).joined(separator: " ")
            case .array(let values): values.map { name(of: $0) }.joined(separator: ", ")
            case .object: name(of: value)
            default: value.text
            }
        return text.cut(toScalars: characters).map { $0 + "…" } ?? text
    }
}
