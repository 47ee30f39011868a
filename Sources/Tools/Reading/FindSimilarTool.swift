import Domain
import Search

struct FindSimilarTool: Tool {
    let search: SearchService

    let name = "find_similar"
    let title = "Find similar records"
    let description = """
        Finds the records most like one record, by meaning: duplicates, related cases, alternatives. Over all bases unless \
        you name some.
        """
    let permission = Permission.search
    let toolset = Toolset.search

    struct Arguments: WireType {
        var recordId: String
        var bases: [String]?
        var tables: [String]?
        var minScore: Double?
        var limit: Int?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "recordId": .recordArgument, "bases": .basesArgument, "tables": .tablesArgument,
                    "minScore": .number(),
                    "limit": .limitArgument("Hits", default: SearchRequest.limitDefault, max: Limits.searchHits),
                ],
                required: ["recordId"]
            )
        }
    }

    typealias Answer = FoundRecords

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> FoundRecords {
        let request = SimilarRequest(
            recordID: try RecordID.read(arguments.recordId).description,
            bases: arguments.bases,
            tables: arguments.tables,
            limit: arguments.limit,
            minScore: arguments.minScore
        )
        return FoundRecords(try await search.similar(request, context: context))
    }

    func text(of answer: FoundRecords) -> String { answer.text }
    func advice(of answer: FoundRecords) -> String? { answer.advice(none: "No similar record was found.") }
    func links(of answer: FoundRecords) -> [ResourceLink] { answer.links }
}
