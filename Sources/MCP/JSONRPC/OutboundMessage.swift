package import Domain

/// One message to the peer.
package enum OutboundMessage: Sendable, Hashable {
    case result(id: MessageID, JSONValue)
    /// Without an id when the message it answers had none that could be read; JSON-RPC writes that as null.
    case failure(id: MessageID?, ProtocolError)
    /// The answers to a batch, in the order in which they became ready.
    case batch([OutboundMessage])

    package var json: JSONValue {
        switch self {
        case .result(let id, let result):
            ["jsonrpc": "2.0", "id": id.json, "result": result]
        case .failure(let id, let error):
            ["jsonrpc": "2.0", "id": id?.json ?? .null, "error": error.json]
        case .batch(let messages):
            .array(messages.map(\.json))
        }
    }
}
