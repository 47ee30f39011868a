/// Where in a document something stands.
public struct JSONPosition: Sendable, Hashable, CustomStringConvertible {
    /// Bytes before it.
    public let offset: Int
    /// From 1; a line ends with LF.
    public let line: Int
    /// From 1, counted in Unicode scalars. Bytes that aren't UTF-8 count as far as they look like lead bytes.
    public let column: Int

    public init(offset: Int, line: Int, column: Int) {
        self.offset = offset
        self.line = line
        self.column = column
    }

    /// Finds line and column of `offset`. O(offset).
    init(offset: Int, in bytes: UnsafeBufferPointer<UInt8>) {
        var line = 1
        var column = 1
        for position in 0..<min(offset, bytes.count) {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        self.init(offset: offset, line: line, column: column)
    }

    public var description: String { "line \(line), column \(column) (byte \(offset))" }
}

/// What is wrong with a JSON document, or with the value a type was decoded from or encoded to.
///
/// Messages hold positions, paths, names of types and keys, never the document's own values.
public struct JSONError: Failure, Equatable {
    public enum Code: String, Sendable, CaseIterable {
        // The text is not JSON.
        case unexpectedEnd
        case unexpectedByte
        case trailingBytes
        case byteOrderMark
        case invalidUTF8
        case controlCharacter
        case invalidEscape
        case loneSurrogate
        case invalidNumber
        // JSON, but not what we take.
        case numberOutOfRange
        case duplicateKey
        // Past a bound.
        case tooManyBytes
        case tooDeep
        case tooManyElements
        case stringTooLong
        case numberTooLong
        // JSON, but not the wanted type.
        case typeMismatch
        case missingKey
        case missingValue
        case invalidValue
        // A value that JSON can't hold, such as NaN.
        case notRepresentable
    }

    public let code: Code
    public let message: String
    public let detail: String?
    /// Where reading stopped; nil for errors of decoding and encoding.
    public let position: JSONPosition?
    /// Of a decoding or encoding error: the value's place, such as `records[3].fields.Name`; empty at the root.
    public let path: String?

    package init(
        _ code: Code,
        _ message: String,
        detail: String? = nil,
        position: JSONPosition? = nil,
        path: String? = nil
    ) {
        self.code = code
        self.message = message
        self.detail = detail
        self.position = position
        self.path = path
    }

    public var kind: FailureKind {
        switch code {
        case .tooManyBytes, .tooDeep, .tooManyElements, .stringTooLong, .numberTooLong: .tooLarge
        case .notRepresentable: .internal
        default: .invalid
        }
    }

    public static func == (left: Self, right: Self) -> Bool { left.code == right.code }
}

/// What the scanner throws: small, so that throwing costs nothing on the way; the door makes a `JSONError` of it.
struct JSONFault: Error {
    let code: JSONError.Code
    let offset: Int
    /// What would have been right, or the bound that was passed.
    let expected: String

    init(_ code: JSONError.Code, at offset: Int, _ expected: String = "") {
        self.code = code
        self.offset = offset
        self.expected = expected
    }

    func error(in bytes: UnsafeBufferPointer<UInt8>) -> JSONError {
        let position = JSONPosition(offset: offset, in: bytes)
        return JSONError(code, "JSON is refused at \(position): \(reason(in: bytes))", position: position)
    }

    private func reason(in bytes: UnsafeBufferPointer<UInt8>) -> String {
        switch code {
        case .unexpectedEnd: "it ends where \(expected) should be"
        case .unexpectedByte: "found \(found(in: bytes)) where \(expected) should be"
        case .trailingBytes: "found \(found(in: bytes)) after the document's end"
        case .byteOrderMark: "it starts with a byte order mark; send plain UTF-8"
        case .invalidUTF8: "the bytes are not UTF-8"
        case .controlCharacter: "control character \(found(in: bytes)) must be escaped inside a string"
        case .invalidEscape: "not an escape sequence of JSON"
        case .loneSurrogate: "\\u escape of half a surrogate pair"
        case .invalidNumber: "not a number of JSON: \(expected)"
        case .numberOutOfRange: "the number is too large for a 64-bit floating point number"
        case .duplicateKey: "the key stands twice in its object"
        case .tooManyBytes: "longer than \(expected) bytes"
        case .tooDeep: "nested deeper than \(expected) levels"
        case .tooManyElements: "more than \(expected) values"
        case .stringTooLong: "string longer than \(expected) bytes"
        case .numberTooLong: "number longer than \(expected) bytes"
        case .typeMismatch, .missingKey, .missingValue, .invalidValue, .notRepresentable: expected
        }
    }

    private func found(in bytes: UnsafeBufferPointer<UInt8>) -> String {
        guard offset < bytes.count else { return "the end" }
        let byte = bytes[offset]
        if (0x21..<0x7F).contains(byte) { return "'\(Character(UnicodeScalar(byte)))'" }
        let digits = String(byte, radix: 16, uppercase: true)
        return "byte 0x" + (digits.count == 1 ? "0" : "") + digits
    }
}
