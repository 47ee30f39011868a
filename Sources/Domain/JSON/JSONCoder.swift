/// Typed values from JSON and back, by `Codable`.
public enum JSONCoder {
    /// Reads a document as `type`.
    ///
    /// - Throws: `JSONError` with a position when the bytes are no JSON, with a path when they don't fit the type;
    ///   and whatever else the type's own `init(from:)` throws.
    public static func decode<T: Decodable>(
        _ type: T.Type,
        from bytes: [UInt8],
        limits: JSONLimits = .standard
    ) throws -> T {
        try JSONTapeDecoder.decode(type, from: JSONDocument(scanning: bytes, limits: limits))
    }

    public static func decode<T: Decodable>(_ type: T.Type, from value: JSONValue) throws -> T {
        try decode(type, from: value.encoded(), limits: .trusted)
    }

    /// Compact JSON in the order the type encodes; the keys of dictionaries sorted by their bytes.
    ///
    /// - Throws: `JSONError` `notRepresentable` for NaN and infinities; and what the type's own `encode(to:)` throws.
    public static func encode<T: Encodable>(_ value: T) throws -> [UInt8] {
        var writer = JSONWriter(byteLimit: .max)
        try JSONTreeEncoder.tree(of: value).write(to: &writer)
        return try writer.finish()
    }

    public static func value<T: Encodable>(of value: T) throws -> JSONValue {
        try JSONTreeEncoder.tree(of: value).value
    }
}
