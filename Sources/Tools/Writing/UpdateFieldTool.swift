import Airtable
import Domain

struct UpdateFieldTool: WritingTool {
    let desk: WriteDesk

    let name = "update_field"
    let title = "Change a field"
    let description = """
        Renames a field, describes it anew or changes its options, such as choices or formula; its type stays. The user \
        is always asked. Choices are the whole list in its new order, those there with their id.
        """
    let annotations = ToolAnnotations.overwriting(isIdempotent: true)
    let permission = Permission.schemaWrite
    let toolset = Toolset.design

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var field: String
        var name: String?
        var description: String?
        var options: JSONValue?
        var deletesChoices: Bool?
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "field": .string(description: "Name or id of the field.", minLength: 1),
                "name": .string(),
                "description": .string(),
                "options": .anyObject.described("Those that change."),
                "deletesChoices": .boolean(description: "Delete choices left out."),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["base", "table", "field"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(made: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        guard let field = place.table.field(arguments.field) else {
            let nearest = Spelling.nearest(to: arguments.field, among: place.table.fields.map(\.name))
            throw WritingError(
                .invalidArgument,
                "There is no field '\(arguments.field.prefix(255))' in table \(place.table.name).",
                hint: nearest.map { "did you mean '\($0)'?" }
            )
        }
        var wire = JSONObject()
        wire["name"] = arguments.name.map { .string($0) }
        wire["description"] = arguments.description.map { .string($0) }
        wire["options"] = arguments.options
        if arguments.deletesChoices == true { wire["enableSelectFieldChoiceDeletion"] = true }
        return WriteDesk.Request(.updateField(.object(wire), of: field.id, in: place.table.id), place)
    }
}
