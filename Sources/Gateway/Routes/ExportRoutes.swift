import Airtable
import Domain
import Foundation
import HTTPTypes

/// Tables and bases as files.
///
/// The file is one snapshot, written to disk first and then sent: who reads slowly holds no transaction open, and what can
/// be refused is refused before the head is out.
enum ExportRoutes {
    static let all = [table, base]

    private static let table = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}/tables/{tableId}/export",
        name: "exportTable",
        summary: "A table's records as a file: CSV, or JSON Lines.",
        query: [
            QueryParameter("format", "The file's format.", .string(enum: TableExport.Format.allCases.map(\.rawValue))),
            QueryParameter("fields[]", "Only these fields, by name or identifier; may be given again.", .string()),
            QueryParameter("filterByFormula", "Only records for which this formula is true.", .string()),
            QueryParameter("maxRecords", "Records at most.", .integer(minimum: 1)),
            QueryParameter("sort[0][field]", "Sort by this field; `sort[1][field]` next.", .string()),
            QueryParameter("sort[0][direction]", "In this direction.", .string(enum: ["asc", "desc"])),
            QueryParameter("view", "The records and the order of this view, by name or identifier.", .string()),
            QueryParameter("returnFieldsByFieldId", "Whether fields are named by their identifiers.", .boolean()),
            QueryParameter(
                "cellFormat",
                "Values, or the text people read, which is CSV's default.",
                .string(enum: ["json", "string"])
            ),
            QueryParameter("timeZone", "For dates in formulas and text; UTC without it.", .string()),
            QueryParameter("userLocale", "For dates in text; `en-us` without it.", .string()),
            QueryParameter(
                "escapeFormulas",
                "CSV: whether a text that a spreadsheet would run as a formula gets an apostrophe in front.",
                JSONSchema(json: ["type": "boolean", "default": true])
            ),
        ],
        readsQuery: true,
        reply: .file("text/csv; charset=utf-8", or: "application/x-ndjson", "The file."),
        problems: [.notFound],
        timeout: Limits.portingTime,
        endsWithClient: true,
        handler: .requires(.recordsRead) { call, context in
            let export = try export(call.airtableQuery())
            let table = try await call.table(context)
            let file = try call.services.spool.makeFile(byteLimit: Limits.exportBytes)
            _ = try await call.services.airtable.export(
                export,
                of: table.id,
                to: file,
                address: call.attachmentAddress(table.fields, context),
                context: context
            )
            return reply(
                file,
                contentType: export.format == .csv ? "text/csv; charset=utf-8" : "application/x-ndjson",
                name: "\(table.name).\(export.format.rawValue)"
            )
        }
    )

    private static let base = Route(
        .get,
        "/api/v1/airtable/bases/{baseId}/export",
        name: "exportBase",
        summary: "A base with its tables and records as one file of JSON Lines, which an import makes a base of again.",
        reply: .file("application/x-ndjson", "The file."),
        problems: [.notFound],
        timeout: Limits.portingTime,
        endsWithClient: true,
        handler: .requires(.recordsRead) { call, context in
            let base = try await call.reads.base(call.baseID.description, context: context)
            let file = try call.services.spool.makeFile(byteLimit: Limits.exportBytes)
            _ = try await call.services.airtable.export(base: base.id, to: file, context: context)
            return reply(file, contentType: "application/x-ndjson", name: "\(base.name).base.jsonl")
        }
    )

    private static func export(_ parameters: AirtableQuery) throws(AirtableRefusal) -> TableExport {
        guard let format = TableExport.Format(rawValue: parameters.text("format")?.lowercased() ?? "csv") else {
            throw .invalid("format must be csv or jsonl.")
        }
        let request = try ListRequest(parameters)
        if request.format.countsComments { throw .invalid("recordMetadata is not taken here.") }
        let isText = parameters.text("cellFormat") == nil ? format == .csv : request.format.text != nil
        return TableExport(
            format: format,
            cells: isText
                ? .texts(timeZone: request.query.timeZone ?? "utc", locale: request.query.locale ?? "en-us") : .values,
            query: request.query,
            byFieldID: request.format.byFieldID,
            guardsFormulas: try parameters.flag("escapeFormulas") ?? true
        )
    }

    /// Sends `file` a piece at a time, as the client takes them.
    static func reply(_ file: SpooledFile, contentType: String, name: String) -> Reply {
        let headers: HTTPFields = [
            .contentDisposition: ContentDisposition.attachment(name), .contentLength: "\(file.byteCount)",
        ]
        return .stream(contentType: contentType, headers: headers) { writer in
            var offset: Int64 = 0
            while offset < file.byteCount {
                let bytes = try file.read(at: offset, count: 1 << 16)
                if bytes.isEmpty { throw GatewayError(.bodyInterrupted, "The file is shorter than it was.") }
                try await writer.write(bytes)
                offset += Int64(bytes.count)
            }
        }
    }
}

/// How a file's name is told (RFC 6266).
enum ContentDisposition {
    static func attachment(_ name: String) -> String {
        let plain = String(name.unicodeScalars.prefix(200).map { isPlain($0) ? Character($0) : "_" })
        let whole = name.utf8.prefix(400).map { byte in
            isPlain(Unicode.Scalar(byte)) && byte != 0x20
                ? String(Unicode.Scalar(byte)) : String(format: "%%%02X", byte)
        }
        return "attachment; filename=\"\(plain)\"; filename*=UTF-8''\(whole.joined())"
    }

    /// What needs no escape in either form.
    private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
        guard scalar.isASCII else { return false }
        return scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) || "-_. ".unicodeScalars.contains(scalar)
    }
}
