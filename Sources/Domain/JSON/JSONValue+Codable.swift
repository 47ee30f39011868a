// `JSONCoder` takes these types as they are. Below that is for other decoders and encoders, such as Foundation's:
// there numbers pass as Int64, UInt64 or Double, and an object's order is up to the other side.

extension JSONValue: Codable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONTapeDecoder {
            self = try decoder.place.decode(JSONValue.self)
            return
        }
        // Which kind of value it is can only be found by trying; each failure says that it is another kind.
        if let object = try? JSONObject(from: decoder) {
            self = .object(object)
        } else if let array = try? [JSONValue](from: decoder) {
            self = .array(array)
        } else {
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let value = try? container.decode(Bool.self) {
                self = .bool(value)
            } else if let value = try? container.decode(String.self) {
                self = .string(value)
            } else {
                self = .number(try JSONNumber(from: decoder))
            }
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? JSONTreeEncoder { return try encoder.set(self) }
        switch self {
        case .array(let elements): return try elements.encode(to: encoder)
        case .object(let members): return try members.encode(to: encoder)
        case .number(let number): return try number.encode(to: encoder)
        case .null, .bool, .string: break
        }
        var container = encoder.singleValueContainer()
        switch self {
        case .bool(let value): try container.encode(value)
        case .string(let value): try container.encode(value)
        default: try container.encodeNil()
        }
    }
}

extension JSONObject: Codable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONTapeDecoder {
            self = try decoder.place.decode(JSONObject.self)
            return
        }
        let container = try decoder.container(keyedBy: JSONCodingKey.self)
        self.init()
        for key in container.allKeys { self[key.stringValue] = try container.decode(JSONValue.self, forKey: key) }
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? JSONTreeEncoder { return try encoder.set(self) }
        var container = encoder.container(keyedBy: JSONCodingKey.self)
        for (key, value) in self { try container.encode(value, forKey: JSONCodingKey(stringValue: key)) }
    }
}

extension JSONNumber: Codable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONTapeDecoder {
            self = try decoder.place.decode(JSONNumber.self)
            return
        }
        let container = try decoder.singleValueContainer()
        if let value = try? container.decode(Int64.self) {
            self.init(value)
        } else if let value = try? container.decode(UInt64.self) {
            self.init(value)
        } else if let number = JSONNumber(try container.decode(Double.self)) {
            self = number
        } else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected a finite number")
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? JSONTreeEncoder { return try encoder.set(self) }
        var container = encoder.singleValueContainer()
        if let value = int64Value {
            try container.encode(value)
        } else if let value = uint64Value {
            try container.encode(value)
        } else {
            try container.encode(doubleValue)
        }
    }
}

extension RawJSON: Codable {
    public init(from decoder: any Decoder) throws {
        if let decoder = decoder as? JSONTapeDecoder {
            self = try decoder.place.decode(RawJSON.self)
        } else {
            self.init(try JSONValue(from: decoder))
        }
    }

    public func encode(to encoder: any Encoder) throws {
        if let encoder = encoder as? JSONTreeEncoder { return try encoder.set(self) }
        try value.encode(to: encoder)
    }
}
