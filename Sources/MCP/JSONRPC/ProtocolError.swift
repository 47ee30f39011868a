package import Domain

/// An error reply of JSON-RPC: the peer broke the protocol, or we could not serve the request at all.
///
/// A tool that fails is not one of these: that is a result the model can read (`ToolResult.isError`).
package struct ProtocolError: Error, Sendable, Hashable {
    package enum Code: Int, Sendable, CaseIterable {
        case parseError = -32700
        case invalidRequest = -32600
        case methodNotFound = -32601
        case invalidParams = -32602
        case internalError = -32603
        /// Named by revision 2026-07-28. A client that gets it falls back to a revision it lists.
        case unsupportedProtocolVersion = -32022
        /// Our own, outside the range JSON-RPC keeps: too many requests in flight, try again after an answer.
        case busy = -31000
    }

    package let code: Code
    /// Safe to show; names what was expected.
    package let message: String
    package let data: JSONValue?

    package init(_ code: Code, _ message: String, data: JSONValue? = nil) {
        self.code = code
        self.message = message
        self.data = data
    }

    package var json: JSONValue {
        var members: JSONObject = ["code": .number(JSONNumber(code.rawValue)), "message": .string(message)]
        if let data { members["data"] = data }
        return .object(members)
    }
}

extension ProtocolError {
    static func invalidRequest(_ message: String) -> Self { Self(.invalidRequest, message) }
    static func invalidParams(_ message: String) -> Self { Self(.invalidParams, message) }

    static func lineTooLong(byteCountMax: Int) -> Self {
        Self(.invalidRequest, "The message is longer than \(byteCountMax) bytes and was skipped")
    }
}
