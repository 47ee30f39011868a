import Domain
import MCP

/// What a bridge must know of one line: it hands the line on as it came, and reads only what HTTP asks for.
struct BridgeMessage: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case request(id: JSONValue)
        case notification
        /// To a request of the server's.
        case response
        /// No JSON, a batch, or something else whose refusal is the server's to word.
        case other
    }

    /// As it came, without its line feed.
    let line: [UInt8]
    let kind: Kind
    let method: String?
    let parameters: JSONObject

    init(_ line: [UInt8]) {
        self.line = line
        // What is wrong with it the server tells.
        let members = (try? JSONValue(parsing: line))?.objectValue ?? [:]
        method = members["method"]?.stringValue
        parameters = members["params"]?.objectValue ?? [:]
        let id = members["id"]
        switch (method, id) {
        case (nil, nil): kind = .other
        case (nil, _): kind = members["result"] == nil && members["error"] == nil ? .other : .response
        case (_, nil): kind = .notification
        case (_, .string(let id)): kind = .request(id: .string(id))
        case (_, .number(let id)) where !id.text.contains(where: ".eE".contains):
            kind = .request(id: .number(id))
        default: kind = .other
        }
    }

    var id: JSONValue? { if case .request(let id) = kind { id } else { nil } }

    /// Whether it is answered by what changes from now on.
    var isSubscription: Bool { version != nil && method == "subscriptions/listen" }

    /// The revision that the message itself names: it is of the era without sessions then. One that says what its client can
    /// do is of that era as well, whatever it lacks; the server tells what.
    var version: String? {
        guard let meta = parameters["_meta"] else { return nil }
        if let version = meta[Self.versionKey]?.stringValue { return version }
        let isOfThatEra = meta[Self.versionKey] != nil || meta[Self.capabilitiesKey] != nil
        return isOfThatEra ? ProtocolRevision.july2026.rawValue : nil
    }

    /// What the message is about, for `Mcp-Name`; nil for methods without.
    var name: String? {
        switch method {
        case "tools/call", "prompts/get": parameters["name"]?.stringValue
        case "resources/read": parameters["uri"]?.stringValue
        case let method? where method.hasPrefix("tasks/"): parameters["taskId"]?.stringValue
        default: nil
        }
    }

    /// Which request shall be given up.
    var cancelled: JSONValue? {
        kind == .notification && method == "notifications/cancelled" ? parameters["requestId"] : nil
    }

    static let subscriptionKey = "io.modelcontextprotocol/subscriptionId"
    static let capabilitiesKey = "io.modelcontextprotocol/clientCapabilities"
    static let versionKey = "io.modelcontextprotocol/protocolVersion"
}
