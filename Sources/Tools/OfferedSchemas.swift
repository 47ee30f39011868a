import Domain

/// Schemas as programs are given them: plain 2020-12 in few tokens.
///
/// Every object has `properties`, which some programs demand, and none names a dialect. How long texts and lists may be is left
/// out: a call is checked against the whole schema, and is told. What a tool answers is described without bounds, without closing
/// its objects, and what is always there only for the answer itself: tests check the rest, and a program that is older than a
/// member should not stumble over it.
extension JSONSchema {
    var offeredInput: JSONSchema { JSONSchema(json: Self.plain(json, isAnswer: false)) }
    var offeredAnswer: JSONSchema { JSONSchema(json: Self.plain(json, isAnswer: true)) }

    private static let lengths: Set<String> = ["minLength", "maxLength", "minItems", "maxItems"]
    private static let bounds: Set<String> = ["minimum", "maximum", "format"]

    private static func plain(_ schema: JSONValue, isAnswer: Bool, isWhole: Bool = true) -> JSONValue {
        guard case .object(let keywords) = schema else { return schema }
        var result = JSONObject()
        for (key, value) in keywords {
            if key == "$schema" || lengths.contains(key) || isAnswer && bounds.contains(key) { continue }
            if !isWhole, key == "additionalProperties" && value == false || isAnswer && key == "required" { continue }
            switch (key, value) {
            case ("properties", .object(let members)), ("$defs", .object(let members)):
                result[key] = .object(
                    JSONObject(
                        members.map { (key: $0.key, value: plain($0.value, isAnswer: isAnswer, isWhole: false)) }
                    )
                )
            case ("anyOf", .array(let schemas)), ("oneOf", .array(let schemas)), ("allOf", .array(let schemas)):
                result[key] = .array(schemas.map { plain($0, isAnswer: isAnswer, isWhole: false) })
            case ("additionalProperties", .bool(false)) where isAnswer: continue
            case ("additionalProperties", .object(let inner)) where isAnswer && inner.isEmpty: continue
            case ("items", _), ("additionalProperties", _):
                result[key] = plain(value, isAnswer: isAnswer, isWhole: false)
            default: result[key] = value
            }
        }
        if result["type"] == "object", result["properties"] == nil { result["properties"] = [:] }
        return .object(result)
    }
}
