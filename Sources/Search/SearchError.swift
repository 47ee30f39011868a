public import Domain

/// Why a search, or the upkeep of its index, failed. Equality is by code.
public struct SearchError: Failure, Equatable {
    public enum Code: String, Sendable, Hashable, CaseIterable {
        /// The query holds nothing to search for.
        case emptyQuery
        /// The query is longer than `Limits.queryCharacters`.
        case queryTooLong
        /// A limit, or another option, outside its range.
        case invalidOption
        /// A base that does not exist, or that the caller may not know of.
        case unknownBase
        /// A table that does not exist, or that the caller may not know of.
        case unknownTable
        /// Another process keeps this data directory's index, and it did not finish in time.
        case indexerElsewhere
        /// What the index stores cannot be read.
        case corrupt
        /// The index's files cannot be read or written.
        case indexFailed
        /// More units in one table than keys for them.
        case partitionFull
    }

    public let code: Code
    public let message: String
    public let hint: String?
    public let detail: String?

    public init(_ code: Code, _ message: String, hint: String? = nil, detail: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
        self.detail = detail
    }

    public var kind: FailureKind {
        switch code {
        case .emptyQuery, .invalidOption: .invalid
        case .queryTooLong, .partitionFull: .tooLarge
        case .unknownBase, .unknownTable: .notFound
        case .indexerElsewhere: .busy
        case .corrupt: .corrupt
        case .indexFailed: .internal
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

extension SearchError {
    static var emptyQuery: Self { Self(.emptyQuery, "The query is empty.", hint: "say in words what to look for") }

    static func queryTooLong(_ characters: Int) -> Self {
        Self(
            .queryTooLong,
            "The query has \(characters) characters; at most \(Limits.queryCharacters) are allowed.",
            hint: "search for the main idea, not for a whole document"
        )
    }

    static func limitOutOfRange(_ limit: Int) -> Self {
        Self(.invalidOption, "The limit is \(limit); it must be from 1 to \(Limits.searchHits).")
    }

    static func tooManyPlaces(_ count: Int) -> Self {
        Self(.invalidOption, "\(count) bases or tables are named; at most \(Limits.searchPlaces) may be.")
    }

    static func unknown(_ code: Code, _ name: String, among names: [String]) -> Self {
        let kind = code == .unknownBase ? "base" : "table"
        let nearest = Spelling.nearest(to: name, among: names).map { "did you mean \"\($0)\"?" }
        return Self(
            code,
            "There is no \(kind) \"\(name.prefix(100))\", or you may not see it.",
            hint: nearest ?? "list the \(kind)s to see their names and ids"
        )
    }

    static func corrupt(_ what: String, detail: String? = nil) -> Self {
        Self(
            .corrupt,
            "The search index's \(what) cannot be read.",
            hint: "run doctor --verify; the index can be rebuilt from the records with index --rebuild",
            detail: detail
        )
    }
}
