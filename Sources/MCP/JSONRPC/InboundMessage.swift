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

/// The peer's answer to a request of ours.
package struct Response: Sendable, Hashable {
    package enum Outcome: Sendable, Hashable {
        case result(JSONValue)
        case error(JSONValue)
    }

    /// Nil when it is none that could be ours.
    package let id: MessageID?
    package let outcome: Outcome

    package init(id: MessageID?, outcome: Outcome) {
        self.id = id
        self.outcome = outcome
    }
}

/// One message from the peer.
package enum InboundMessage: Sendable, Hashable {
    case request(Request)
    case notification(Notification)
    /// An answer to something we asked; never answered itself.
    case response(Response)
    /// Not a message. Answered with the error, under the id when that much could be read.
    case malformed(ProtocolError, id: MessageID?)
}

/// What one line (or one HTTP body) held.
package enum Inbound: Sendable, Hashable {
    case single(InboundMessage)
    /// An array. Whether the session takes it depends on its revision.
    case batch([InboundMessage])
}
