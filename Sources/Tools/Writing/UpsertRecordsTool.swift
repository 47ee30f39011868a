import Airtable
import Domain

struct UpsertRecordsTool: WritingTool {
    let desk: WriteDesk

    let name = "upsert_records"
    let title = "Change or create records"
    let description = """
        For each entry changes the record with the same values in the merge fields, or makes one when there is none; all \
        or none. The user is asked when something is overwritten, or more than 10 records change.
        """
    let annotations = ToolAnnotations.overwriting(isIdempotent: true)
    let permission = Permission.recordsWrite
    let toolset = Toolset.records

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var mergeOn: [String]
        var records: [JSONObject]
        var typecast: Bool?
        var dryRun: Bool?
        var confirm: String?
        var idempotencyKey: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "mergeOn": .array(
                    of: .string(),
                    description: "Fields that tell which record is meant.",
                    minItems: 1,
                    maxItems: 3
                ),
                "records": .array(
                    of: .cells(),
                    description: "Cells by field name, as Airtable's API has them.",
                    minItems: 1,
                    maxItems: Limits.proposedRecords
                ),
                "typecast": .typecastArgument, "dryRun": .dryRunArgument, "confirm": .confirmArgument,
                "idempotencyKey": .idempotencyKeyArgument,
            ],
            required: ["base", "table", "mergeOn", "records"]
        )
    }

    var answerSchema: JSONSchema { WriteAnswer.schema(records: true) }

    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request {
        let place = try await place(arguments.table, in: arguments.base, context)
        let upserts = arguments.records.map { RecordUpsert(fields: $0) }
        let operation = ProposedOperation.upsert(
            upserts,
            mergeOn: arguments.mergeOn,
            in: place.table.id,
            typecast: arguments.typecast ?? false
        )
        return WriteDesk.Request(operation, place)
    }
}
