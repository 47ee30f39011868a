/// A scanned document with its bytes, which typed decoding reads from.
final class JSONDocument: Sendable {
    let bytes: [UInt8]
    let tape: JSONTape

    init(scanning bytes: [UInt8], limits: JSONLimits) throws(JSONError) {
        self.bytes = bytes
        tape = try bytes.withUnsafeBufferPointer { (buffer) throws(JSONError) in
            try JSONTape(scanning: buffer, limits: limits)
        }
    }

    func entry(_ position: Int) -> JSONTape.Entry { tape.entries[position] }

    /// The position after the value at `position`.
    func next(_ position: Int) -> Int { Int(tape.entries[position].next) }

    func isNull(_ position: Int) -> Bool { entry(position).kind == .null }

    func bool(_ position: Int) -> Bool? {
        switch entry(position).kind {
        case .yes: true
        case .no: false
        default: nil
        }
    }

    func string(_ position: Int) -> String? {
        let entry = entry(position)
        guard entry.isString else { return nil }
        return bytes.withUnsafeBufferPointer { tape.string(entry, in: $0) }
    }

    func number(_ position: Int) -> JSONNumber? {
        let entry = entry(position)
        guard entry.kind == .number else { return nil }
        return bytes.withUnsafeBufferPointer { tape.number(entry, in: $0) }
    }

    func double(_ position: Int) -> Double? {
        let entry = entry(position)
        guard entry.kind == .number else { return nil }
        let exact = bytes.withUnsafeBufferPointer { JSONNumber.smallDouble(entry.text(in: $0)) }
        return exact ?? number(position)?.doubleValue
    }

    /// A whole number of few digits, as nearly all are; nil may be one too.
    func smallInteger(_ position: Int) -> Int64? {
        let entry = entry(position)
        guard entry.kind == .number else { return nil }
        return bytes.withUnsafeBufferPointer { JSONNumber.smallInteger(entry.text(in: $0)) }
    }

    func value(_ position: Int) -> JSONValue {
        bytes.withUnsafeBufferPointer { tape.value(at: position, in: $0) }
    }

    func object(_ position: Int) -> JSONObject? {
        guard entry(position).kind == .object else { return nil }
        return bytes.withUnsafeBufferPointer { tape.object(at: position, in: $0) }
    }

    /// The value as it was written.
    func raw(_ position: Int) -> RawJSON {
        let entry = entry(position)
        return RawJSON(scanned: Array(bytes[Int(entry.start)..<Int(entry.end)]))
    }

    /// With its article, for messages.
    func typeName(_ position: Int) -> String {
        switch entry(position).kind {
        case .null: "null"
        case .no, .yes: "a boolean"
        case .number: "a number"
        case .string, .escapedString: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}

/// Finds the members of one object of a document.
struct JSONMemberIndex {
    private let document: JSONDocument
    private let object: Int
    /// Only for many members: from hash to the position of the key.
    private let table: JSONKeyTable?

    init(_ document: JSONDocument, object: Int) {
        self.document = document
        self.object = object
        let count = document.entry(object).count
        guard count > JSONKeyTable.threshold else {
            table = nil
            return
        }
        var table = JSONKeyTable(for: count)
        document.bytes.withUnsafeBufferPointer { bytes in
            Self.forEachKey(document, object) { position in
                let entry = document.entry(position)
                let hash =
                    entry.kind == .string
                    ? JSONKeyTable.hash(entry.content(in: bytes))
                    : JSONKeyTable.hash(document.tape.string(entry, in: bytes))
                table.insert(position, hash)
                return true
            }
        }
        self.table = table
    }

    /// The position of the value at `key`.
    func value(of key: String) -> Int? {
        var key = key
        let position = key.withUTF8 { wanted in
            document.bytes.withUnsafeBufferPointer { bytes in
                find(wanted, in: bytes)
            }
        }
        return position.map { $0 + 1 }
    }

    var keys: [String] {
        var keys: [String] = []
        Self.forEachKey(document, object) { position in
            keys.append(document.string(position) ?? "")
            return true
        }
        return keys
    }

    private func find(_ wanted: UnsafeBufferPointer<UInt8>, in bytes: UnsafeBufferPointer<UInt8>) -> Int? {
        if let table {
            return table.find(JSONKeyTable.hash(wanted)) { matches($0, wanted, bytes) }
        }
        var found: Int?
        Self.forEachKey(document, object) { position in
            guard matches(position, wanted, bytes) else { return true }
            found = position
            return false
        }
        return found
    }

    private func matches(
        _ position: Int,
        _ wanted: UnsafeBufferPointer<UInt8>,
        _ bytes: UnsafeBufferPointer<UInt8>
    ) -> Bool {
        let entry = document.entry(position)
        let content = entry.content(in: bytes)
        if entry.kind == .string { return content.hasSameBytes(as: wanted) }
        return document.tape.string(entry, in: bytes).utf8.elementsEqual(wanted)
    }

    /// Calls `body` with each key's position until it says false.
    private static func forEachKey(_ document: JSONDocument, _ object: Int, _ body: (Int) -> Bool) {
        let end = document.next(object)
        var position = object + 1
        while position < end, body(position) { position = document.next(position + 1) }
    }
}
