import Domain
import Search

struct AskTool: Tool {
    let answers: AnswerExtractor

    let name = "ask"
    let title = "Ask the records"
    let description = """
        Answers a question in the records' own words, with where they stand, or says that the records do not tell. Made \
        without a language model. For what to count or add up, use aggregate_records.
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
                    "question": .questionArgument.described("One question, in plain words."), "bases": .basesArgument,
                    "tables": .tablesArgument,
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

    func text(of answer: ExtractedAnswer) -> String { answer.isFound ? answer.text : "" }
    func advice(of answer: ExtractedAnswer) -> String? { answer.isFound ? nil : answer.text }
}
