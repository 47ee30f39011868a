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
                "id": .string(), "createdTime": .string(),
                "fields": .dictionary(of: .any, description: "Cells by field name; links as record ids."),
            ],
            required: ["id", "createdTime", "fields"]
        )
    }

    /// About what it takes in an answer.
    var byteCount: Int { 80 + fields.encoded().count }

    /// `Name: value; Name: value`, each value on one line and cut after `valueCharacters`.
    func line(valueCharacters: Int) -> String {
        (fields.objectValue ?? [:]).map { name, value in "\(name): \(Self.text(of: value, valueCharacters))" }
            .joined(separator: "; ")
    }

    /// The same with every text cut to `scalars`.
    func cut(to scalars: Int) -> RecordEntry {
        var entry = self
        entry.fields = Self.cut(fields, to: scalars)
        return entry
    }

    static func cut(_ value: JSONValue, to scalars: Int) -> JSONValue {
        switch value {
        case .string(let text): .string(text.cut(forShowing: scalars))
        case .array(let values): .array(values.prefix(Limits.linkedNames).map { cut($0, to: scalars) })
        case .object(let members): .object(JSONObject(members.map { (key: $0.key, value: cut($0.value, to: scalars)) }))
        case .null, .bool, .number: value
        }
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
        return text.cut(forShowing: characters)
    }
}

/// How much records may take in an answer. A token is counted as 3.5 bytes of the JSON of the records.
struct TokenBudget {
    private let bytes: Int

    init(tokens: Int) { bytes = tokens * 7 / 2 }

    /// How many of the first fit; one at least.
    func count(of records: [RecordEntry]) -> Int {
        var (left, count) = (bytes, 0)
        for record in records {
            left -= record.byteCount
            if left < 0 { break }
            count += 1
        }
        return max(1, count)
    }

    /// A record whose texts are cut until it fits; nil for one that does.
    func cut(_ record: RecordEntry) -> RecordEntry? {
        guard record.byteCount > bytes else { return nil }
        var scalars = 16_384
        while scalars > 64 {
            let shorter = record.cut(to: scalars)
            if shorter.byteCount <= bytes { return shorter }
            scalars /= 2
        }
        return record.cut(to: scalars)
    }

    static var argument: JSONSchema {
        .integer(
            description: "Tokens that records may take; \(Limits.toolTokens) unless given.",
            minimum: Limits.toolTokensMin,
            maximum: Limits.toolTokensMax
        )
    }
}
