import Airtable
import Domain

struct UpdateTableTool: WritingTool {
    let desk: WriteDesk

    let name = "update_table"
    let title = "Rename or describe a table"
    let description = "Renames a table or describes it anew. The user is always asked."
    let annotations = ToolAnnotations.overwriting(isIdempotent: true)
    let permission = Permission.schemaWrite
    let toolset = Toolset.design

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var name: String?
        var description: String?
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "name": .string(),
                "description": .string(description: "Empty takes it away."),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["base", "table"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(made: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        let update = TableUpdate(name: arguments.name, description: arguments.description)
        return WriteDesk.Request(.updateTable(update, of: place.table.id), place)
    }
}
