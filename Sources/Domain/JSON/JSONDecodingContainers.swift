struct JSONKeyedDecodingContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    private let document: JSONDocument
    private let path: JSONCodingPath?
    private let members: JSONMemberIndex

    init(_ place: JSONPlace) {
        document = place.document
        path = place.path
        members = JSONMemberIndex(document, object: place.position)
    }

    var codingPath: [any CodingKey] { JSONCodingPath.keys(path) }
    var allKeys: [Key] { members.keys.compactMap(Key.init(stringValue:)) }

    func contains(_ key: Key) -> Bool { members.value(of: key.stringValue) != nil }

    /// The member at `key`.
    private func member(_ key: some CodingKey) throws -> JSONPlace {
        guard let position = members.value(of: key.stringValue) else {
            throw DecodingError.keyNotFound(key, .init(codingPath: codingPath, debugDescription: "missing"))
        }
        return JSONPlace(document: document, position: position, parent: path, step: .key(key))
    }

    func decodeNil(forKey key: Key) throws -> Bool {
        guard let position = members.value(of: key.stringValue) else { return try member(key).isNull }
        return document.isNull(position)
    }

    func decode(_ type: Bool.Type, forKey key: Key) throws -> Bool { try member(key).bool() }
    func decode(_ type: String.Type, forKey key: Key) throws -> String { try member(key).string() }
    func decode(_ type: Double.Type, forKey key: Key) throws -> Double { try member(key).double() }
    func decode(_ type: Float.Type, forKey key: Key) throws -> Float { try member(key).float() }
    func decode(_ type: Int.Type, forKey key: Key) throws -> Int { try member(key).integer(type) }
    func decode(_ type: Int8.Type, forKey key: Key) throws -> Int8 { try member(key).integer(type) }
    func decode(_ type: Int16.Type, forKey key: Key) throws -> Int16 { try member(key).integer(type) }
    func decode(_ type: Int32.Type, forKey key: Key) throws -> Int32 { try member(key).integer(type) }
    func decode(_ type: Int64.Type, forKey key: Key) throws -> Int64 { try member(key).integer(type) }
    func decode(_ type: UInt.Type, forKey key: Key) throws -> UInt { try member(key).integer(type) }
    func decode(_ type: UInt8.Type, forKey key: Key) throws -> UInt8 { try member(key).integer(type) }
    func decode(_ type: UInt16.Type, forKey key: Key) throws -> UInt16 { try member(key).integer(type) }
    func decode(_ type: UInt32.Type, forKey key: Key) throws -> UInt32 { try member(key).integer(type) }
    func decode(_ type: UInt64.Type, forKey key: Key) throws -> UInt64 { try member(key).integer(type) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try member(key).decode(type) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type,
        forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try member(key).keyedContainer(type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { JSONTapeDecoder(try member(JSONCodingKey.super)) }
    func superDecoder(forKey key: Key) throws -> any Decoder { JSONTapeDecoder(try member(key)) }
}

struct JSONUnkeyedDecodingContainer: UnkeyedDecodingContainer {
    private let document: JSONDocument
    private let path: JSONCodingPath?
    /// Of the next element, on the tape, and behind the last one.
    private var position: Int
    private let end: Int
    private(set) var currentIndex = 0
    let count: Int?

    init(_ place: JSONPlace) {
        document = place.document
        path = place.path
        position = place.position + 1
        end = document.next(place.position)
        count = document.entry(place.position).count
    }

    var codingPath: [any CodingKey] { JSONCodingPath.keys(path) }
    var isAtEnd: Bool { position >= end }

    /// Reads the next element; stays before it when that throws.
    @inline(__always)
    private mutating func element<T>(_ read: (JSONPlace) throws -> T) throws -> T {
        guard !isAtEnd else {
            let path = codingPath + [JSONCodingKey(index: currentIndex)]
            throw DecodingError.valueNotFound(
                T.self,
                .init(codingPath: path, debugDescription: "the array has only \(currentIndex) elements")
            )
        }
        let step = JSONCodingPath.Step.index(currentIndex)
        let result = try read(JSONPlace(document: document, position: position, parent: path, step: step))
        position = document.next(position)
        currentIndex += 1
        return result
    }

    mutating func decodeNil() throws -> Bool {
        guard isAtEnd || document.isNull(position) else { return false }
        return try element { $0.isNull }
    }

    mutating func decode(_ type: Bool.Type) throws -> Bool { try element { try $0.bool() } }
    mutating func decode(_ type: String.Type) throws -> String { try element { try $0.string() } }
    mutating func decode(_ type: Double.Type) throws -> Double { try element { try $0.double() } }
    mutating func decode(_ type: Float.Type) throws -> Float { try element { try $0.float() } }
    mutating func decode(_ type: Int.Type) throws -> Int { try element { try $0.integer(type) } }
    mutating func decode(_ type: Int8.Type) throws -> Int8 { try element { try $0.integer(type) } }
    mutating func decode(_ type: Int16.Type) throws -> Int16 { try element { try $0.integer(type) } }
    mutating func decode(_ type: Int32.Type) throws -> Int32 { try element { try $0.integer(type) } }
    mutating func decode(_ type: Int64.Type) throws -> Int64 { try element { try $0.integer(type) } }
    mutating func decode(_ type: UInt.Type) throws -> UInt { try element { try $0.integer(type) } }
    mutating func decode(_ type: UInt8.Type) throws -> UInt8 { try element { try $0.integer(type) } }
    mutating func decode(_ type: UInt16.Type) throws -> UInt16 { try element { try $0.integer(type) } }
    mutating func decode(_ type: UInt32.Type) throws -> UInt32 { try element { try $0.integer(type) } }
    mutating func decode(_ type: UInt64.Type) throws -> UInt64 { try element { try $0.integer(type) } }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try element { try $0.decode(type) } }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try element { try $0.keyedContainer(type) }
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try element { try $0.unkeyedContainer() }
    }

    mutating func superDecoder() throws -> any Decoder { JSONTapeDecoder(try element { $0 }) }
}
