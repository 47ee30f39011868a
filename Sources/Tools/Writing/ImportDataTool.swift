import Access
import Airtable
import Domain
import Foundation

/// The one writing tool that is no `ProposedOperation`: rows come in through the importer, which reads, decides and publishes
/// them in its own way. It is agreed to by the same `Consent`.
struct ImportDataTool: Tool {
    let desk: WriteDesk
    /// Nil where no files are read.
    let root: ImportRoot?

    let name = "import_data"
    let title = "Import rows"
    let description = """
        Adds rows of CSV or JSON to a table, or makes a table of them when there is none of that name; any number, all or \
        none. Columns are matched by field name. More than 10 only when the user agrees. revert takes up to \
        \(Limits.proposedRecords) rows back, a new table not.
        """
    let annotations = ToolAnnotations.adding
    let permission = Permission.recordsWrite
    let toolset = Toolset.records

    struct Arguments: WriteArguments {
        var base: String
        var table: String
        var format: String
        var content: String?
        var file: String?
        var skipBadRows: Bool?
        var dryRun: Bool?
        var confirm: String?

        static let schema = JSONSchema.object(
            properties: [
                "base": .writtenBase,
                "table": .string(
                    description: "Name or id of a table, or the name of a new one.",
                    minLength: 1,
                    maxLength: Limits.nameCharacters
                ),
                "format": .string(description: "Of the content.", enum: formats),
                "content": .string(description: "The rows; CSV with a header, JSON an array of objects."),
                "file": .string(description: "In place of content: a file below the import directory."),
                "skipBadRows": .boolean(),
                "dryRun": .dryRunArgument, "confirm": .confirmArgument,
            ],
            required: ["base", "table", "format"]
        )

        static let formats = ["csv", "tsv", "json", "jsonl"]
    }

    typealias Answer = WriteAnswer

    var answerSchema: JSONSchema { WriteAnswer.schema(records: true, made: true) }

    var argumentsSchema: JSONSchema {
        let schema = JSONSchema.writing(Arguments.schema, mode: desk.mode)
        guard root == nil, var members = schema.json.objectValue, var properties = members["properties"]?.objectValue
        else { return schema }
        properties["file"] = nil
        members["properties"] = .object(properties)
        members["required"] = ["base", "table", "format", "content"]
        return JSONSchema(json: .object(members))
    }

    func text(of answer: WriteAnswer) -> String { answer.text }

    /// What is to be imported, and where.
    private struct Target {
        let base: Base
        /// Nil for a new one.
        let table: Table?
        let name: String
        let permission: Permission

        var place: String { "\(table?.name ?? name) (base \(base.name))" }
    }

    func run(_ arguments: Arguments, caller: any ToolCaller, context: RequestContext) async throws -> WriteAnswer {
        let answer = try await write(arguments, caller, context)
        await answer.log(by: name, to: caller)
        return answer
    }

    private func write(
        _ arguments: Arguments,
        _ caller: any ToolCaller,
        _ context: RequestContext
    ) async throws -> WriteAnswer {
        guard let spool = desk.services.spool else {
            throw WritingError(.notAvailable, "This server imports nothing.", hint: "use create_records")
        }
        let target = try await target(arguments, context)
        let file = try spooled(arguments, spool)
        let importer = Importer(service: desk.airtable, context: context, by: target.permission)
        let upload = ImportUpload(file: file, name: "the content")
        var options = ImportOptions(mode: .append, skipsBadRows: arguments.skipBadRows ?? false, isDryRun: true)
        let table = target.table?.id.description ?? target.name
        let preview = try await importer.run(upload, intoTable: table, of: target.base, options: options)
        let rows = preview.tables.reduce(0) { $0 + $1.rowCount }
        let request = try await question(arguments, preview, target, file, context)
        if arguments.dryRun == true {
            if desk.mode == .dryRun {
                desk.consent.handed.add(request.hash, until: request.expires, now: desk.services.now(), for: context)
            }
            let asks = desk.consent.isNeeded(for: request, context: context)
            return proposed(preview, rows, target, request, asks: asks)
        }
        let answer = try await desk.consent.to(request, confirm: arguments.confirm, caller: caller, context: context)
        guard answer == .given else {
            return WriteAnswer(.declined, text: "The user did not agree. Nothing was imported.")
        }
        await caller.report(ToolProgress(done: 0, total: Double(rows), message: "read"))
        options.isDryRun = false
        let report = try await importer.run(upload, intoTable: table, of: target.base, options: options)
        await caller.report(ToolProgress(done: Double(rows), total: Double(rows), message: "written"))
        return done(report, target)
    }

    // MARK: Before

    private func target(_ arguments: Arguments, _ context: RequestContext) async throws -> Target {
        let reads = desk.airtable.reads(by: permission)
        let base = try await reads.base(arguments.base, context: context)
        do {
            let table = try await reads.table(arguments.table, in: base.id, context: context)
            return Target(base: base, table: table, name: table.name, permission: permission)
        } catch let error as AirtableError where error.code == .modelNotFound {
            // A new one; an identifier is no name for it.
            guard TableID(arguments.table) == nil else { throw error }
            try context.require(.schemaWrite)
            return Target(base: base, table: nil, name: arguments.table, permission: .schemaWrite)
        }
    }

    private func spooled(_ arguments: Arguments, _ spool: SpoolDirectory) throws -> SpooledFile {
        switch (arguments.content, arguments.file) {
        case (let content?, nil):
            guard content.utf8.count <= Limits.inlineImportBytes else {
                throw WritingError(
                    .invalidArgument,
                    "content has at most \(Limits.inlineImportBytes >> 20) MiB, received \(content.utf8.count) bytes.",
                    hint: "import it in parts"
                )
            }
            let file = try spool.makeFile(ending: arguments.format, byteLimit: Int64(Limits.inlineImportBytes))
            try file.write(content.utf8)
            return file
        case (nil, let name?):
            guard let root else { throw WritingError(.fileRefused, "This server reads no files.") }
            return try root.copy(name, ending: arguments.format, into: spool)
        case (nil, nil), (_?, _?): throw WritingError(.invalidArgument, "Give either content or file.")
        }
    }

    private func question(
        _ arguments: Arguments,
        _ preview: ImportReport,
        _ target: Target,
        _ file: SpooledFile,
        _ context: RequestContext
    ) async throws -> ConsentRequest {
        var digest = ProposalDigest("import 1")
        digest.add([
            .string(context.tenant.description), .string(context.principal.user.description),
            context.principal.key.map { .string($0.description) } ?? .null,
            .string(target.base.id.description), .string(target.table?.id.description ?? target.name),
            .string(arguments.format), .bool(arguments.skipBadRows ?? false),
        ])
        // The bytes themselves: a file may be another by the time somebody has agreed.
        var offset: Int64 = 0
        while offset < file.byteCount {
            let piece = try file.read(at: offset, count: Limits.attachmentPieceBytes)
            if piece.isEmpty { break }
            digest.add(bytes: piece)
            offset += Int64(piece.count)
        }
        digest.add(preview.json["tables"] ?? .null)
        let rows = preview.tables.reduce(0) { $0 + $1.rowCount }
        let isNew = target.table == nil
        let action = "Import \(rows == 1 ? "1 row" : "\(rows) rows")" + (isNew ? " as a new table" : "")
        let columns = preview.tables.flatMap(\.columns)
        var lines = ["\(action) into \(ProposalText.quoted(target.place))?"]
        lines.append("Fields: " + columns.prefix(20).map { ProposalText.quoted($0.name) }.joined(separator: ", "))
        if columns.count > 20 { lines.append("… and \(columns.count - 20) more") }
        if isNew || rows > Limits.proposedRecords { lines.append("revert does not take this import back.") }
        let now = desk.services.now()
        return ConsentRequest(
            hash: digest.text(),
            expires: Instant(microseconds: now.microseconds + Limits.proposalSeconds * 1_000_000),
            message: lines.joined(separator: "\n"),
            action: action,
            isHarmless: rows <= Limits.unaskedRecords
        )
    }

    // MARK: Answers

    private func proposed(
        _ preview: ImportReport,
        _ rows: Int,
        _ target: Target,
        _ request: ConsentRequest,
        asks: Bool
    ) -> WriteAnswer {
        var answer = WriteAnswer(.proposed)
        let columns = preview.tables.flatMap(\.columns)
        var notes = columns.map { "\(ProposalText.quoted($0.name)): \($0.type.rawValue)" }
        notes += skipped(preview)
        answer.proposal = WriteAnswer.Proposal(
            hash: request.hash,
            expires: CellCodec.timestamp(request.expires),
            asks: asks,
            created: rows,
            updated: 0,
            deleted: 0,
            changes: [],
            moreChanges: rows,
            notes: notes
        )
        var lines = [
            "Dry run, nothing was changed. It would: \(request.action), into \(ProposalText.quoted(target.place))."
        ]
        lines += notes
        if desk.mode == .dryRun { lines.append("To do exactly this: confirm: \(request.hash)") }
        return answer.reading(lines.joined(separator: "\n"))
    }

    private func done(_ report: ImportReport, _ target: Target) -> WriteAnswer {
        var answer = WriteAnswer(.done)
        let rows = report.tables.reduce(0) { $0 + $1.rowCount }
        answer.created = rows
        if target.table == nil {
            answer.made = report.tables.compactMap { table in
                table.id.map { WriteAnswer.Made(kind: "table", id: $0.description, name: table.name) }
            }
        }
        answer.transaction = report.transaction
        let notes = skipped(report)
        if !notes.isEmpty { answer.notes = notes }
        var lines = ["Imported \(rows == 1 ? "1 row" : "\(rows) rows") into \(ProposalText.quoted(target.place))."]
        for made in answer.made ?? [] { lines.append("table \(ProposalText.quoted(made.name)) (\(made.id))") }
        lines += notes
        if let transaction = report.transaction {
            lines.append("revert with transaction \(transaction) takes this back.")
        } else if rows > 0 || target.table == nil {
            lines.append("revert does not take this back: \(WayBack.ofImports).")
        }
        return answer.reading(lines.joined(separator: "\n"))
    }

    private func skipped(_ report: ImportReport) -> [String] {
        let count = report.tables.reduce(0) { $0 + $1.skippedCount }
        var notes = count > 0 ? ["\(count) rows were left out:"] : []
        notes += report.skipped.prefix(10).map { HiddenText.visible($0.description) }
        if report.skippedLinkCount > 0 {
            notes.append("\(report.skippedLinkCount) links lead nowhere and were left out.")
        }
        return notes
    }
}
