/// A JSON Schema (2020-12) of the few keywords we use, as the JSON it is.
///
/// Built from parts: `.object(["name": .string(description: "…")], required: ["name"])`. Members stand in the
/// order of keywords here, so the text is stable.
public struct JSONSchema: Sendable, Hashable {
    public let json: JSONValue

    /// Takes any schema. Keywords that `violations(of:)` doesn't know are carried along and not checked.
    public init(json: JSONValue) { self.json = json }

    /// Takes everything.
    public static let any = JSONSchema(json: [:])
    public static let null = JSONSchema.ofType("null")

    /// Members that are not named are refused, unless `additionalProperties` says how they look.
    public static func object(
        properties: KeyValuePairs<String, JSONSchema>,
        required: [String] = [],
        additionalProperties: JSONSchema? = nil,
        description: String? = nil
    ) -> JSONSchema {
        ofType("object", description: description) { members in
            members["properties"] = .object(JSONObject(properties.lazy.map { (key: $0.key, value: $0.value.json) }))
            if !required.isEmpty { members["required"] = .array(required.map { .string($0) }) }
            members["additionalProperties"] = additionalProperties?.json ?? false
        }
    }

    /// An object with any keys, all values alike.
    public static func dictionary(of value: JSONSchema, description: String? = nil) -> JSONSchema {
        ofType("object", description: description) { $0["additionalProperties"] = value.json }
    }

    /// Lengths count Unicode scalars. `format` is for the reader; it is not checked.
    public static func string(
        description: String? = nil,
        enum values: [String]? = nil,
        minLength: Int? = nil,
        maxLength: Int? = nil,
        format: String? = nil,
        default defaultValue: String? = nil
    ) -> JSONSchema {
        ofType("string", description: description) { members in
            members["enum"] = values.map { .array($0.map { .string($0) }) }
            members["minLength"] = minLength.map { .number(JSONNumber($0)) }
            members["maxLength"] = maxLength.map { .number(JSONNumber($0)) }
            members["format"] = format.map { .string($0) }
            members["default"] = defaultValue.map { .string($0) }
        }
    }

    public static func integer(
        description: String? = nil,
        minimum: Int? = nil,
        maximum: Int? = nil,
        default defaultValue: Int? = nil
    ) -> JSONSchema {
        ofType("integer", description: description) { members in
            members["minimum"] = minimum.map { .number(JSONNumber($0)) }
            members["maximum"] = maximum.map { .number(JSONNumber($0)) }
            members["default"] = defaultValue.map { .number(JSONNumber($0)) }
        }
    }

    /// Bounds must be finite.
    public static func number(
        description: String? = nil,
        minimum: Double? = nil,
        maximum: Double? = nil,
        default defaultValue: Double? = nil
    ) -> JSONSchema {
        ofType("number", description: description) { members in
            members["minimum"] = minimum.map { JSONValue(floatLiteral: $0) }
            members["maximum"] = maximum.map { JSONValue(floatLiteral: $0) }
            members["default"] = defaultValue.map { JSONValue(floatLiteral: $0) }
        }
    }

    public static func boolean(description: String? = nil, default defaultValue: Bool? = nil) -> JSONSchema {
        ofType("boolean", description: description) { $0["default"] = defaultValue.map { .bool($0) } }
    }

    public static func array(
        of items: JSONSchema,
        description: String? = nil,
        minItems: Int? = nil,
        maxItems: Int? = nil
    ) -> JSONSchema {
        ofType("array", description: description) { members in
            members["items"] = items.json
            members["minItems"] = minItems.map { .number(JSONNumber($0)) }
            members["maxItems"] = maxItems.map { .number(JSONNumber($0)) }
        }
    }

    public static func constant(_ value: JSONValue) -> JSONSchema { JSONSchema(json: ["const": value]) }

    public static func anyOf(_ alternatives: [JSONSchema], description: String? = nil) -> JSONSchema {
        alternative("anyOf", alternatives, description)
    }

    public static func oneOf(_ alternatives: [JSONSchema], description: String? = nil) -> JSONSchema {
        alternative("oneOf", alternatives, description)
    }

    /// The same, or null.
    public var nullable: JSONSchema {
        guard case .object(var members) = json, case .string(let type)? = members["type"], members["enum"] == nil
        else { return .anyOf([self, .null]) }
        members["type"] = [.string(type), "null"]
        return JSONSchema(json: .object(members))
    }

    public func described(_ description: String) -> JSONSchema { with("description", .string(description)) }
    public func titled(_ title: String) -> JSONSchema { with("title", .string(title)) }
    public func defaulting(to value: JSONValue) -> JSONSchema { with("default", value) }

    private func with(_ keyword: String, _ value: JSONValue) -> JSONSchema {
        guard case .object(var members) = json else {
            return json == true ? JSONSchema.any.with(keyword, value) : self
        }
        members[keyword] = value
        return JSONSchema(json: .object(members))
    }

    private static func ofType(
        _ type: String,
        description: String? = nil,
        _ add: (inout JSONObject) -> Void = { _ in }
    ) -> JSONSchema {
        var members: JSONObject = ["type": .string(type)]
        members["description"] = description.map { .string($0) }
        add(&members)
        return JSONSchema(json: .object(members))
    }

    private static func alternative(_ keyword: String, _ schemas: [JSONSchema], _ description: String?) -> JSONSchema {
        var members = JSONObject()
        members["description"] = description.map { .string($0) }
        members[keyword] = .array(schemas.map(\.json))
        return JSONSchema(json: .object(members))
    }
}

extension JSONSchema: Codable {
    public init(from decoder: any Decoder) throws { json = try JSONValue(from: decoder) }
    public func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}
