import Airtable
import Domain

struct CreateTableTool: WritingTool {
    let desk: WriteDesk

    let name = "create_table"
    let title = "Create a table"
    let description = "Adds a table with its fields to a base. A link makes its field on the other side too."
    let annotations = ToolAnnotations.adding
    let permission = Permission.schemaWrite
    let toolset = Toolset.design

    struct Arguments: WriteArguments {
        var base: String
        var name: String
        var description: String?
        var fields: [JSONValue]
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase,
                "name": .string(description: "Of the table."),
                "description": .string(), "fields": .fieldDrafts,
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["base", "name", "fields"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(made: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let base = try await desk.airtable.reads(by: permission).base(arguments.base, context: context)
        var wire: JSONObject = ["name": .string(arguments.name), "fields": .array(arguments.fields)]
        wire["description"] = arguments.description.map { .string($0) }
        return WriteDesk.Request(.createTable(.object(wire), in: base.id), in: "base \(base.name)")
    }
}
