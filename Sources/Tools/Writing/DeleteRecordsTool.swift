import Airtable
import Domain

struct DeleteRecordsTool: WritingTool {
    let desk: WriteDesk

    let name = "delete_records"
    let title = "Delete records"
    let description = """
        Deletes records, all or none, and takes them out of every link. The user is always asked. The answer's \
        transaction brings them back, by revert.
        """
    let annotations = ToolAnnotations.overwriting(isIdempotent: false)
    let permission = Permission.recordsDelete
    let toolset = Toolset.records

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var recordIds: [String]
        var dryRun: Bool?
        var confirm: String?
        var idempotencyKey: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "recordIds": .array(
                    of: .writtenRecordArgument,
                    description: "Ids of the records.",
                    minItems: 1,
                    maxItems: Limits.proposedRecords
                ),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument, "idempotencyKey": .idempotencyKeyArgument,
            ],
            required: ["base", "table", "recordIds"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(records: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        var ids: [RecordID] = []
        for id in arguments.recordIds { ids.append(try Self.record(id)) }
        return WriteDesk.Request(.delete(ids, in: place.table.id), place)
    }
}
