import Domain
import Search

/// What a search found, as tools answer it: a hit is what is needed to judge it and to go on.
struct FoundRecords: WireType {
    struct Hit: WireType {
        var recordId: String
        var base: String
        var baseId: String
        var table: String
        var tableId: String
        var score: Double
        var fieldId: String
        var snippet: String
        var fields: JSONValue

        init(_ hit: SearchHit) {
            recordId = hit.recordID.description
            base = hit.base
            baseId = hit.baseID.description
            table = hit.table
            tableId = hit.tableID.description
            score = hit.score
            fieldId = hit.fieldID.description
            snippet = hit.snippet
            fields = RecordEntry.cut(.object(hit.fields), to: Limits.toolCellCharacters)
        }

        static var schema: JSONSchema {
            .object(
                properties: [
                    "recordId": .string(), "base": .string(), "baseId": .string(), "table": .string(),
                    "tableId": .string(), "score": .number(description: "Comparable in this answer only."),
                    "fieldId": .string(description: "The snippet's."), "snippet": .string(),
                    "fields": .dictionary(of: .any, description: "Cells by field name; long texts are cut."),
                ],
                required: [
                    "recordId", "base", "baseId", "table", "tableId", "score", "fieldId", "snippet", "fields",
                ]
            )
        }
    }

    var hits: [Hit]
    var cursor: String?
    /// How the search was less than what was asked for.
    var degraded: SearchResponse.Degradation?

    init(_ response: SearchResponse) {
        hits = response.hits.map(Hit.init)
        cursor = response.cursor
        degraded = response.degraded
    }

    static var schema: JSONSchema {
        .object(
            properties: [
                "hits": .array(of: Hit.schema, description: "Best first."), "cursor": .cursorAnswer,
                "degraded": .string(
                    description: "wordsOnly: the embedding model did not answer.",
                    enum: SearchResponse.Degradation.allCases.map(\.rawValue)
                ),
            ],
            required: ["hits"]
        )
    }

    /// Two lines for each hit.
    var text: String {
        hits.enumerated().map { position, hit in
            "\(position + 1). \(hit.name) · \(hit.base) / \(hit.table) · \(hit.recordId) in \(hit.tableId)"
                + " · score \(hit.score)\n   \(hit.snippet)"
        }.joined(separator: "\n")
    }

    var links: [ResourceLink] {
        hits.map { hit in
            ResourceLink(
                uri: "airtable://\(hit.baseId)/\(hit.tableId)/\(hit.recordId)",
                name: Misnamed.shown(hit.name.isEmpty ? hit.recordId : hit.name),
                mediaType: "application/json"
            )
        }
    }

    func advice(none: String) -> String? {
        let lines = [
            hits.isEmpty ? none : nil,
            degraded == nil ? nil : "Found by words only: the embedding model did not answer.",
            cursor.map(Advice.more),
        ]
        let said = lines.compactMap(\.self)
        return said.isEmpty ? nil : said.joined(separator: "\n")
    }
}

extension FoundRecords.Hit {
    /// Its first cell, by which people know it.
    fileprivate var name: String { fields.objectValue?.first.map { RecordEntry.text(of: $0.value, 80) } ?? "" }
}

extension JSONSchema {
    static let basesArgument = places("bases")
    static let tablesArgument = places("tables")

    static func places(_ what: String) -> JSONSchema {
        .array(of: .string(), description: "Only these \(what), by name or id.", maxItems: Limits.searchPlaces)
    }
}
