import Domain
import Foundation

/// The headers of a request of 2026-07-28, which repeat what its body says so that whoever is on the way can act on it; they must
/// say the same (Streamable HTTP, "Request Headers").
struct RequestHeaders {
    let headers: EndpointRequest.Headers

    /// Checks what the message alone tells.
    ///
    /// - Throws: `.headerMismatch`; `.unsupportedProtocolVersion`, whose headers may be others.
    func check(_ request: Request) throws(ProtocolError) {
        let named = request.meta?[MetaKey.protocolVersion]
        guard let version = headers.protocolVersions.first else {
            throw .headerMismatch("The header MCP-Protocol-Version is missing")
        }
        if let named, named.stringValue != version {
            throw .headerMismatch("MCP-Protocol-Version and '\(MetaKey.protocolVersion)' differ")
        }
        if named != nil, ProtocolRevision(rawValue: version)?.hasHandshake != false {
            throw .unsupportedVersion(version)
        }
        guard let method = headers.methods.first else { throw .headerMismatch("The header Mcp-Method is missing") }
        guard method == request.method else { throw .headerMismatch("Mcp-Method and 'method' differ") }
        guard let member = Self.nameMembers[request.method], let name = request.params[member]?.stringValue else {
            return
        }
        guard let text = headers.names.first else { throw .headerMismatch("The header Mcp-Name is missing") }
        guard try Self.decoded(text, of: "Mcp-Name") == name else {
            throw .headerMismatch("Mcp-Name and 'params.\(member)' differ")
        }
    }

    /// Checks the headers that the tool's schema asks for: a property with `x-mcp-header` has its argument repeated there.
    ///
    /// - Throws: `.headerMismatch`
    func check(_ call: ToolCall, of tool: ToolDefinition) throws(ProtocolError) {
        try check(.object(call.arguments), tool.inputSchema.json, depth: 0)
    }

    private func check(_ value: JSONValue, _ schema: JSONValue, depth: Int) throws(ProtocolError) {
        guard depth < Self.depthMax, let properties = schema["properties"]?.objectValue else { return }
        for (name, property) in properties {
            let argument = value[name]
            if let header = property["x-mcp-header"]?.stringValue {
                try check(argument, against: header, name)
            } else if let argument {
                try check(argument, property, depth: depth + 1)
            }
        }
    }

    private func check(_ argument: JSONValue?, against header: String, _ name: String) throws(ProtocolError) {
        let label = "Mcp-Param-\(header)"
        let values = headers.params[header.lowercased()] ?? []
        guard let argument, argument.isScalar else {
            guard values.isEmpty else {
                throw .headerMismatch("\(label) is sent without the argument '\(name)', or with one that has no header")
            }
            return
        }
        guard let text = values.first else { throw .headerMismatch("The header \(label) is missing") }
        guard values.count == 1 else { throw .headerMismatch("The header \(label) is sent twice") }
        let decoded = try Self.decoded(text, of: label)
        guard Self.agrees(decoded, argument) else {
            throw .headerMismatch("\(label) and the argument '\(name)' differ")
        }
    }

    private static func agrees(_ text: String, _ argument: JSONValue) -> Bool {
        switch argument {
        case .string(let string): text == string
        case .bool(let flag): text == (flag ? "true" : "false")
        case .number(let number): JSONNumber(literal: text).map { agrees($0, number) } ?? false
        default: false
        }
    }

    /// Whole numbers digit by digit, since a Double has no place for long ones.
    private static func agrees(_ left: JSONNumber, _ right: JSONNumber) -> Bool {
        if left.text == right.text { return true }
        if left.hasIntegerLiteral, right.hasIntegerLiteral { return left.doubleValue == 0 && right.doubleValue == 0 }
        return left.doubleValue == right.doubleValue
    }

    /// A header's value: as it stands, or in base64 between markers.
    private static func decoded(_ text: String, of header: String) throws(ProtocolError) -> String {
        guard text.hasPrefix(prefix), text.hasSuffix(suffix), text.utf8.count >= prefix.utf8.count + suffix.utf8.count
        else { return text }
        let payload = String(text.dropFirst(prefix.count).dropLast(suffix.count))
        // Exactly one text for each run of bytes: with padding, and no bits to spare.
        guard let bytes = Data(base64Encoded: payload), bytes.base64EncodedString() == payload,
            let decoded = String(validating: bytes, as: UTF8.self)
        else {
            throw .headerMismatch("\(header) is not base64 of UTF-8")
        }
        return decoded
    }

    private static let prefix = "=?base64?"
    private static let suffix = "?="
    private static let depthMax = 8
    private static let nameMembers = ["tools/call": "name", "prompts/get": "name", "resources/read": "uri"]
}

extension JSONValue {
    /// Whether it can be repeated in a header.
    fileprivate var isScalar: Bool {
        switch self {
        case .string, .bool, .number: true
        case .null, .array, .object: false
        }
    }
}
