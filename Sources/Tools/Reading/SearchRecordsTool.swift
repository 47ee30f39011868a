import Domain
import Search

struct SearchRecordsTool: Tool {
    let search: SearchService

    let name = "search_records"
    let title = "Search records"
    let description = """
        Finds records by meaning and by words, over all bases unless you name some. Ask in plain words: a question or a \
        description; the records need not use the same words. A low score is a weak fit. get_record reads a hit whole.
        """
    let permission = Permission.search
    let toolset = Toolset.search

    struct Arguments: WireType {
        var query: String
        var bases: [String]?
        var tables: [String]?
        var fields: [String]?
        var formula: String?
        var mode: SearchMode?
        var minScore: Double?
        var limit: Int?
        var cursor: String?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "query": .questionArgument.described("What to look for."), "bases": .basesArgument,
                    "tables": .tablesArgument, "fields": .places("fields"), "formula": .formulaArgument,
                    "mode": .string(
                        description: "hybrid unless given.",
                        enum: SearchMode.allCases.map(\.rawValue)
                    ),
                    "minScore": .number(),
                    "limit": .limitArgument("Hits", default: SearchRequest.limitDefault, max: Limits.searchHits),
                    "cursor": .cursorArgument,
                ],
                required: ["query"]
            )
        }
    }

    typealias Answer = FoundRecords

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> FoundRecords {
        let request = SearchRequest(
            query: arguments.query,
            bases: arguments.bases,
            tables: arguments.tables,
            fields: arguments.fields,
            filter: arguments.formula,
            limit: arguments.limit,
            cursor: arguments.cursor,
            mode: arguments.mode,
            minScore: arguments.minScore
        )
        return FoundRecords(try await search.search(request, context: context))
    }

    func text(of answer: FoundRecords) -> String { answer.text }
    func advice(of answer: FoundRecords) -> String? { answer.advice(none: "No record was found.") }
    func links(of answer: FoundRecords) -> [ResourceLink] { answer.links }
}
