public import Domain

/// What to search for, and where.
public struct SearchRequest: WireType, Hashable {
    /// Words, or a question, in any form.
    public var query: String
    /// Names or identifiers of bases; all that may be seen unless said.
    public var bases: [String]?
    /// Names or identifiers of tables in those bases; all unless said.
    public var tables: [String]?
    /// Hits at most, 1 to 100; 10 unless said.
    public var limit: Int?

    public init(query: String, bases: [String]? = nil, tables: [String]? = nil, limit: Int? = nil) {
        self.query = query
        self.bases = bases
        self.tables = tables
        self.limit = limit
    }

    public static let limitDefault = 10

    public static var schema: JSONSchema {
        .object(
            properties: [
                "query": .string(
                    description:
                        "What to look for: words, a phrase or a question. Records are found by meaning and by words.",
                    minLength: 1,
                    maxLength: Limits.queryCharacters
                ),
                "bases": .array(
                    of: .string(description: "Name or id of a base."),
                    description: "Search only these bases. All bases unless given.",
                    maxItems: Limits.searchPlaces
                ),
                "tables": .array(
                    of: .string(description: "Name or id of a table."),
                    description: "Search only these tables. All tables unless given.",
                    maxItems: Limits.searchPlaces
                ),
                "limit": .integer(
                    description: "Hits at most. \(limitDefault) unless given.",
                    minimum: 1,
                    maximum: Limits.searchHits
                ),
            ],
            required: ["query"]
        )
    }
}
