package import Domain

/// Bytes of one message to `Inbound`. Total: whatever cannot be read becomes `.malformed`.
package enum MessageDecoder {
    /// Reads one line or body; nil when it holds nothing but white space.
    ///
    /// - Parameter byteCountMax: of the whole message, all of which may be one string.
    package static func decode(_ bytes: [UInt8], byteCountMax: Int = Limits.jsonBytes) -> Inbound? {
        guard !bytes.allSatisfy(isWhitespace) else { return nil }
        let value: JSONValue
        do {
            value = try JSONValue(parsing: bytes, limits: JSONLimits(bytes: byteCountMax, stringBytes: byteCountMax))
        } catch {
            let code: ProtocolError.Code = error.kind == .tooLarge ? .invalidRequest : .parseError
            return .single(.malformed(ProtocolError(code, "Not readable as JSON: \(error.message)"), id: nil))
        }
        return decode(value)
    }

    package static func decode(_ value: JSONValue) -> Inbound {
        if case .array(let elements) = value { return .batch(elements.map(message)) }
        return .single(message(value))
    }

    private static func message(_ value: JSONValue) -> InboundMessage {
        guard case .object(let members) = value else {
            return .malformed(.invalidRequest("A message is a JSON object, not \(value.kindName)"), id: nil)
        }
        let id = members["id"].flatMap(MessageID.init)
        guard let method = members["method"] else {
            if let error = members["error"] { return .response(Response(id: id, outcome: .error(error))) }
            if let result = members["result"] { return .response(Response(id: id, outcome: .result(result))) }
            return .malformed(.invalidRequest("The message has no 'method'"), id: id)
        }
        guard members["jsonrpc"]?.stringValue == "2.0" else {
            return .malformed(.invalidRequest("'jsonrpc' must be '2.0'"), id: id)
        }
        guard let method = method.stringValue else {
            return .malformed(.invalidRequest("'method' must be a string, not \(method.kindName)"), id: id)
        }
        guard let idValue = members["id"] else {
            return .notification(Notification(method: method, params: members["params"]?.objectValue ?? [:]))
        }
        guard let id else {
            return .malformed(
                .invalidRequest("'id' must be a string or an integer, not \(idValue.kindName)"),
                id: nil
            )
        }
        guard let params = members["params"] else { return .request(Request(id: id, method: method, params: [:])) }
        guard let params = params.objectValue else {
            return .malformed(.invalidParams("'params' must be an object, not \(params.kindName)"), id: id)
        }
        return .request(Request(id: id, method: method, params: params))
    }

    private static func isWhitespace(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D
    }
}

extension JSONValue {
    /// For error messages.
    var kindName: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number(let number): number.hasIntegerLiteral ? "an integer" : "a number that is no integer"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }
}
