/// Checks a document against RFC 8259 and our bounds in one pass, and lists its values.
///
/// Strict: plain UTF-8 without a byte order mark, no duplicate keys, no half surrogate pairs, no number outside
/// a Double's range, nothing after the document. Time and memory are linear in the document; containers nest on
/// the list itself, not on the stack. Strings are in `JSONScanner+Strings`, numbers in `JSONScanner+Numbers`.
struct JSONScanner {
    let bytes: UnsafeBufferPointer<UInt8>
    let limits: JSONLimits
    /// The next byte to read.
    var position = 0
    private(set) var entries: [JSONTape.Entry] = []

    init(_ bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) {
        self.bytes = bytes
        self.limits = limits
    }

    mutating func scanDocument() throws(JSONFault) {
        guard bytes.count <= limits.bytes else {
            throw JSONFault(.tooManyBytes, at: limits.bytes, String(limits.bytes))
        }
        if bytes.count >= 3, bytes[0] == 0xEF, bytes[1] == 0xBB, bytes[2] == 0xBF {
            throw JSONFault(.byteOrderMark, at: 0)
        }
        entries.reserveCapacity(min(bytes.count / 12 + 4, 1 << 16))
        skipWhitespace()
        try scanTree()
        skipWhitespace()
        if position < bytes.count { throw JSONFault(.trailingBytes, at: position) }
    }

    /// Scans one value with all it holds.
    private mutating func scanTree() throws(JSONFault) {
        // Position of the innermost open container; its `next` holds its parent's, until it closes.
        var open = -1
        var depth = 0
        while true {
            let isContainer = try scanValue()
            if isContainer {
                depth += 1
                if depth > limits.depth { throw JSONFault(.tooDeep, at: position - 1, String(limits.depth)) }
                let opened = entries.count - 1
                entries[opened].next = UInt32(bitPattern: Int32(open))
                open = opened
                skipWhitespace()
                let isObject = entries[open].kind == .object
                if position < bytes.count, bytes[position] == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) {
                    position += 1
                    open = close(open)
                    depth -= 1
                } else {
                    if isObject { try scanKey("a key or '}'") }
                    continue
                }
            }
            // A value is complete: close what ends with it.
            while true {
                if open < 0 { return }
                entries[open].packed += 1 << 4
                skipWhitespace()
                let isObject = entries[open].kind == .object
                guard position < bytes.count else { throw expected(isObject ? "',' or '}'" : "',' or ']'") }
                let byte = bytes[position]
                if byte == UInt8(ascii: ",") {
                    position += 1
                    skipWhitespace()
                    if isObject { try scanKey("a key") }
                    break
                }
                guard byte == (isObject ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw expected(isObject ? "',' or '}'" : "',' or ']'")
                }
                position += 1
                let closed = open
                open = close(open)
                depth -= 1
                if isObject, entries[closed].count > 1 { try refuseDuplicates(in: closed) }
            }
        }
    }

    /// Ends the container at `open` and returns its parent's position, −1 at the root.
    @inline(__always)
    private mutating func close(_ open: Int) -> Int {
        let parent = Int(Int32(bitPattern: entries[open].next))
        entries[open].end = UInt32(truncatingIfNeeded: position)
        entries[open].next = UInt32(truncatingIfNeeded: entries.count)
        return parent
    }

    /// Scans a scalar, or the bracket that opens a container and then says true.
    @inline(__always)
    private mutating func scanValue() throws(JSONFault) -> Bool {
        guard position < bytes.count else { throw expected("a value") }
        let start = position
        switch bytes[position] {
        case UInt8(ascii: "\""):
            try scanString()
            return false
        case UInt8(ascii: "{"):
            position += 1
            try append(.object, start)
            return true
        case UInt8(ascii: "["):
            position += 1
            try append(.array, start)
            return true
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            try scanNumber()
            try append(.number, start)
        case UInt8(ascii: "t"):
            try scanWord("true")
            try append(.yes, start)
        case UInt8(ascii: "f"):
            try scanWord("false")
            try append(.no, start)
        case UInt8(ascii: "n"):
            try scanWord("null")
            try append(.null, start)
        default:
            throw expected("a value")
        }
        return false
    }

    /// Scans a key, its colon, and the white space up to the value.
    @inline(__always)
    private mutating func scanKey(_ wanted: @autoclosure () -> String) throws(JSONFault) {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else { throw expected(wanted()) }
        try scanString()
        skipWhitespace()
        guard position < bytes.count, bytes[position] == UInt8(ascii: ":") else { throw expected("':'") }
        position += 1
        skipWhitespace()
    }

    private mutating func scanWord(_ word: StaticString) throws(JSONFault) {
        for index in 0..<word.utf8CodeUnitCount {
            guard position < bytes.count, bytes[position] == word.utf8Start[index] else {
                throw expected("'\(word)'")
            }
            position += 1
        }
    }

    /// Lists the value that began at `start` and ends here.
    @inline(__always)
    mutating func append(_ kind: JSONTape.Kind, _ start: Int) throws(JSONFault) {
        guard entries.count < limits.elements else {
            throw JSONFault(.tooManyElements, at: start, String(limits.elements))
        }
        entries.append(JSONTape.Entry(kind, start: start, end: position, next: entries.count + 1))
    }

    @inline(__always)
    private mutating func skipWhitespace() {
        while position < bytes.count {
            let byte = bytes[position]
            // Space, tab, LF, CR: all at or below 0x20.
            guard byte <= 0x20, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return }
            position += 1
        }
    }

    /// The fault of something else standing here, or nothing any more.
    func expected(_ wanted: String) -> JSONFault {
        guard position < bytes.count else { return JSONFault(.unexpectedEnd, at: bytes.count, wanted) }
        return JSONFault(.unexpectedByte, at: position, wanted)
    }

    private func refuseDuplicates(in object: Int) throws(JSONFault) {
        guard let duplicate = JSONDuplicateKeys.first(in: object, of: entries, bytes) else { return }
        throw JSONFault(.duplicateKey, at: Int(entries[duplicate].start))
    }
}
