import Domain

/// Reads members of a request, naming the one that is wrong. `null` is as good as absent.
struct OpenAIRequestReader {
    let members: JSONObject
    /// Of this object within the request: empty, or `messages[2]`.
    let path: String

    init(_ value: JSONValue, path: String = "") throws(OpenAIRequestError) {
        guard case .object(let members) = value else {
            let place = path.isEmpty ? "the request" : "'\(path)'"
            throw OpenAIRequestError(
                "\(place) must be an object, not a \(value.typeName)",
                parameter: path.isEmpty ? nil : path
            )
        }
        self.members = members
        self.path = path
    }

    func place(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func value(_ key: String) -> JSONValue? {
        guard let value = members[key], !value.isNull else { return Optional.none }
        return value
    }

    func string(_ key: String) throws(OpenAIRequestError) -> String? {
        guard let value = value(key) else { return nil }
        guard case .string(let text) = value else { throw wrong(key, "a string", value) }
        return text
    }

    func requiredString(_ key: String) throws(OpenAIRequestError) -> String {
        guard let text = try string(key) else { throw missing(key) }
        return text
    }

    func bool(_ key: String) throws(OpenAIRequestError) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .bool(let flag) = value else { throw wrong(key, "a boolean", value) }
        return flag
    }

    func int(_ key: String, in range: ClosedRange<Int>) throws(OpenAIRequestError) -> Int? {
        guard let value = value(key) else { return nil }
        guard let number = value.intValue else { throw wrong(key, "an integer", value) }
        guard range.contains(number) else {
            throw refused(key, "must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    func double(_ key: String, in range: ClosedRange<Double>) throws(OpenAIRequestError) -> Double? {
        guard let value = value(key) else { return nil }
        guard let number = value.doubleValue else { throw wrong(key, "a number", value) }
        guard range.contains(number) else {
            throw refused(key, "must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return number
    }

    func array(_ key: String) throws(OpenAIRequestError) -> [JSONValue]? {
        guard let value = value(key) else { return nil }
        guard case .array(let elements) = value else { throw wrong(key, "an array", value) }
        return elements
    }

    func object(_ key: String) throws(OpenAIRequestError) -> OpenAIRequestReader? {
        guard let value = value(key) else { return nil }
        return try OpenAIRequestReader(value, path: place(key))
    }

    func missing(_ key: String) -> OpenAIRequestError {
        OpenAIRequestError("'\(place(key))' is required", parameter: place(key))
    }

    func wrong(_ key: String, _ expected: String, _ value: JSONValue) -> OpenAIRequestError {
        refused(key, "must be \(expected), not a \(value.typeName)")
    }

    func refused(_ key: String, _ why: String) -> OpenAIRequestError {
        OpenAIRequestError("'\(place(key))' \(why)", parameter: place(key))
    }
}
