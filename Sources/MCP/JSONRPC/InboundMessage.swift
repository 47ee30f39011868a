package import Domain

/// A request: it gets exactly one answer, unless it is cancelled first.
package struct Request: Sendable, Hashable {
    package let id: MessageID
    package let method: String
    /// Empty when the message has none.
    package let params: JSONObject

    package init(id: MessageID, method: String, params: JSONObject) {
        self.id = id
        self.method = method
        self.params = params
    }
}

/// A notification: it is never answered.
package struct Notification: Sendable, Hashable {
    package let method: String
    /// Empty when the message has none, or none that is an object.
    package let params: JSONObject

    package init(method: String, params: JSONObject) {
        self.method = method
        self.params = params
    }
}

/// One message from the peer.
package enum InboundMessage: Sendable, Hashable {
    case request(Request)
    case notification(Notification)
    /// An answer to something we asked. So far we ask nothing, so it is dropped; never answered in any case.
    case response(id: MessageID?)
    /// Not a message. Answered with the error, under the id when that much could be read.
    case malformed(ProtocolError, id: MessageID?)
}

/// What one line (or one HTTP body) held.
package enum Inbound: Sendable, Hashable {
    case single(InboundMessage)
    /// An array. Whether the session takes it depends on its revision.
    case batch([InboundMessage])
}
