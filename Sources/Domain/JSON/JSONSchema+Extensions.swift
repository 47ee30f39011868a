extension JSONSchema {
    /// The same without keywords that begin with `x-`: those who bind a model's output to a schema refuse what they don't know.
    public var withoutExtensions: JSONSchema { JSONSchema(json: Self.plain(json)) }

    private static func plain(_ schema: JSONValue) -> JSONValue {
        guard case .object(let keywords) = schema else { return schema }
        var result = JSONObject()
        for (key, value) in keywords where !key.hasPrefix("x-") {
            switch (key, value) {
            case ("properties", .object(let members)), ("$defs", .object(let members)):
                result[key] = .object(JSONObject(members.map { (key: $0.key, value: plain($0.value)) }))
            case ("anyOf", .array(let schemas)), ("oneOf", .array(let schemas)), ("allOf", .array(let schemas)):
                result[key] = .array(schemas.map(plain))
            case ("items", _), ("additionalProperties", _): result[key] = plain(value)
            default: result[key] = value
            }
        }
        return .object(result)
    }
}
