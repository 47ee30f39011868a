import Domain
import Search

struct AskTool: Tool {
    let answers: AnswerExtractor

    let name = "ask"
    let title = "Ask the records"
    let description = """
        Answers a question in the records' own words: the sentences and cells that answer, each with its record and \
        field, or that the records do not say. Made without a language model. For what to count or add up, use \
        aggregate_records.
        """
    let permission = Permission.search
    let toolset = Toolset.knowledge

    struct Arguments: WireType {
        var question: String
        var bases: [String]?
        var tables: [String]?

        static var schema: JSONSchema {
            .object(
                properties: [
                    "question": .string(
                        description: "One question, in plain words.",
                        minLength: 1,
                        maxLength: Limits.queryCharacters
                    ),
                    "bases": .array(
                        of: .string(description: "Name or id of a base."),
                        description: "Look only in these bases. All bases unless given.",
                        maxItems: Limits.searchPlaces
                    ),
                    "tables": .array(
                        of: .string(description: "Name or id of a table."),
                        description: "Look only in these tables. All tables unless given.",
                        maxItems: Limits.searchPlaces
                    ),
                ],
                required: ["question"]
            )
        }
    }

    typealias Answer = ExtractedAnswer

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> ExtractedAnswer {
        try await answers.answer(
            arguments.question,
            bases: arguments.bases,
            tables: arguments.tables,
            context: context
        )
    }

    func text(of answer: ExtractedAnswer) -> String { answer.text }
}
