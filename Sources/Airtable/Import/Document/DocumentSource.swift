import Domain

/// The lines of a base document, one at a time; see `BaseDocument`.
final class DocumentSource {
    enum Line {
        case base(id: BaseID, name: String)
        case table(JSONValue)
        case record(DocumentRecord)
        case end(tables: Int, records: Int)
    }

    private let path: String
    private var bytes: ByteSource
    private var buffer: [UInt8] = []
    /// Of the line given last, counted from 1.
    private(set) var line = 0

    var consumedBytes: Int64 { bytes.consumed }
    var totalBytes: Int64 { bytes.byteCount }

    init(path: String) throws(ImportError) {
        self.path = path
        bytes = try ByteSource(path: path)
    }

    /// Whether the file says of itself that it is a base document. Reads its beginning only.
    static func isOne(_ path: String) throws(ImportError) -> Bool {
        var bytes = try ByteSource(path: path)
        for expected in BaseDocument.opening {
            guard try bytes.next() == expected else { return false }
        }
        return true
    }

    /// - Throws: `malformedFile` with the line.
    func next() throws(ImportError) -> Line? {
        while try bytes.peek() != nil {
            line += 1
            buffer.removeAll(keepingCapacity: true)
            var isWhole = false
            while !isWhole, buffer.count <= Limits.baseDocumentLineBytes {
                try bytes.take(into: &buffer) { $0 == UInt8(ascii: "\n") }
                isWhole = try bytes.peek().map { $0 == UInt8(ascii: "\n") } ?? true
            }
            _ = try bytes.next()
            guard isWhole else { throw malformed("the line is longer than \(Limits.baseDocumentLineBytes) bytes") }
            if buffer.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            return try read(buffer)
        }
        return nil
    }

    func malformed(_ problem: String) -> ImportError { .malformedFile(path, line: line, problem) }

    private static let limits = JSONLimits(
        bytes: Limits.baseDocumentLineBytes,
        elements: 8_000_000,
        stringBytes: Limits.jsonBytes
    )

    private func read(_ bytes: [UInt8]) throws(ImportError) -> Line {
        let json: JSONValue
        do { json = try JSONValue(parsing: bytes, limits: Self.limits) } catch {
            throw malformed("not JSON: \(error.message)")
        }
        if json["pyairtable"] == "base" {
            guard json["version"]?.intValue == BaseDocument.version else {
                throw malformed("expected version \(BaseDocument.version) of a base document")
            }
            guard let id = json["id"]?.stringValue.flatMap({ BaseID($0) }), let name = json["name"]?.stringValue else {
                throw malformed("expected \"id\" and \"name\" of a base")
            }
            return .base(id: id, name: name)
        }
        if let table = json["table"] { return .table(table) }
        if let end = json["end"] {
            guard let tables = end["tables"]?.intValue, let records = end["records"]?.intValue else {
                throw malformed("expected numbers of tables and records")
            }
            return .end(tables: tables, records: records)
        }
        guard let table = json["tableId"]?.stringValue, let id = json["id"]?.stringValue.flatMap({ RecordID($0) }),
            let created = json["createdTime"]?.stringValue.flatMap({ Instant(iso8601: $0) }),
            let fields = json["fields"]?.objectValue
        else { throw malformed("expected a record with tableId, id, createdTime and fields, a table, or the end") }
        return .record(DocumentRecord(table: table, id: id, created: created, fields: fields))
    }
}

/// A record as a document has it.
struct DocumentRecord {
    /// As the document calls it.
    let table: String
    let id: RecordID
    let created: Instant
    /// By the document's identifiers of fields.
    let fields: JSONObject
}
