/// A scanned document as a flat list: what kind of value begins and ends at which byte.
///
/// Made by one pass of `JSONScanner`; values and typed decoding are built from it without checking again. A
/// container is followed by its elements; in an object each key is followed by its value.
struct JSONTape: Sendable {
    enum Kind: UInt8 {
        case null, no, yes, number, string, escapedString, array, object
    }

    struct Entry {
        /// Offset of the value's first byte, a string's quote included.
        var start: UInt32
        /// Offset after its last byte.
        var end: UInt32
        /// Position after the value and all it holds. While a container is open: the position of its parent.
        var next: UInt32
        /// Kind in the low four bits; above, a container's count of elements or members.
        var packed: UInt32

        @inline(__always)
        init(_ kind: Kind, start: Int, end: Int, next: Int) {
            self.start = UInt32(truncatingIfNeeded: start)
            self.end = UInt32(truncatingIfNeeded: end)
            self.next = UInt32(truncatingIfNeeded: next)
            packed = UInt32(kind.rawValue)
        }

        // Only `init` writes the low bits, from a Kind.
        @inline(__always)
        var kind: Kind { unsafeBitCast(UInt8(truncatingIfNeeded: packed & 15), to: Kind.self) }
        @inline(__always)
        var count: Int { Int(packed >> 4) }
        @inline(__always)
        var isString: Bool { kind == .string || kind == .escapedString }

        /// The value as written.
        @inline(__always)
        func text(in bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: bytes[Int(start)..<Int(end)])
        }

        /// Of a string: the bytes between the quotes, still escaped.
        @inline(__always)
        func content(in bytes: UnsafeBufferPointer<UInt8>) -> UnsafeBufferPointer<UInt8> {
            UnsafeBufferPointer(rebasing: bytes[Int(start) + 1..<Int(end) - 1])
        }
    }

    private(set) var entries: [Entry]

    /// Checks the whole document.
    init(scanning bytes: UnsafeBufferPointer<UInt8>, limits: JSONLimits) throws(JSONError) {
        var scanner = JSONScanner(bytes, limits: limits)
        do throws(JSONFault) {
            try scanner.scanDocument()
        } catch {
            throw error.error(in: bytes)
        }
        entries = scanner.entries
    }

    func value(at position: Int, in bytes: UnsafeBufferPointer<UInt8>) -> JSONValue {
        let entry = entries[position]
        switch entry.kind {
        case .null: return .null
        case .no: return .bool(false)
        case .yes: return .bool(true)
        case .number: return .number(number(entry, in: bytes))
        case .string, .escapedString: return .string(string(entry, in: bytes))
        case .array:
            var elements: [JSONValue] = []
            elements.reserveCapacity(entry.count)
            var position = position + 1
            while position < Int(entry.next) {
                elements.append(value(at: position, in: bytes))
                position = Int(entries[position].next)
            }
            return .array(elements)
        case .object:
            return .object(object(at: position, in: bytes))
        }
    }

    func object(at position: Int, in bytes: UnsafeBufferPointer<UInt8>) -> JSONObject {
        let entry = entries[position]
        var members: [JSONObject.Member] = []
        members.reserveCapacity(entry.count)
        var position = position + 1
        while position < Int(entry.next) {
            members.append((string(entries[position], in: bytes), value(at: position + 1, in: bytes)))
            position = Int(entries[position + 1].next)
        }
        return JSONObject(distinct: members)
    }

    func number(_ entry: Entry, in bytes: UnsafeBufferPointer<UInt8>) -> JSONNumber {
        JSONNumber(scanned: String(decoding: entry.text(in: bytes), as: UTF8.self))
    }

    func string(_ entry: Entry, in bytes: UnsafeBufferPointer<UInt8>) -> String {
        let content = entry.content(in: bytes)
        guard entry.kind == .escapedString else { return String(decoding: content, as: UTF8.self) }
        return String(unsafeUninitializedCapacity: content.count) { JSONEscapes.decode(content, into: $0) }
    }
}
