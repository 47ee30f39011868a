import Airtable
import Domain

struct CreateFieldTool: WritingTool {
    let desk: WriteDesk

    let name = "create_field"
    let title = "Create a field"
    let description = "Adds a field to a table: a column, a link, a formula. describe_table shows types in use."
    let annotations = ToolAnnotations.adding
    let permission = Permission.schemaWrite
    let toolset = Toolset.design

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var name: String
        var type: String
        var description: String?
        var options: JSONValue?
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "name": .string(description: "Of the field."),
                "type": .string(description: "singleLineText, number, singleSelect, …"),
                "description": .string(),
                "options": .anyObject.described(
                    "{choices: [{name}]}, {linkedTableId}, {formula}, {precision}, …"
                ),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["base", "table", "name", "type"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(made: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        var wire: JSONObject = ["name": .string(arguments.name), "type": .string(arguments.type)]
        wire["description"] = arguments.description.map { .string($0) }
        wire["options"] = arguments.options
        return WriteDesk.Request(.createField(.object(wire), in: place.table.id), place)
    }
}
