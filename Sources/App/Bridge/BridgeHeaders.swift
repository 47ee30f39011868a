import Domain
import Foundation
import MCP

/// The headers in which the era without sessions repeats what stands in a message, so that what is in between can route it.
struct BridgeHeaders: Sendable {
    /// Where an argument stands, and what its header is called.
    struct Parameter: Sendable, Hashable {
        let path: [String]
        let name: String
    }

    /// By tool; those that were listed so far.
    private(set) var tools: [String: [Parameter]] = [:]

    /// Takes in the tools of one page of `tools/list`.
    mutating func learn(_ page: JSONValue) {
        for tool in page["tools"]?.arrayValue ?? [] {
            guard let name = tool["name"]?.stringValue else { continue }
            tools[name] = Self.parameters(of: tool["inputSchema"] ?? .null, at: [])
        }
    }

    mutating func forget() { tools = [:] }

    /// For a message of that era; none for another one.
    ///
    /// - Parameter assumed: the revision of a message that names none.
    func headers(
        of message: BridgeMessage,
        assuming assumed: ProtocolRevision? = nil
    ) -> [(name: String, value: String)] {
        guard let version = message.version ?? assumed?.rawValue, let method = message.method else { return [] }
        var headers = [(name: "MCP-Protocol-Version", value: version), (name: "Mcp-Method", value: Self.value(method))]
        if let name = message.name { headers.append((name: "Mcp-Name", value: Self.value(name))) }
        guard method == "tools/call", let tool = message.name else { return headers }
        let arguments = message.parameters["arguments"] ?? .null
        for parameter in tools[tool] ?? [] {
            let found = parameter.path.reduce(Optional(arguments)) { $0?[$1] }
            guard let text = found.flatMap(Self.text) else { continue }
            headers.append((name: "Mcp-Param-\(parameter.name)", value: Self.value(text)))
        }
        return headers
    }

    /// Values that HTTP would not carry as they are, or that look as if they were encoded, go in base64.
    static func value(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
        let isPadded = text.hasPrefix(" ") || text.hasSuffix(" ")
        let looksEncoded = text.hasPrefix("=?base64?") && text.hasSuffix("?=")
        if isPlain, !isPadded, !looksEncoded, !text.isEmpty { return text }
        return "=?base64?\(Data(text.utf8).base64EncodedString())?="
    }

    /// Only strings, whole numbers and truth values have headers.
    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text): text
        case .number(let number): number.isInteger ? number.text : nil
        case .bool(let value): value ? "true" : "false"
        case .null, .array, .object: nil
        }
    }

    private static func parameters(of schema: JSONValue, at path: [String]) -> [Parameter] {
        guard path.count < 16, let properties = schema["properties"]?.objectValue else { return [] }
        return properties.flatMap { key, property -> [Parameter] in
            let inner = parameters(of: property, at: path + [key])
            guard let name = property["x-mcp-header"]?.stringValue, isToken(name) else { return inner }
            return [Parameter(path: path + [key], name: name)] + inner
        }
    }

    /// RFC 9110, section 5.6.2.
    private static func isToken(_ text: String) -> Bool {
        let others = Array("!#$%&'*+-.^_`|~".utf8)
        return !text.isEmpty && text.utf8.count <= 128
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: others.contains(byte)
                }
            }
    }
}
