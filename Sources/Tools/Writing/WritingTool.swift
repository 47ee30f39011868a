import Airtable
import Domain

/// What the arguments of every writing tool have.
protocol WriteArguments: WireType {
    var dryRun: Bool? { get }
    var confirm: String? { get }
    var idempotencyKey: String? { get }
}

extension WriteArguments {
    var idempotencyKey: String? { nil }
}

/// A tool that changes something, by one operation that is proposed first.
protocol WritingTool: Tool where Arguments: WriteArguments, Answer == WriteAnswer {
    var desk: WriteDesk { get }

    /// What is asked for, with names resolved by what the caller may see.
    func request(_ arguments: Arguments, context: RequestContext) async throws -> WriteDesk.Request
}

extension WritingTool {
    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> WriteAnswer {
        let answer = try await desk.write(name, arguments, caller: caller, context: context) {
            try await request(arguments, context: context)
        }
        await answer.log(by: name, to: caller)
        return answer
    }

    func text(of answer: WriteAnswer) -> String { answer.text }

    var argumentsSchema: JSONSchema { .writing(Arguments.schema, mode: desk.mode) }

    func place(_ table: String, in base: String, _ context: RequestContext) async throws -> (base: Base, table: Table) {
        try await desk.airtable.reads(by: permission).place(table, in: base, context)
    }

    static func record(_ text: String) throws(AirtableError) -> RecordID {
        guard let id = RecordID(text) else {
            throw AirtableError(.invalidRecordID, "A record's id is rec and 14 letters or digits.")
        }
        return id
    }
}

extension ToolAnnotations {
    /// Makes something new, and leaves what is there alone.
    static let adding = ToolAnnotations(
        readOnlyHint: false,
        destructiveHint: false,
        idempotentHint: false,
        openWorldHint: false
    )

    /// May overwrite or remove.
    ///
    /// - Parameter isIdempotent: whether doing it twice is doing it once.
    static func overwriting(isIdempotent: Bool) -> ToolAnnotations {
        ToolAnnotations(
            readOnlyHint: false,
            destructiveHint: true,
            idempotentHint: isIdempotent,
            openWorldHint: false
        )
    }
}

extension JSONSchema {
    /// `schema` with the arguments that every writing tool has: `confirm` only where a hash is taken.
    static func writing(_ schema: JSONSchema, mode: WriteMode) -> JSONSchema {
        guard mode != .dryRun, var members = schema.json.objectValue,
            var properties = members["properties"]?.objectValue
        else { return schema }
        properties["confirm"] = nil
        members["properties"] = .object(properties)
        return JSONSchema(json: .object(members))
    }

    /// The catalogue is paid for in every conversation: shorter than where they are looked for.
    static let writtenBase = baseArgument.described("Name or id of the base.")
    static let writtenTable = tableArgument.described("Name or id of the table.")

    /// Only tells what would change.
    static let dryRunArgument = JSONSchema.boolean()
    static let confirmArgument = JSONSchema.string(
        description: "Hash of the dry run that the user agreed to.",
        maxLength: 64
    )
    /// A call repeated with the same one is done once.
    static let idempotencyKeyArgument = JSONSchema.string(maxLength: 255)
    static let typecastArgument = JSONSchema.boolean(
        description: "Convert texts."
    )
    static let writtenRecordArgument = JSONSchema.string(description: "rec…", minLength: 17, maxLength: 17)

    /// Cells by field.
    static func cells(_ description: String? = nil) -> JSONSchema {
        var members: JSONObject = ["type": "object", "properties": [:]]
        members["description"] = description.map { .string($0) }
        return JSONSchema(json: .object(members))
    }

    static let fieldDrafts = JSONSchema.array(
        of: .object(
            properties: [
                "name": .string(), "type": .string(), "description": .string(), "options": .anyObject,
            ],
            required: ["name", "type"]
        ),
        description: "The first names the records. options: see create_field.",
        minItems: 1,
        maxItems: Limits.fieldsPerTable
    )
}
