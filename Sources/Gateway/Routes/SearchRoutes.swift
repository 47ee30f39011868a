public import Domain
import HTTPTypes
public import Search

/// Whoever answers searches. `SearchService` does; tests bring their own, without a model.
public protocol SearchAnswering: Sendable {
    func search(_ request: SearchRequest, context: RequestContext) async throws -> SearchResponse
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
}

extension SearchRequest: DocumentedWireType {
    static let schemaName = "SearchRequest"
    static let sample = SearchRequest(query: "a gas lighter than air", bases: ["Periodic table"], limit: 5)
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
                matched: SearchMatch(lexical: true, semantic: true)
            )
        ],
        tookMilliseconds: 12.5
    )
}
