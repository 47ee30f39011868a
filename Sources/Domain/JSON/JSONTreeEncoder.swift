/// What a type has encoded: containers are shared, because `Codable` may fill several at a time.
enum JSONTree {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case raw(RawJSON)
    case value(JSONValue)
    case array(JSONTreeArray)
    case object(JSONTreeObject)
    /// Filled by a super encoder after it was handed out.
    case deferred(JSONTreeEncoder)

    func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let value): writer.bool(value)
        case .number(let value): writer.number(value)
        case .string(let value): writer.string(value)
        case .raw(let value): writer.raw(value)
        case .value(let value): writer.value(value)
        case .deferred(let encoder): encoder.result.write(to: &writer)
        case .array(let array):
            writer.beginArray()
            for element in array.elements { element.write(to: &writer) }
            writer.endArray()
        case .object(let object):
            writer.beginObject()
            for (key, value) in object.members.list {
                writer.key(key)
                value.write(to: &writer)
            }
            writer.endObject()
        }
    }

    var value: JSONValue {
        switch self {
        case .null: .null
        case .bool(let value): .bool(value)
        case .number(let value): .number(value)
        case .string(let value): .string(value)
        case .raw(let value): value.value
        case .value(let value): value
        case .deferred(let encoder): encoder.result.value
        case .array(let array): .array(array.elements.map(\.value))
        case .object(let object): .object(JSONObject(distinct: object.members.list.map { ($0.key, $0.value.value) }))
        }
    }
}

final class JSONTreeArray {
    var elements: [JSONTree] = []
}

/// A key that is encoded again replaces its value.
final class JSONTreeObject {
    var members = JSONMembers<JSONTree>()
}

/// `Codable`'s encoder; one for each value that is not a scalar.
final class JSONTreeEncoder: Encoder {
    let path: JSONCodingPath?
    private var tree: JSONTree?

    init(path: JSONCodingPath?) { self.path = path }

    var codingPath: [any CodingKey] { JSONCodingPath.keys(path) }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// A type that encodes nothing is an object without members.
    var result: JSONTree { tree ?? .object(JSONTreeObject()) }

    static func tree(of value: some Encodable) throws -> JSONTree {
        do {
            return try tree(of: value, path: nil)
        } catch let error as EncodingError {
            throw JSONError(error)
        }
    }

    static func tree<T: Encodable>(of value: T, path: @autoclosure () -> JSONCodingPath?) throws -> JSONTree {
        // Generic containers such as arrays come here for scalars too; the casts are of a type to itself.
        if T.self == String.self { return .string(unsafeBitCast(value, to: String.self)) }
        if T.self == Int.self { return .number(JSONNumber(unsafeBitCast(value, to: Int.self))) }
        if T.self == Double.self {
            return try tree(JSONNumber(unsafeBitCast(value, to: Double.self)), of: value, path: path())
        }
        // Types that are JSON themselves, exactly as they stand.
        if T.self == JSONValue.self { return .value(unsafeBitCast(value, to: JSONValue.self)) }
        if T.self == JSONObject.self { return .value(.object(unsafeBitCast(value, to: JSONObject.self))) }
        if T.self == JSONNumber.self { return .number(unsafeBitCast(value, to: JSONNumber.self)) }
        if T.self == RawJSON.self { return .raw(unsafeBitCast(value, to: RawJSON.self)) }
        let encoder = JSONTreeEncoder(path: path())
        try value.encode(to: encoder)
        // Dictionaries come in an order that changes from run to run.
        if value is any JSONUnorderedMembers, case .object(let object)? = encoder.tree { object.members.sortByKey() }
        return encoder.result
    }

    /// - Parameter number: nil when `value` is not finite.
    static func tree(
        _ number: JSONNumber?,
        of value: some Encodable,
        path: @autoclosure () -> JSONCodingPath?
    ) throws -> JSONTree {
        if let number { return .number(number) }
        throw EncodingError.invalidValue(
            value,
            .init(codingPath: JSONCodingPath.keys(path()), debugDescription: "JSON has no number \(value)")
        )
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        let object: JSONTreeObject
        if case .object(let existing)? = tree {
            object = existing
        } else {
            precondition(tree == nil, "a value encodes itself as one kind of container")
            object = JSONTreeObject()
            tree = .object(object)
        }
        return KeyedEncodingContainer(JSONKeyedEncodingContainer(object: object, path: path))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        let array: JSONTreeArray
        if case .array(let existing)? = tree {
            array = existing
        } else {
            precondition(tree == nil, "a value encodes itself as one kind of container")
            array = JSONTreeArray()
            tree = .array(array)
        }
        return JSONUnkeyedEncodingContainer(array: array, path: path)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    /// Makes `value` all that is encoded.
    func set(_ value: some Encodable) throws { tree = try Self.tree(of: value, path: path) }

    func set(_ tree: JSONTree) { self.tree = tree }
}

/// What encodes as an object without an order of its own.
private protocol JSONUnorderedMembers {}
extension Dictionary: JSONUnorderedMembers {}
