import Airtable
import Domain

struct UpdateRecordsTool: WritingTool {
    let desk: WriteDesk

    let name = "update_records"
    let title = "Change records"
    let description = """
        Sets cells of records, all or none; cells that are not named stay, null empties one. The user is asked when \
        something is overwritten, or more than 10 records change. The answer's transaction takes it back, by revert.
        """
    let annotations = ToolAnnotations.overwriting(isIdempotent: true)
    let permission = Permission.recordsWrite
    let toolset = Toolset.records

    struct Arguments: WriteArguments {
        struct Update: Codable, Sendable {
            var recordId: String
            var fields: JSONObject
        }

        var base: String
        var table: String
        var records: [Update]
        var typecast: Bool?
        var dryRun: Bool?
        var confirm: String?
        var idempotencyKey: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "records": .array(
                    of: .object(
                        properties: [
                            "recordId": .writtenRecordArgument,
                            "fields": .cells("Cells by name, as Airtable's API has them."),
                        ],
                        required: ["recordId", "fields"]
                    ),
                    description: "Their new cells.",
                    minItems: 1,
                    maxItems: Limits.proposedRecords
                ),
                "typecast": .typecastArgument, "dryRun": .dryRunArgument, "confirm": .confirmArgument,
                "idempotencyKey": .idempotencyKeyArgument,
            ],
            required: ["base", "table", "records"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(records: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        var updates: [RecordUpdate] = []
        for update in arguments.records {
            updates.append(RecordUpdate(id: try Self.record(update.recordId), fields: update.fields))
        }
        guard Set(updates.map(\.id)).count == updates.count else {
            throw WritingError(
                .invalidArgument,
                "A record is named twice.",
                hint: "put all of its cells into one entry"
            )
        }
        let typecast = arguments.typecast ?? false
        return WriteDesk.Request(.update(updates, in: place.table.id, typecast: typecast), place)
    }
}
