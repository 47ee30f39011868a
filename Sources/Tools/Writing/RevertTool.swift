import Airtable
import Domain

struct RevertTool: WritingTool {
    let desk: WriteDesk

    let name = "revert"
    let title = "Take a change back"
    let description = """
        Takes one transaction of the change log back: every cell as it was before. The user is always asked. What \
        was changed since is told and not overwritten: then nothing is done. New tables, and changes of fields, stay.
        """
    let annotations = ToolAnnotations.overwriting(isIdempotent: false)
    let permission = Permission.recordsWrite
    let toolset = Toolset.history

    struct Arguments: WriteArguments {
        var transaction: Int64
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "transaction": .integer(description: "As the answer of the change gave it.", minimum: 1),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["transaction"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(conflicts: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        WriteDesk.Request(.undo(transaction: arguments.transaction), in: "the change log")
    }
}
