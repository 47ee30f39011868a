/// `Codable`'s decoder of one value that is not a scalar, and its own container when the type wants just one value.
final class JSONTapeDecoder: Decoder, SingleValueDecodingContainer {
    let place: JSONPlace

    init(_ place: JSONPlace) { self.place = place }

    static func decode<T: Decodable>(_ type: T.Type, from document: JSONDocument) throws -> T {
        do {
            return try JSONPlace(document: document, position: 0).decode(type)
        } catch let error as DecodingError {
            throw JSONError(error)
        }
    }

    var codingPath: [any CodingKey] { place.codingPath }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try place.keyedContainer(type)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer { try place.unkeyedContainer() }
    func singleValueContainer() -> any SingleValueDecodingContainer { self }

    func decodeNil() -> Bool { place.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try place.bool() }
    func decode(_ type: String.Type) throws -> String { try place.string() }
    func decode(_ type: Double.Type) throws -> Double { try place.double() }
    func decode(_ type: Float.Type) throws -> Float { try place.float() }
    func decode(_ type: Int.Type) throws -> Int { try place.integer(type) }
    func decode(_ type: Int8.Type) throws -> Int8 { try place.integer(type) }
    func decode(_ type: Int16.Type) throws -> Int16 { try place.integer(type) }
    func decode(_ type: Int32.Type) throws -> Int32 { try place.integer(type) }
    func decode(_ type: Int64.Type) throws -> Int64 { try place.integer(type) }
    func decode(_ type: UInt.Type) throws -> UInt { try place.integer(type) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try place.integer(type) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try place.integer(type) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try place.integer(type) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try place.integer(type) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try place.decode(type) }
}
