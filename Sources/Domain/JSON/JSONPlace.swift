/// One value of a document with the way to it: reads it as whatever type is asked for.
struct JSONPlace {
    let document: JSONDocument
    /// Of the value, on the tape.
    let position: Int
    let parent: JSONCodingPath?
    /// From the parent to here; nil at the root.
    let step: JSONCodingPath.Step?

    init(document: JSONDocument, position: Int, parent: JSONCodingPath? = nil, step: JSONCodingPath.Step? = nil) {
        self.document = document
        self.position = position
        self.parent = parent
        self.step = step
    }

    /// Made only for what has elements or fails: most values are scalars that fit.
    var path: JSONCodingPath? { step.map { JSONCodingPath($0, in: parent) } }
    var codingPath: [any CodingKey] { JSONCodingPath.keys(path) }
    var isNull: Bool { document.isNull(position) }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        // Generic containers such as arrays come here for scalars too; the casts are of a type to itself.
        if type == String.self { return unsafeBitCast(try string(), to: type) }
        if type == Double.self { return unsafeBitCast(try double(), to: type) }
        if type == Int.self { return unsafeBitCast(try integer(Int.self), to: type) }
        // Types that are JSON themselves, exactly as they stand here.
        if type == JSONValue.self { return unsafeBitCast(document.value(position), to: type) }
        if type == RawJSON.self { return unsafeBitCast(document.raw(position), to: type) }
        if type == JSONNumber.self { return unsafeBitCast(try number(type), to: type) }
        if type == JSONObject.self { return unsafeBitCast(try object(), to: type) }
        do {
            return try T(from: JSONTapeDecoder(self))
        } catch DecodingError.dataCorrupted(let context) where context.debugDescription.hasPrefix(Self.enumRefusal) {
            // The library's text holds the value itself; say instead what would be right.
            throw corrupt(context, Self.expectation(of: type))
        }
    }

    func keyedContainer<Key: CodingKey>(_ type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard document.entry(position).kind == .object else { throw mismatch([String: Any].self, "an object") }
        return KeyedDecodingContainer(JSONKeyedDecodingContainer(self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard document.entry(position).kind == .array else { throw mismatch([Any].self, "an array") }
        return JSONUnkeyedDecodingContainer(self)
    }

    /// How the standard library refuses a raw value that no case has.
    private static let enumRefusal = "Cannot initialize "

    private static func expectation<T>(of type: T.Type) -> String {
        guard let cases = (type as? any CaseIterable.Type).map(rawValues), !cases.isEmpty else {
            return "not a value of \(type)"
        }
        return "expected one of " + cases.map { "'\($0)'" }.joined(separator: ", ")
    }

    private static func rawValues(_ type: any CaseIterable.Type) -> [String] {
        func list<C: CaseIterable>(_ type: C.Type) -> [String] {
            C.allCases.compactMap { ($0 as? any RawRepresentable)?.rawValue as? String }
        }
        return list(type)
    }
}

extension JSONPlace {
    func bool() throws -> Bool {
        guard let value = document.bool(position) else { throw mismatch(Bool.self, "a boolean") }
        return value
    }

    func string() throws -> String {
        guard let value = document.string(position) else { throw mismatch(String.self, "a string") }
        return value
    }

    func integer<I: FixedWidthInteger>(_ type: I.Type) throws -> I {
        if let value = document.smallInteger(position).flatMap(I.init(exactly:)) { return value }
        let number = try number(type)
        if let value = number.int64Value.flatMap(I.init(exactly:)) { return value }
        if let value = number.uint64Value.flatMap(I.init(exactly:)) { return value }
        let expected = "expected a whole number from \(I.min) to \(I.max)"
        throw corrupt(DecodingError.Context(codingPath: codingPath, debugDescription: ""), expected)
    }

    func double() throws -> Double {
        guard let value = document.double(position) else { throw mismatch(Double.self, "a number") }
        return value
    }

    func float() throws -> Float {
        let value = Float(try double())
        guard value.isFinite else {
            let context = DecodingError.Context(codingPath: codingPath, debugDescription: "")
            throw corrupt(context, "expected a number in the range of Float")
        }
        return value
    }

    private func object() throws -> JSONObject {
        guard let value = document.object(position) else { throw mismatch(JSONObject.self, "an object") }
        return value
    }

    private func number<T>(_ type: T.Type) throws -> JSONNumber {
        guard let value = document.number(position) else { throw mismatch(type, "a number") }
        return value
    }

    private func mismatch<T>(_ type: T.Type, _ expected: String) -> DecodingError {
        let found = "expected \(expected), found \(document.typeName(position))"
        let context = DecodingError.Context(codingPath: codingPath, debugDescription: found)
        return document.isNull(position) ? .valueNotFound(type, context) : .typeMismatch(type, context)
    }

    private func corrupt(_ context: DecodingError.Context, _ text: String) -> DecodingError {
        .dataCorrupted(DecodingError.Context(codingPath: context.codingPath, debugDescription: text))
    }
}
