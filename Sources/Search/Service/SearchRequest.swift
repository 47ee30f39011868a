public import Domain

/// What to search for, and where.
public struct SearchRequest: WireType, Hashable {
    /// Words, or a question, in any form.
    public var query: String
    /// Names or identifiers of bases; all that may be seen unless said.
    public var bases: [String]?
    /// Names or identifiers of tables in those bases; all unless said.
    public var tables: [String]?
    /// Names or identifiers of fields in those tables; all unless said.
    public var fields: [String]?
    /// A formula: only records for which it is true are ranked at all.
    public var filter: String?
    /// Hits at most, 1 to 100; 10 unless said.
    public var limit: Int?
    /// From the response before, for the hits after it.
    public var cursor: String?
    public var mode: SearchMode?
    /// Hits of a lower score are left out.
    public var minScore: Double?
    /// Whether the response tells how it came about.
    public var explain: Bool?

    public init(
        query: String,
        bases: [String]? = nil,
        tables: [String]? = nil,
        fields: [String]? = nil,
        filter: String? = nil,
        limit: Int? = nil,
        cursor: String? = nil,
        mode: SearchMode? = nil,
        minScore: Double? = nil,
        explain: Bool? = nil
    ) {
        self.query = query
        self.bases = bases
        self.tables = tables
        self.fields = fields
        self.filter = filter
        self.limit = limit
        self.cursor = cursor
        self.mode = mode
        self.minScore = minScore
        self.explain = explain
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
                "bases": .searchedBases,
                "tables": .searchedTables,
                "fields": .array(
                    of: .string(description: "Name or id of a field."),
                    description: "Search and show only these fields. All fields unless given. The short fields of a "
                        + "record are searched together: naming one searches with them all.",
                    maxItems: Limits.searchPlaces
                ),
                "filter": .string(
                    description:
                        "An Airtable formula, such as AND({Status}='Done', {Rank}>3): only records for which it "
                        + "is true are searched. Tables without the fields that it names are left out.",
                    maxLength: Limits.formulaCharacters
                ),
                "limit": .searchLimit,
                "cursor": .string(
                    description: "The cursor of the response before, for the hits after it; all else as it was.",
                    minLength: 1,
                    maxLength: SearchCursor.textCharactersMax
                ),
                "mode": SearchMode.schema,
                "minScore": .minimumScore,
                "explain": .boolean(description: "Tells both ranks and scores of each hit, and where the time went."),
            ],
            required: ["query"]
        )
    }
}

/// Which records are like this one.
public struct SimilarRequest: WireType, Hashable {
    /// `rec…`.
    public var recordID: String
    /// As in a search.
    public var bases: [String]?
    public var tables: [String]?
    public var limit: Int?
    public var minScore: Double?

    public init(
        recordID: String,
        bases: [String]? = nil,
        tables: [String]? = nil,
        limit: Int? = nil,
        minScore: Double? = nil
    ) {
        self.recordID = recordID
        self.bases = bases
        self.tables = tables
        self.limit = limit
        self.minScore = minScore
    }

    private enum CodingKeys: String, CodingKey {
        case bases, tables, limit, minScore
        case recordID = "recordId"
    }

    public static var schema: JSONSchema {
        .object(
            properties: [
                "recordId": .string(
                    description: "Id of the record: rec and 14 letters or digits.",
                    minLength: 17,
                    maxLength: 17
                ),
                "bases": .searchedBases,
                "tables": .searchedTables,
                "limit": .searchLimit,
                "minScore": .minimumScore,
            ],
            required: ["recordId"]
        )
    }
}

extension JSONSchema {
    static let searchedBases = JSONSchema.array(
        of: .string(description: "Name or id of a base."),
        description: "Search only these bases. All bases unless given.",
        maxItems: Limits.searchPlaces
    )
    static let searchedTables = JSONSchema.array(
        of: .string(description: "Name or id of a table."),
        description: "Search only these tables. All tables unless given.",
        maxItems: Limits.searchPlaces
    )
    static let searchLimit = JSONSchema.integer(
        description: "Hits at most. \(SearchRequest.limitDefault) unless given.",
        minimum: 1,
        maximum: Limits.searchHits
    )
    static let minimumScore = JSONSchema.number(description: "Leaves out hits of a lower score.")
}
