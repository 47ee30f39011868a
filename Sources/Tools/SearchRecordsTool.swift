import Domain
import Search

struct SearchRecordsTool: Tool {
    let search: SearchService

    let name = "search_records"
    let title = "Search records"
    let description = """
        Finds records by meaning and by words, over all bases unless you name some. Ask in plain words, as a \
        question or a description; the records need not use the same words. Each hit has the record's id, its \
        place, its cells and the piece of text that fits best. Best first; a low place means a weak fit.
        """
    let permission = Permission.search
    let toolset = Toolset.search

    typealias Arguments = SearchRequest
    typealias Answer = SearchResponse

    func run(_ arguments: SearchRequest, caller: any ToolCaller, context: RequestContext) async throws -> SearchResponse
    {
        try await search.search(arguments, context: context)
    }

    func text(of answer: SearchResponse) -> String {
        if answer.hits.isEmpty { return "No record was found." }
        var lines = Self.lines(of: answer)
        if let explanation = answer.explanation {
            lines.append(
                "searched \(explanation.units) pieces by \(explanation.mode.rawValue), ranked \(explanation.records) records"
            )
        }
        if let cursor = answer.cursor { lines.append("More with cursor \(cursor)") }
        return lines.joined(separator: "\n")
    }

    /// Two lines for each hit; a third when it is explained.
    static func lines(of answer: SearchResponse) -> [String] {
        var lines: [String] = []
        for (position, hit) in answer.hits.enumerated() {
            let name = hit.fields.first.map { RecordEntry.text(of: $0.value, 80) } ?? ""
            lines.append(
                "\(position + 1). \(name) · \(hit.base) / \(hit.table) · \(hit.recordID) in \(hit.tableID)"
                    + " · score \(hit.score)"
            )
            lines.append("   \(hit.snippet)")
            guard let explanation = hit.explanation else { continue }
            let meaning = explanation.semanticRank.map { "place \($0) by meaning" } ?? "not by meaning"
            let words = explanation.lexicalRank.map { "place \($0) by words" } ?? "not by words"
            lines.append("   \(meaning), \(words)")
        }
        return lines
    }
}
