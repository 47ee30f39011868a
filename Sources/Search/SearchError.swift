public import Domain
import Embeddings

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
        /// A field that none of the searched tables has, or that the caller may not know of.
        case unknownField
        /// A record that does not exist, is not indexed yet, or that the caller may not know of.
        case unknownRecord
        /// A cursor that is none, or that belongs to another search.
        case invalidCursor
        /// Another process keeps this data directory's index, and it did not finish in time.
        case indexerElsewhere
        /// What the index stores cannot be read.
        case corrupt
        /// The index's files cannot be read or written.
        case indexFailed
        /// More units in one table than keys for them.
        case partitionFull
        /// Another change of the model is under way, or the model has just been changed by somebody else.
        case modelChangeUnderWay
        /// The index of another model could not be made; the message says why.
        case modelChangeFailed
        /// More embedding jobs, or texts in one call, than are allowed at once.
        case tooManyJobs
        case tooManyTexts
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
        case .emptyQuery, .invalidOption, .invalidCursor, .modelChangeFailed: .invalid
        case .queryTooLong, .partitionFull, .tooManyTexts: .tooLarge
        case .modelChangeUnderWay: .conflict
        case .tooManyJobs: .busy
        case .unknownBase, .unknownTable, .unknownField, .unknownRecord: .notFound
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

    /// A model that was asked for by name, at a provider that this server has no key or address of.
    static func modelUnusable(_ model: EmbeddingModelName, _ cause: EmbeddingsError) -> Self {
        Self(
            .invalidOption,
            "The embedding model \(model) can't be used: it is not set up on this server.",
            hint: "leave model out for the one in use, or have it set up",
            detail: "\(cause.message)\(cause.hint.map { ": \($0)" } ?? "")"
        )
    }

    static func limitOutOfRange(_ limit: Int) -> Self {
        Self(.invalidOption, "The limit is \(limit); it must be from 1 to \(Limits.searchHits).")
    }

    static func tooManyPlaces(_ count: Int) -> Self {
        Self(.invalidOption, "\(count) bases, tables or fields are named; at most \(Limits.searchPlaces) may be.")
    }

    package static func unknown(_ code: Code, _ name: String, among names: [String]) -> Self {
        let kind = code == .unknownBase ? "base" : code == .unknownTable ? "table" : "field"
        // A name may stand in several places.
        var seen: Set<String> = []
        return Self(code, Misnamed.message(kind, name, among: names.filter { seen.insert($0).inserted }))
    }

    static var unknownRecord: Self {
        Self(
            .unknownRecord,
            "There is no such record in the index, or you may not see it.",
            hint: "search gives ids of records; one that was just written is indexed within a second"
        )
    }

    static func invalidCursor(_ message: String) -> Self {
        Self(.invalidCursor, message, hint: "start again without it, or send it with the same query and filters")
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
