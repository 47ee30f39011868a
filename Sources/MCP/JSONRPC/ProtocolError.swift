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
        /// A resource that is not there, before 2026-07-28.
        case resourceNotFound = -32002
        /// From 2026-07-28 on: a header of HTTP says something else than the message.
        case headerMismatch = -32020
        /// From 2026-07-28 on: the client did not say that it can do what is needed.
        case missingClientCapability = -32021
        /// From 2026-07-28 on. A client that gets it falls back to a revision it lists.
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

    static func headerMismatch(_ message: String) -> Self { Self(.headerMismatch, message) }

    /// - Parameter requested: the client's text.
    static func unsupportedVersion(_ requested: String) -> Self {
        Self(
            .unsupportedProtocolVersion,
            "This server does not speak that revision of the protocol",
            data: [
                "supported": .array(ProtocolRevision.newestFirst.map { .string($0.rawValue) }),
                "requested": .string(String(requested.prefix(versionCharactersMax))),
            ]
        )
    }

    /// How much of a version, which is the client's text, is repeated.
    private static var versionCharactersMax: Int { 64 }

    static func missingCapability(_ ability: CallerAbility) -> Self {
        let (name, members): (String, JSONObject) =
            switch ability {
            case .form: ("elicitation", [:])
            case .url: ("elicitation", ["url": [:]])
            case .sampling: ("sampling", [:])
            case .roots: ("roots", [:])
            }
        return Self(
            .missingClientCapability,
            "This needs the client capability '\(name)', which the request does not declare",
            data: ["requiredCapabilities": [name: .object(members)]]
        )
    }

    static func lineTooLong(byteCountMax: Int) -> Self {
        Self(.invalidRequest, "The message is longer than \(byteCountMax) bytes and was skipped")
    }
}
