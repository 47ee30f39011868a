/// One way in which a value does not fit its schema.
public struct JSONSchemaViolation: Sendable, Hashable, CustomStringConvertible {
    /// JSON pointer (RFC 6901) to the offending value; empty for the whole.
    public let path: String
    /// Says what was expected, fit for a language model to mend its call.
    public let message: String

    public init(path: String, message: String) {
        self.path = path
        self.message = message
    }

    public var description: String { path.isEmpty ? message : "\(path): \(message)" }
}

extension JSONSchema {
    /// Everything in `value` that does not fit, in the document's order, at most `limit`; empty when all fits.
    ///
    /// Messages name types, bounds, allowed values and keys, never the value itself.
    public func violations(of value: JSONValue, limit: Int = 20) -> [JSONSchemaViolation] {
        var validation = JSONSchemaValidation(limit: limit)
        validation.check(value, against: json, path: "")
        return validation.violations
    }
}
