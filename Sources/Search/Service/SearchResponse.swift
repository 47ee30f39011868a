public import Domain

/// What was found, best first; no record twice.
public struct SearchResponse: WireType, Hashable {
    /// How a search was less than what was asked for.
    public enum Degradation: String, Sendable, Codable, CaseIterable {
        /// The question has no vector, since the service that embeds did not answer: only words counted.
        case wordsOnly
    }

    public var hits: [SearchHit]
    /// For the hits after these; nil when there are no more.
    public var cursor: String?
    /// When the request asked for it.
    public var explanation: SearchExplanation?
    /// When it is less than what was asked for.
    public var degraded: Degradation?
    /// Milliseconds from the call to the answer.
    public var tookMilliseconds: Double

    public init(
        hits: [SearchHit],
        cursor: String? = nil,
        explanation: SearchExplanation? = nil,
        degraded: Degradation? = nil,
        tookMilliseconds: Double
    ) {
        self.hits = hits
        self.cursor = cursor
        self.explanation = explanation
        self.degraded = degraded
        self.tookMilliseconds = tookMilliseconds
    }

    private enum CodingKeys: String, CodingKey {
        case hits, cursor, explanation, degraded
        case tookMilliseconds = "tookMs"
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "hits": .array(of: SearchHit.schema, description: "Best first; no record twice."),
                "cursor": .string(description: "For the hits after these; absent when there are no more."),
                "explanation": SearchExplanation.schema,
                "degraded": .string(
                    description: "Present when the search was less than what was asked for. wordsOnly: the embedding "
                        + "model did not answer, so records were found by words and not by meaning.",
                    enum: Degradation.allCases.map(\.rawValue)
                ),
                "tookMs": .number(description: "Milliseconds the search took.", minimum: 0),
            ],
            required: ["hits", "tookMs"]
        )
    }
}

/// One record, with the piece of it that shows why it was found.
public struct SearchHit: WireType, Hashable {
    /// Comparable within one response only; larger is better.
    public var score: Double
    /// Names, for reading.
    public var base: String
    public var baseID: BaseID
    public var table: String
    public var tableID: TableID
    public var recordID: RecordID
    /// The record's cells by field name, in the shapes of Airtable's API; of a cell's links the first 100.
    public var fields: JSONObject
    /// The field that the snippet is from, or the one of it with most matches.
    public var fieldID: FieldID
    public var snippet: String
    public var highlights: [SearchHighlight]
    public var matched: SearchMatch
    /// When the request asked for it.
    public var explanation: HitExplanation?

    public init(
        score: Double,
        base: String,
        baseID: BaseID,
        table: String,
        tableID: TableID,
        recordID: RecordID,
        fields: JSONObject,
        fieldID: FieldID,
        snippet: String,
        highlights: [SearchHighlight],
        matched: SearchMatch,
        explanation: HitExplanation? = nil
    ) {
        self.score = score
        self.base = base
        self.baseID = baseID
        self.table = table
        self.tableID = tableID
        self.recordID = recordID
        self.fields = fields
        self.fieldID = fieldID
        self.snippet = snippet
        self.highlights = highlights
        self.matched = matched
        self.explanation = explanation
    }

    private enum CodingKeys: String, CodingKey {
        case score, base, table, fields, snippet, highlights, matched, explanation
        case baseID = "baseId"
        case tableID = "tableId"
        case recordID = "recordId"
        case fieldID = "fieldId"
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        guard case .object(let fields) = try container.decode(JSONValue.self, forKey: .fields) else {
            throw DecodingError.dataCorruptedError(
                forKey: .fields,
                in: container,
                debugDescription: "expected an object"
            )
        }
        self.init(
            score: try container.decode(Double.self, forKey: .score),
            base: try container.decode(String.self, forKey: .base),
            baseID: try container.decode(BaseID.self, forKey: .baseID),
            table: try container.decode(String.self, forKey: .table),
            tableID: try container.decode(TableID.self, forKey: .tableID),
            recordID: try container.decode(RecordID.self, forKey: .recordID),
            fields: fields,
            fieldID: try container.decode(FieldID.self, forKey: .fieldID),
            snippet: try container.decode(String.self, forKey: .snippet),
            highlights: try container.decode([SearchHighlight].self, forKey: .highlights),
            matched: try container.decode(SearchMatch.self, forKey: .matched),
            explanation: try container.decodeIfPresent(HitExplanation.self, forKey: .explanation)
        )
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(score, forKey: .score)
        try container.encode(base, forKey: .base)
        try container.encode(baseID, forKey: .baseID)
        try container.encode(table, forKey: .table)
        try container.encode(tableID, forKey: .tableID)
        try container.encode(recordID, forKey: .recordID)
        try container.encode(JSONValue.object(fields), forKey: .fields)
        try container.encode(fieldID, forKey: .fieldID)
        try container.encode(snippet, forKey: .snippet)
        try container.encode(highlights, forKey: .highlights)
        try container.encode(matched, forKey: .matched)
        try container.encodeIfPresent(explanation, forKey: .explanation)
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "score": .number(description: "Comparable within this response only; larger is better."),
                "base": .string(description: "Name of the base."),
                "baseId": .string(description: "app…"),
                "table": .string(description: "Name of the table."),
                "tableId": .string(description: "tbl…"),
                "recordId": .string(description: "rec…"),
                "fields": .dictionary(
                    of: .any,
                    description: "The record's non-empty cells by field name; of a cell's links the first 100."
                ),
                "fieldId": .string(description: "The field that the snippet is from, or of which it shows most."),
                "snippet": .string(description: "The piece of the record that shows why it was found."),
                "highlights": .array(
                    of: SearchHighlight.schema,
                    description: "Words of the query in the snippet, ascending."
                ),
                "matched": SearchMatch.schema,
                "explanation": HitExplanation.schema,
            ],
            required: [
                "score", "base", "baseId", "table", "tableId", "recordId", "fields", "fieldId", "snippet",
                "highlights", "matched",
            ]
        )
    }
}

/// A word of the query, in whatever form, inside a snippet.
public struct SearchHighlight: WireType, Hashable {
    public var fieldID: FieldID
    /// Unicode scalars (code points) before the word in the snippet, and before what follows it.
    public var start: Int
    public var end: Int

    public init(fieldID: FieldID, start: Int, end: Int) {
        self.fieldID = fieldID
        self.start = start
        self.end = end
    }

    private enum CodingKeys: String, CodingKey {
        case start, end
        case fieldID = "fieldId"
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "fieldId": .string(description: "The field the word is in."),
                "start": .integer(description: "Code points of the snippet before the word.", minimum: 0),
                "end": .integer(description: "Code points of the snippet up to the word's end.", minimum: 0),
            ],
            required: ["fieldId", "start", "end"]
        )
    }
}

/// On which side a record was found.
public struct SearchMatch: WireType, Hashable {
    /// It has words of the query.
    public var lexical: Bool
    /// It is among the nearest in meaning.
    public var semantic: Bool

    public init(lexical: Bool, semantic: Bool) {
        self.lexical = lexical
        self.semantic = semantic
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "lexical": .boolean(description: "The record has words of the query."),
                "semantic": .boolean(description: "The record is among the nearest in meaning."),
            ],
            required: ["lexical", "semantic"]
        )
    }
}
