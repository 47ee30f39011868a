struct JSONKeyedEncodingContainer<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let object: JSONTreeObject
    let path: JSONCodingPath?

    var codingPath: [any CodingKey] { JSONCodingPath.keys(path) }

    private func child(_ key: some CodingKey) -> JSONCodingPath { JSONCodingPath(.key(key), in: path) }
    private func set(_ key: some CodingKey, _ tree: JSONTree) { object.members[key.stringValue] = tree }

    func encodeNil(forKey key: Key) { set(key, .null) }
    func encode(_ value: Bool, forKey key: Key) { set(key, .bool(value)) }
    func encode(_ value: String, forKey key: Key) { set(key, .string(value)) }
    func encode(_ value: Double, forKey key: Key) throws {
        set(key, try JSONTreeEncoder.tree(JSONNumber(value), of: value, path: child(key)))
    }
    func encode(_ value: Float, forKey key: Key) throws {
        set(key, try JSONTreeEncoder.tree(JSONNumber(value), of: value, path: child(key)))
    }
    func encode(_ value: Int, forKey key: Key) { set(key, .number(JSONNumber(value))) }
    func encode(_ value: Int8, forKey key: Key) { set(key, .number(JSONNumber(Int(value)))) }
    func encode(_ value: Int16, forKey key: Key) { set(key, .number(JSONNumber(Int(value)))) }
    func encode(_ value: Int32, forKey key: Key) { set(key, .number(JSONNumber(Int(value)))) }
    func encode(_ value: Int64, forKey key: Key) { set(key, .number(JSONNumber(value))) }
    func encode(_ value: UInt, forKey key: Key) { set(key, .number(JSONNumber(UInt64(value)))) }
    func encode(_ value: UInt8, forKey key: Key) { set(key, .number(JSONNumber(Int(value)))) }
    func encode(_ value: UInt16, forKey key: Key) { set(key, .number(JSONNumber(Int(value)))) }
    func encode(_ value: UInt32, forKey key: Key) { set(key, .number(JSONNumber(Int64(value)))) }
    func encode(_ value: UInt64, forKey key: Key) { set(key, .number(JSONNumber(value))) }
    func encode(_ value: some Encodable, forKey key: Key) throws {
        set(key, try JSONTreeEncoder.tree(of: value, path: child(key)))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let nested = JSONTreeObject()
        set(key, .object(nested))
        return KeyedEncodingContainer(JSONKeyedEncodingContainer<Nested>(object: nested, path: child(key)))
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let nested = JSONTreeArray()
        set(key, .array(nested))
        return JSONUnkeyedEncodingContainer(array: nested, path: child(key))
    }

    func superEncoder() -> any Encoder { deferred(JSONCodingKey.super) }
    func superEncoder(forKey key: Key) -> any Encoder { deferred(key) }

    private func deferred(_ key: some CodingKey) -> JSONTreeEncoder {
        let encoder = JSONTreeEncoder(path: child(key))
        set(key, .deferred(encoder))
        return encoder
    }
}

struct JSONUnkeyedEncodingContainer: UnkeyedEncodingContainer {
    let array: JSONTreeArray
    let path: JSONCodingPath?

    var codingPath: [any CodingKey] { JSONCodingPath.keys(path) }
    var count: Int { array.elements.count }

    private func child() -> JSONCodingPath { JSONCodingPath(.index(count), in: path) }
    private func add(_ tree: JSONTree) { array.elements.append(tree) }

    func encodeNil() { add(.null) }
    func encode(_ value: Bool) { add(.bool(value)) }
    func encode(_ value: String) { add(.string(value)) }
    func encode(_ value: Double) throws { add(try JSONTreeEncoder.tree(JSONNumber(value), of: value, path: child())) }
    func encode(_ value: Float) throws { add(try JSONTreeEncoder.tree(JSONNumber(value), of: value, path: child())) }
    func encode(_ value: Int) { add(.number(JSONNumber(value))) }
    func encode(_ value: Int8) { add(.number(JSONNumber(Int(value)))) }
    func encode(_ value: Int16) { add(.number(JSONNumber(Int(value)))) }
    func encode(_ value: Int32) { add(.number(JSONNumber(Int(value)))) }
    func encode(_ value: Int64) { add(.number(JSONNumber(value))) }
    func encode(_ value: UInt) { add(.number(JSONNumber(UInt64(value)))) }
    func encode(_ value: UInt8) { add(.number(JSONNumber(Int(value)))) }
    func encode(_ value: UInt16) { add(.number(JSONNumber(Int(value)))) }
    func encode(_ value: UInt32) { add(.number(JSONNumber(Int64(value)))) }
    func encode(_ value: UInt64) { add(.number(JSONNumber(value))) }
    func encode(_ value: some Encodable) throws { add(try JSONTreeEncoder.tree(of: value, path: child())) }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        let nested = JSONTreeObject()
        let nestedPath = child()
        add(.object(nested))
        return KeyedEncodingContainer(JSONKeyedEncodingContainer<Nested>(object: nested, path: nestedPath))
    }

    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let nested = JSONTreeArray()
        let nestedPath = child()
        add(.array(nested))
        return JSONUnkeyedEncodingContainer(array: nested, path: nestedPath)
    }

    func superEncoder() -> any Encoder {
        let encoder = JSONTreeEncoder(path: child())
        add(.deferred(encoder))
        return encoder
    }
}

extension JSONTreeEncoder: SingleValueEncodingContainer {
    func encodeNil() { set(.null) }
    func encode(_ value: Bool) { set(.bool(value)) }
    func encode(_ value: String) { set(.string(value)) }
    func encode(_ value: Double) throws { set(try Self.tree(JSONNumber(value), of: value, path: path)) }
    func encode(_ value: Float) throws { set(try Self.tree(JSONNumber(value), of: value, path: path)) }
    func encode(_ value: Int) { set(.number(JSONNumber(value))) }
    func encode(_ value: Int8) { set(.number(JSONNumber(Int(value)))) }
    func encode(_ value: Int16) { set(.number(JSONNumber(Int(value)))) }
    func encode(_ value: Int32) { set(.number(JSONNumber(Int(value)))) }
    func encode(_ value: Int64) { set(.number(JSONNumber(value))) }
    func encode(_ value: UInt) { set(.number(JSONNumber(UInt64(value)))) }
    func encode(_ value: UInt8) { set(.number(JSONNumber(Int(value)))) }
    func encode(_ value: UInt16) { set(.number(JSONNumber(Int(value)))) }
    func encode(_ value: UInt32) { set(.number(JSONNumber(Int64(value)))) }
    func encode(_ value: UInt64) { set(.number(JSONNumber(value))) }
    func encode(_ value: some Encodable) throws { set(try Self.tree(of: value, path: path)) }
}
