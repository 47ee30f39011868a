public import Domain
import HTTPTypes
public import Search

/// Whoever answers searches. `SearchService` does; tests bring their own, without a model.
public protocol SearchAnswering: Sendable {
    func search(_ request: SearchRequest, context: RequestContext) async throws -> SearchResponse
    func similar(_ request: SimilarRequest, context: RequestContext) async throws -> SearchResponse
    func status(context: RequestContext) async throws -> SearchStatus
}

extension SearchService: SearchAnswering {}

enum SearchRoutes {
    static let search = Route(
        .post,
        "/api/v1/search",
        name: "search",
        summary: "Finds records by meaning and by words.",
        body: RouteBody(SearchRequest.self, limit: Limits.searchBodyBytes),
        reply: .json(SearchResponse.self, "The hits, best first."),
        problems: [.notFound],
        handler: .requires(.search) { call, context in
            try .json(try await call.services.search.search(call.decodedBody(), context: context))
        }
    )

    static let similar = Route(
        .post,
        "/api/v1/search/similar",
        name: "findSimilar",
        summary: "Finds the records most like one record.",
        body: RouteBody(SimilarRequest.self, limit: Limits.searchBodyBytes),
        reply: .json(SearchResponse.self, "The records, most alike first, without the one itself."),
        problems: [.notFound],
        handler: .requires(.search) { call, context in
            try .json(try await call.services.search.similar(call.decodedBody(), context: context))
        }
    )

    static let status = Route(
        .get,
        "/api/v1/search/status",
        name: "searchStatus",
        summary: "Tells how far the search index is behind the records, table by table.",
        reply: .json(SearchStatus.self, "The model, and each table's state."),
        handler: .requires(.search) { call, context in
            try .json(try await call.services.search.status(context: context))
        }
    )

    static let all = [search, similar, status]
}

extension SearchRequest: DocumentedWireType {
    static let schemaName = "SearchRequest"
    static let sample = SearchRequest(
        query: "a gas lighter than air",
        bases: ["Periodic table"],
        tables: ["Elements"],
        fields: ["Uses"],
        limit: 5,
        mode: .hybrid,
        minScore: 0.3,
        explain: true
    )
}

extension SimilarRequest: DocumentedWireType {
    static let schemaName = "SimilarRequest"
    static let sample = SimilarRequest(recordID: Sample.record.description, limit: 5)
}

extension SearchResponse: DocumentedWireType {
    static let schemaName = "SearchResponse"
    static let sample = SearchResponse(
        hits: [
            SearchHit(
                score: 0.8123,
                base: "Periodic table",
                baseID: Sample.base,
                table: "Elements",
                tableID: Sample.table,
                recordID: Sample.record,
                fields: ["Name": "Helium", "State": "Gas"],
                fieldID: Sample.state,
                snippet: "Helium, a gas",
                highlights: [SearchHighlight(fieldID: Sample.state, start: 10, end: 13)],
                matched: SearchMatch(lexical: true, semantic: true),
                explanation: HitExplanation(semanticRank: 1, cosine: 0.5421, lexicalRank: 2, bm25: 4.2)
            )
        ],
        cursor: "AW3FtsBqcvZ9mA",
        explanation: SearchExplanation(
            mode: .hybrid,
            words: ["gas", "lighter", "air"],
            partitions: 1,
            units: 310,
            lexicalCandidates: 61,
            semanticCandidates: 100,
            records: 74,
            plan: .exact,
            distances: 310,
            timings: SearchExplanation.Timings(
                words: 0.6,
                vector: 6.1,
                nearest: 0.2,
                completing: 1.1,
                ranking: 0.1,
                reading: 1.4
            )
        ),
        tookMilliseconds: 12.5
    )
}

extension SearchStatus: DocumentedWireType {
    static let schemaName = "SearchStatus"
    static let sample = SearchStatus(
        model: Model(id: "all-MiniLM-L6-v2", dimensions: 384, identity: "v1/all-MiniLM-L6-v2/0f…/384d/mean"),
        isCurrent: false,
        indexedSequence: 41,
        latestSequence: 43,
        tables: [
            Entry(
                base: "Periodic table",
                baseID: Sample.base,
                table: "Elements",
                tableID: Sample.table,
                state: .behind,
                records: 118,
                units: 1_080,
                filled: nil,
                toFill: nil,
                lagChanges: 2,
                lagSeconds: 0.031
            )
        ]
    )
}
