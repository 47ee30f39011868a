package import Domain

/// Names one piece of work of a session; never used twice.
package struct WorkID: Sendable, Hashable, Comparable {
    package let number: Int

    package init(number: Int) { self.number = number }

    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}

/// Names one delivery from the client: a line, or the body of one HTTP request. What is said in answer to it carries
/// the same name, so that a transport with a way back for each delivery finds it.
package struct ExchangeID: Sendable, Hashable {
    package let number: Int

    package init(number: Int) { self.number = number }

    /// For transports with one way back for everything.
    package static let only = ExchangeID(number: 0)
}

/// What a session cannot do by itself, because it waits for something.
package enum Work: Sendable, Hashable {
    case listTools
    case callTool(ToolCall)
}

/// How a piece of work ended.
package enum WorkOutcome: Sendable {
    case tools([ToolDefinition])
    case called(ToolResult)
    /// The request cannot be served: an unknown tool, or a list that failed.
    case refused(ProtocolError)
}

/// What happens to a session.
package enum SessionEvent: Sendable {
    case received(Inbound, ExchangeID = .only)
    case finished(WorkID, WorkOutcome)
    /// The deadline of the request passed.
    case expired(WorkID)
    /// Nobody will wait any longer: what is still in flight is answered with an error and given up.
    case stopping
}

/// What the driver is to do, in this order.
package enum SessionAction: Sendable {
    case send(OutboundMessage, ExchangeID)
    /// Nothing more will be said about what came in with the exchange; perhaps nothing was said at all.
    case settle(ExchangeID)
    case start(WorkID, Work)
    /// Stop the work. Its outcome, should one still come, is ignored.
    case cancel(WorkID)
}
