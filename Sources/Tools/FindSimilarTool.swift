import Domain
import Search

struct FindSimilarTool: Tool {
    let search: SearchService

    let name = "find_similar"
    let title = "Find similar records"
    let description = """
        Finds the records most like one record, by meaning: duplicates, related cases, alternatives. Give the id of a \
        record that another tool answered; it is left out itself. Over all bases unless you name some.
        """
    let permission = Permission.search
    let toolset = Toolset.search

    typealias Arguments = SimilarRequest
    typealias Answer = SearchResponse

    func run(_ arguments: SimilarRequest, caller: any ToolCaller, context: RequestContext) async throws
        -> SearchResponse
    {
        try await search.similar(arguments, context: context)
    }

    func text(of answer: SearchResponse) -> String {
        answer.hits.isEmpty
            ? "No similar record was found." : SearchRecordsTool.lines(of: answer).joined(separator: "\n")
    }
}
