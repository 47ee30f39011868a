public import Domain

/// What the records themselves say to a question: sentences and cells, each with the place it stands in.
public struct ExtractedAnswer: WireType, Hashable {
    /// A piece of one cell.
    public struct Quote: WireType, Hashable {
        public var baseID: BaseID
        public var tableID: TableID
        public var recordID: RecordID
        public var fieldID: FieldID
        /// Occurs verbatim in the cell as the API gives it; of a link, in the names of its records.
        public var quote: String
        /// Comparable within one answer only; larger is better.
        public var score: Double

        public init(
            baseID: BaseID,
            tableID: TableID,
            recordID: RecordID,
            fieldID: FieldID,
            quote: String,
            score: Double
        ) {
            self.baseID = baseID
            self.tableID = tableID
            self.recordID = recordID
            self.fieldID = fieldID
            self.quote = quote
            self.score = score
        }

        private enum CodingKeys: String, CodingKey {
            case quote, score
            case baseID = "baseId"
            case tableID = "tableId"
            case recordID = "recordId"
            case fieldID = "fieldId"
        }

        public static var schema: JSONSchema {
            .object(
                properties: [
                    "baseId": .string(), "tableId": .string(),
                    "recordId": .string(), "fieldId": .string(),
                    "quote": .string(description: "Verbatim; of a link, names."),
                    "score": .number(description: "Comparable in this answer only."),
                ],
                required: ["baseId", "tableId", "recordId", "fieldId", "quote", "score"]
            )
        }
    }

    /// Whether the records answer the question; without, there are no quotes.
    public var isFound: Bool
    /// For reading: each piece followed by `[rec…/fld…]`, or that nothing was found.
    public var text: String
    /// The best first.
    public var quotes: [Quote]

    public init(isFound: Bool, text: String, quotes: [Quote]) {
        self.isFound = isFound
        self.text = text
        self.quotes = quotes
    }

    /// What is said when the records do not answer.
    public static let notFoundText = "This was not found in your records."

    static let notFound = ExtractedAnswer(isFound: false, text: notFoundText, quotes: [])

    private enum CodingKeys: String, CodingKey {
        case text, quotes
        case isFound = "found"
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "found": .boolean(),
                "text": .string(description: "With [recordId/fieldId] after each piece."),
                "quotes": .array(of: Quote.schema, description: "Best first."),
            ],
            required: ["found", "text", "quotes"]
        )
    }
}
