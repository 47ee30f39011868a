import Domain

/// The columns of JSON objects: the keys seen so far, in order of first appearance.
private struct ColumnTable {
    private(set) var names: [String] = []
    private var positions: [String: Int] = [:]

    mutating func position(of name: String) -> Int {
        if let position = positions[name] { return position }
        positions[name] = names.count
        names.append(name)
        return names.count - 1
    }

    /// - Parameter given: an object of cells by name; or a record as the API gives it, of which its `fields` are taken.
    mutating func row(_ given: JSONObject, line: Int) -> SourceRow {
        let object = given.recordFields ?? given
        var values: [(column: Int, value: JSONValue)] = []
        values.reserveCapacity(object.count)
        for (key, value) in object {
            let column = position(of: key)
            if !value.isBlank { values.append((column, value)) }
        }
        return SourceRow(line: line, values: values)
    }
}

extension JSONObject {
    /// `{"id","createdTime","fields"}` has cells under `fields`; nil for what is no such record.
    fileprivate var recordFields: JSONObject? {
        guard count <= 4, let fields = self["fields"]?.objectValue,
            self["id"]?.stringValue.flatMap({ RecordID($0) }) != nil,
            allSatisfy({ ["id", "createdTime", "fields", "commentCount"].contains($0.key) })
        else { return nil }
        return fields
    }
}

extension JSONValue {
    /// What Airtable would not store: null, "" and [].
    var isBlank: Bool {
        switch self {
        case .null, .string(""): true
        case .array(let elements): elements.isEmpty
        default: false
        }
    }
}

/// JSON Lines: one object a line.
final class JSONLinesSource: RowSource {
    private let path: String
    private var bytes: ByteSource
    private var table = ColumnTable()
    private var line = 0
    private var buffer: [UInt8] = []

    var columns: [String] { table.names }
    var consumedBytes: Int64 { bytes.consumed }
    var totalBytes: Int64 { bytes.byteCount }
    private(set) var canResume = true

    init(path: String) throws(ImportError) {
        self.path = path
        bytes = try ByteSource(path: path)
        try bytes.checkEncoding()
    }

    func next() throws(ImportError) -> SourceRow? {
        while try bytes.peek() != nil {
            line += 1
            buffer.removeAll(keepingCapacity: true)
            try bytes.take(into: &buffer) { $0 == UInt8(ascii: "\n") }
            guard buffer.count <= Limits.jsonBytes else {
                canResume = false
                throw .malformedFile(path, line: line, "the line is longer than \(Limits.jsonBytes) bytes")
            }
            _ = try bytes.next()
            if buffer.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            return table.row(try parseObject(buffer, path: path, line: line), line: line)
        }
        return nil
    }
}

/// A JSON array of objects, taken apart one element at a time, so that the file need not fit in memory.
final class JSONArraySource: RowSource {
    private let path: String
    private var bytes: ByteSource
    private var table = ColumnTable()
    private var line = 1
    private var count = 0
    private var isFinished = false

    var columns: [String] { table.names }
    var consumedBytes: Int64 { bytes.consumed }
    var totalBytes: Int64 { bytes.byteCount }
    private(set) var canResume = true

    init(path: String) throws(ImportError) {
        self.path = path
        bytes = try ByteSource(path: path)
        try bytes.checkEncoding()
        guard try takeToken() == UInt8(ascii: "[") else {
            throw .malformedFile(path, line: line, "expected an array of objects")
        }
    }

    func next() throws(ImportError) -> SourceRow? {
        if isFinished { return nil }
        guard var token = try takeToken() else { throw broken("the array is never closed") }
        if token == UInt8(ascii: "]") { return try finish() }
        if count > 0 {
            guard token == UInt8(ascii: ",") else { throw broken("expected a comma between two objects") }
            guard let following = try takeToken() else { throw broken("the array is never closed") }
            token = following
        }
        guard token == UInt8(ascii: "{") else { throw broken("expected an object") }
        count += 1
        let start = line
        let element = try takeElement()
        return table.row(try parseObject(element, path: path, line: start), line: start)
    }

    private func finish() throws(ImportError) -> SourceRow? {
        isFinished = true
        if try takeToken() != nil { throw broken("something follows the array") }
        return nil
    }

    private func broken(_ problem: String) -> ImportError {
        canResume = false
        return .malformedFile(path, line: line, problem)
    }

    /// The next byte that is not white space.
    private func takeToken() throws(ImportError) -> UInt8? {
        while let byte = try bytes.next() {
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case 0x20, 0x09, 0x0D: continue
            default: return byte
            }
        }
        return nil
    }

    /// The bytes of the object whose brace was just taken: braces are counted outside strings.
    private func takeElement() throws(ImportError) -> [UInt8] {
        var element: [UInt8] = [UInt8(ascii: "{")]
        var depth = 1
        var inString = false
        while depth > 0 {
            guard let byte = try bytes.next() else { throw broken("an object is never closed") }
            element.append(byte)
            switch byte {
            case UInt8(ascii: "\n"): line += 1
            case UInt8(ascii: "\""): inString.toggle()
            case UInt8(ascii: "\\") where inString:
                if let escaped = try bytes.next() { element.append(escaped) }
            case UInt8(ascii: "{") where !inString, UInt8(ascii: "[") where !inString: depth += 1
            case UInt8(ascii: "}") where !inString, UInt8(ascii: "]") where !inString: depth -= 1
            default: break
            }
            guard element.count <= Limits.jsonBytes else {
                throw broken("an object is larger than \(Limits.jsonBytes) bytes")
            }
        }
        return element
    }
}

private func parseObject(_ bytes: [UInt8], path: String, line: Int) throws(ImportError) -> JSONObject {
    do {
        guard case .object(let object) = try JSONValue(parsing: bytes) else {
            throw ImportError.malformedRow(path, line: line, "expected an object")
        }
        return object
    } catch let error as JSONError {
        // Its position is one inside the object: only the line can be told of the file.
        let reason =
            error.position == nil ? error.message[...] : error.message.split(separator: ": ", maxSplits: 1).last
        throw .malformedRow(
            path,
            line: line + (error.position?.line ?? 1) - 1,
            reason.map(String.init) ?? error.message
        )
    } catch let error as ImportError {
        throw error
    } catch {
        throw .malformedRow(path, line: line, "not JSON")
    }
}
