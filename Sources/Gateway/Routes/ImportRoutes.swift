import Airtable
import Domain
import HTTPTypes

/// Files as bases, tables and records. What is wrong with a file is told with its line, and leaves nothing behind.
enum ImportRoutes {
    static let all = [base, table, records]

    private static let base = Route(
        .post,
        "/api/v1/airtable/import",
        name: "importBase",
        summary: "Makes a base of a file: CSV, JSON, JSON Lines, or a base that was exported.",
        query: [
            QueryParameter("name", "The base's name; an exported base has one.", .string()),
            QueryParameter(
                "mode",
                "What to do when there is a base of that name.",
                .string(enum: ImportMode.allCases.map(\.rawValue))
            ),
        ] + options,
        upload: RouteUpload(sample: "Name,Mass\nHydrogen,1.008\n"),
        reply: .json(ImportReportWire.self, "What was made."),
        problems: [.conflict],
        timeout: Limits.portingTime,
        handler: .requires(.schemaWrite) { call, context in
            guard let mode = ImportMode(rawValue: call.query.text("mode") ?? "create") else {
                throw GatewayError(
                    .invalidParameter,
                    "The query parameter mode is \(ImportMode.allCases.map(\.rawValue))."
                )
            }
            return try await run(call, context) { importer, upload, options in
                var options = options
                options.mode = mode
                options.baseName = call.query.text("name")
                return try await importer.run(upload, options: options)
            }
        }
    )

    private static let table = Route(
        .post,
        "/api/v1/airtable/bases/{baseId}/import",
        name: "importTable",
        summary: "Adds a table made of a file, or its rows to the table of that name.",
        query: [QueryParameter("table", "The table's name or identifier.", .string())] + options,
        upload: RouteUpload(sample: "Name,Mass\nHydrogen,1.008\n"),
        reply: .json(ImportReportWire.self, "What was made."),
        problems: [.notFound, .conflict],
        timeout: Limits.portingTime,
        handler: .requires(.schemaWrite) { call, context in
            guard let name = call.query.text("table"), !name.isEmpty else {
                throw GatewayError(
                    .invalidParameter,
                    "The query parameter table is missing.",
                    hint: "it names the table to be made, or to be added to"
                )
            }
            let base = try await call.reads.base(call.baseID.description, context: context)
            return try await run(call, context) { importer, upload, options in
                try await importer.run(upload, intoTable: name, of: base, options: options)
            }
        }
    )

    private static let records = Route(
        .post,
        "/api/v1/airtable/bases/{baseId}/tables/{tableId}/import",
        name: "importRecords",
        summary: "Adds the rows of a file to a table.",
        query: options,
        upload: RouteUpload(sample: "Name,State\nHydrogen,Gas\n"),
        reply: .json(ImportReportWire.self, "What was added."),
        problems: [.notFound, .conflict],
        timeout: Limits.portingTime,
        handler: .requires(.recordsWrite) { call, context in
            let table = try await call.table(context)
            let base = try await call.reads.base(table.base.description, context: context)
            return try await run(call, context) { importer, upload, options in
                try await importer.run(upload, intoTable: table.id.description, of: base, options: options)
            }
        }
    )

    private static let options = [
        RouteUpload.format,
        QueryParameter("skipBadRows", "Leaves out rows that can't be read and links that lead nowhere.", .boolean()),
        QueryParameter("dryRun", "Reads and decides, and writes nothing.", .boolean()),
    ]

    private static func run(
        _ call: RouteCall,
        _ context: Domain.RequestContext,
        _ body: (Importer, ImportUpload, ImportOptions) async throws -> ImportReport
    ) async throws -> Reply {
        guard let file = call.file else { preconditionFailure("a route with an upload gets a file") }
        let options = ImportOptions(
            skipsBadRows: try call.query.flag("skipBadRows") ?? false,
            isDryRun: try call.query.flag("dryRun") ?? false
        )
        let importer = Importer(service: call.services.airtable, context: context, by: call.permission)
        let report = try await body(importer, ImportUpload(file: file, name: "the file"), options)
        return try .json(ImportReportWire(value: report.json))
    }
}

/// What an import made, as the command line says it too.
struct ImportReportWire: WrittenShape, Hashable {
    let value: JSONValue

    static let schemaName = "ImportReport"
    static let schema = JSONSchema.object(
        properties: [
            "outcome": .string(enum: ["imported", "alreadyThere", "dryRun"]),
            "base": .string(description: "The base's name."),
            "baseId": JSONSchema(json: ["type": ["string", "null"]]),
            "tables": .array(
                of: .object(
                    properties: [
                        "table": .string(), "tableId": JSONSchema(json: ["type": ["string", "null"]]),
                        "records": .integer(minimum: 0), "skipped": .integer(minimum: 0),
                        "fields": .array(
                            of: .object(
                                properties: [
                                    "name": .string(), "type": .string(),
                                    "linkedTable": JSONSchema(json: ["type": ["string", "null"]]),
                                    "primary": .boolean(),
                                ],
                                required: ["name", "type", "linkedTable", "primary"]
                            )
                        ),
                    ],
                    required: ["table", "tableId", "records", "skipped", "fields"]
                )
            ),
            "skipped": .array(of: .string(), description: "Why rows and links were left out; the first of them."),
            "skippedLinks": .integer(minimum: 0),
            "transaction": JSONSchema(json: [
                "type": ["integer", "null"],
                "description": "Of the change log, where undoing it takes the import back; null where nothing does.",
            ]),
        ],
        required: ["outcome", "base", "baseId", "tables", "skipped", "skippedLinks", "transaction"],
        description: "What an import made."
    )
    static let example: JSONValue = [
        "outcome": "imported", "base": "Periodic table", "baseId": .string(Sample.base.description),
        "tables": [
            [
                "table": "Elements", "tableId": .string(Sample.table.description), "records": 118, "skipped": 0,
                "fields": [["name": "Name", "type": "singleLineText", "linkedTable": nil, "primary": true]],
            ]
        ],
        "skipped": [], "skippedLinks": 0, "transaction": 12,
    ]
}
