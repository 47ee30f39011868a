/// Writes JSON piece by piece into bytes.
///
/// The order of calls is the order of the text; commas and colons come by themselves. Calls that don't fit
/// together (a value in an object without its key) are bugs and trap. What data can do wrong, a number that is
/// not finite or more output than the bound, is kept until `finish()` throws it.
public struct JSONWriter: Sendable {
    public enum Layout: Sendable {
        /// No white space.
        case compact
        /// A line per member and element, indented by two spaces.
        case indented
    }

    private enum Frame: Sendable { case array, object }

    /// What is written and not yet drained.
    public private(set) var bytes: [UInt8] = []
    private let layout: Layout
    private let byteLimit: Int
    private var drainedByteCount = 0
    private var frames: [Frame] = []
    /// Whether the innermost container has a member yet; at the root, whether the document's value is there.
    private var hasPrevious = false
    private var hasKey = false
    private var failure: JSONError?

    /// - Parameter byteLimit: of the whole output, drained or not. Past it, nothing more is written.
    public init(layout: Layout = .compact, byteLimit: Int = Limits.jsonOutputBytes) {
        self.layout = layout
        self.byteLimit = byteLimit
    }

    /// The first thing data did wrong: `notRepresentable` or `tooManyBytes`.
    public var error: JSONError? {
        if let failure { return failure }
        guard drainedByteCount + bytes.count > byteLimit else { return nil }
        return JSONError(.tooManyBytes, "the output is longer than \(byteLimit) bytes")
    }

    /// The whole rest of the document.
    ///
    /// - Throws: `notRepresentable`, `tooManyBytes`.
    public consuming func finish() throws(JSONError) -> [UInt8] {
        if let error { throw error }
        precondition(frames.isEmpty && hasPrevious, "the JSON document is not complete: \(frames.count) open")
        return bytes
    }

    /// Takes what is written so far, for sending it on; writing continues.
    public mutating func drain() -> [UInt8] {
        defer {
            drainedByteCount += bytes.count
            bytes.removeAll(keepingCapacity: true)
        }
        return bytes
    }

    public mutating func beginObject() { begin(.object, UInt8(ascii: "{")) }
    public mutating func endObject() { end(.object, UInt8(ascii: "}")) }
    public mutating func beginArray() { begin(.array, UInt8(ascii: "[")) }
    public mutating func endArray() { end(.array, UInt8(ascii: "]")) }

    /// The key of the next value. The caller sees to it that keys differ.
    public mutating func key(_ key: String) {
        precondition(frames.last == .object && !hasKey, "a key belongs into an object, one for each value")
        separate()
        hasKey = true
        quote(key)
        append(UInt8(ascii: ":"))
        if layout == .indented { append(UInt8(ascii: " ")) }
    }

    public mutating func null() { literal("null") }
    public mutating func bool(_ value: Bool) { literal(value ? "true" : "false") }
    public mutating func int(_ value: some FixedWidthInteger) { literal(String(value)) }
    public mutating func number(_ value: JSONNumber) { literal(value.text) }

    /// The shortest literal that reads back the same. NaN and infinities fail, as `null`.
    public mutating func double(_ value: Double) {
        if value.isFinite { return literal(JSONNumber.text(of: value)) }
        failure = failure ?? JSONError(.notRepresentable, "JSON has no number \(value)")
        null()
    }

    public mutating func string(_ value: String) {
        beginValue()
        quote(value)
    }

    /// One whole JSON value that is known to be right, byte for byte.
    public mutating func raw(_ value: some Collection<UInt8>) {
        beginValue()
        if isWithinLimit { bytes.append(contentsOf: value) }
    }

    public mutating func raw(_ value: RawJSON) { raw(value.bytes) }

    public mutating func value(_ value: JSONValue) {
        switch value {
        case .null: null()
        case .bool(let value): bool(value)
        case .number(let value): number(value)
        case .string(let value): string(value)
        case .array(let elements):
            beginArray()
            for element in elements { self.value(element) }
            endArray()
        case .object(let members):
            object(members)
        }
    }

    public mutating func object(_ members: JSONObject) {
        beginObject()
        for (key, value) in members { member(key, value) }
        endObject()
    }

    /// A key and its value.
    public mutating func member(_ key: String, _ value: JSONValue) {
        self.key(key)
        self.value(value)
    }
}

extension JSONWriter {
    private var isWithinLimit: Bool { drainedByteCount + bytes.count <= byteLimit }

    private mutating func append(_ byte: UInt8) {
        if isWithinLimit { bytes.append(byte) }
    }

    private mutating func begin(_ frame: Frame, _ bracket: UInt8) {
        beginValue()
        frames.append(frame)
        hasPrevious = false
        append(bracket)
    }

    private mutating func end(_ frame: Frame, _ bracket: UInt8) {
        precondition(frames.last == frame && !hasKey, "the end of \(frame) does not fit what is open")
        frames.removeLast()
        if hasPrevious { breakLine() }
        hasPrevious = true
        append(bracket)
    }

    /// Everything before a value but its own text.
    private mutating func beginValue() {
        if hasKey {
            hasKey = false
        } else {
            precondition(frames.last != .object, "a value in an object needs a key")
            precondition(!frames.isEmpty || !hasPrevious, "a document is one value")
            if !frames.isEmpty { separate() }
        }
        hasPrevious = true
    }

    private mutating func separate() {
        if hasPrevious { append(UInt8(ascii: ",")) }
        hasPrevious = true
        breakLine()
    }

    private mutating func breakLine() {
        guard layout == .indented, isWithinLimit else { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes.append(contentsOf: repeatElement(UInt8(ascii: " "), count: 2 * frames.count))
    }

    private mutating func literal(_ text: String) {
        beginValue()
        if isWithinLimit { bytes.append(contentsOf: text.utf8) }
    }

    private mutating func quote(_ text: String) {
        guard isWithinLimit else { return }
        var text = text
        bytes.append(UInt8(ascii: "\""))
        text.withUTF8 { content in
            var copied = 0
            for position in content.indices {
                let byte = content[position]
                guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[copied..<position]))
                escape(byte)
                copied = position + 1
            }
            bytes.append(contentsOf: UnsafeBufferPointer(rebasing: content[copied...]))
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private mutating func escape(_ byte: UInt8) {
        bytes.append(UInt8(ascii: "\\"))
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(byte)
        case 0x08: bytes.append(UInt8(ascii: "b"))
        case 0x09: bytes.append(UInt8(ascii: "t"))
        case 0x0A: bytes.append(UInt8(ascii: "n"))
        case 0x0C: bytes.append(UInt8(ascii: "f"))
        case 0x0D: bytes.append(UInt8(ascii: "r"))
        default:
            bytes.append(contentsOf: "u00".utf8)
            for digit in [byte >> 4, byte & 15] {
                bytes.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        }
    }
}
