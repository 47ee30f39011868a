package import Domain

/// Names one piece of work of a session; never used twice.
package struct WorkID: Sendable, Hashable, Comparable {
    package let number: Int

    package init(number: Int) { self.number = number }

    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
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
    case received(Inbound)
    case finished(WorkID, WorkOutcome)
    /// The deadline of the request passed.
    case expired(WorkID)
    /// Nobody will wait any longer: what is still in flight is answered with an error and given up.
    case stopping
}

/// What the driver is to do, in this order.
package enum SessionAction: Sendable {
    case send(OutboundMessage)
    case start(WorkID, Work)
    /// Stop the work. Its outcome, should one still come, is ignored.
    case cancel(WorkID)
}
