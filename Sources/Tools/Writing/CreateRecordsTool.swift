import Airtable
import Domain

struct CreateRecordsTool: WritingTool {
    let desk: WriteDesk

    let name = "create_records"
    let title = "Create records"
    let description = """
        Makes records, all or none; more than 10 only when the user agrees. describe_table shows what each field takes. \
        To change those that are there use update_records, to do either upsert_records.
        """
    let annotations = ToolAnnotations.adding
    let permission = Permission.recordsWrite
    let toolset = Toolset.records

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var records: [JSONObject]
        var typecast: Bool?
        var dryRun: Bool?
        var confirm: String?
        var idempotencyKey: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase, "table": .writtenTable,
                "records": .array(
                    of: .cells(),
                    description: "Cells by field name, as Airtable's API has them.",
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
        let drafts = arguments.records.map { RecordDraft(fields: $0) }
        let typecast = arguments.typecast ?? false
        return WriteDesk.Request(.create(drafts, in: place.table.id, typecast: typecast), place)
    }
}
