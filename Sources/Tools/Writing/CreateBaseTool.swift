import Airtable
import Domain

struct CreateBaseTool: WritingTool {
    let desk: WriteDesk

    let name = "create_base"
    let title = "Create a base"
    let description = "Makes a base with its tables and fields. Tables may link to each other by name."
    let annotations = ToolAnnotations.adding
    let permission = Permission.schemaWrite
    let toolset = Toolset.design

    struct Arguments: WriteArguments {
        var name: String
        var tables: [JSONValue]
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "name": .string(description: "Of the base."),
                "tables": .array(
                    of: .object(
                        properties: ["name": .string(), "description": .string(), "fields": .fieldDrafts],
                        required: ["name", "fields"]
                    ),
                    description: "Its tables.",
                    minItems: 1,
                    maxItems: 100
                ),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["name", "tables"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(made: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        WriteDesk.Request(.createBase(name: arguments.name, tables: arguments.tables), in: arguments.name)
    }
}
