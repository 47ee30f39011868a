package import Domain

/// One message to the peer.
package enum OutboundMessage: Sendable, Hashable {
    case result(id: MessageID, JSONValue)
    /// Without an id when the message it answers had none that could be read; JSON-RPC writes that as null.
    case failure(id: MessageID?, ProtocolError)
    /// The answers to a batch, in the order in which they became ready.
    case batch([OutboundMessage])
    /// Something we ask.
    case request(id: MessageID, method: String, params: JSONObject)
    case notification(method: String, params: JSONObject)

    package var json: JSONValue {
        switch self {
        case .result(let id, let result):
            return ["jsonrpc": "2.0", "id": id.json, "result": result]
        case .failure(let id, let error):
            return ["jsonrpc": "2.0", "id": id?.json ?? .null, "error": error.json]
        case .batch(let messages):
            return .array(messages.map(\.json))
        case .request(let id, let method, let params):
            return ["jsonrpc": "2.0", "id": id.json, "method": .string(method), "params": .object(params)]
        case .notification(let method, let params):
            var members: JSONObject = ["jsonrpc": "2.0", "method": .string(method)]
            if !params.isEmpty { members["params"] = .object(params) }
            return .object(members)
        }
    }

    /// Whether it answers what came in, and is no request or notification of ours.
    package var isAnswer: Bool {
        switch self {
        case .result, .failure, .batch: true
        case .request, .notification: false
        }
    }
}
