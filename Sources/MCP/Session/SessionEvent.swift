package import Domain

/// Names one delivery from the client: a line, or the body of one HTTP request. What is said in answer to it carries
/// the same name, so that a transport with a way back for each delivery finds it.
package struct ExchangeID: Sendable, Hashable {
    package let number: Int

    package init(number: Int) { self.number = number }

    /// For transports with one way back for everything.
    package static let only = ExchangeID(number: 0)
}

/// Where a message goes.
package enum Channel: Sendable, Hashable {
    /// Back to where a delivery came from.
    case exchange(ExchangeID)
    /// To where the client listens for what nobody asked for.
    case unsolicited
}

/// What happens to a session.
package enum SessionEvent: Sendable {
    case received(Inbound, ExchangeID = .only)
    case emitted(WorkID, WorkEmission)
    case finished(WorkID, WorkOutcome)
    /// The time of the request is over.
    case expired(WorkID)
    /// Nobody answered the questions in time.
    case unanswered(WorkID)
    /// Something changed in what a client of a handshake is offered.
    case changed(OfferChange)
    /// The client has gone from an exchange, which is how requests without a session are cancelled.
    case abandoned(ExchangeID)
    /// Nobody will wait any longer: what is still in flight is answered with an error and given up.
    case stopping
}

/// What the driver is to do, in this order.
package enum SessionAction: Sendable {
    case send(OutboundMessage, Channel)
    /// Nothing more will be said about what came in with the exchange; perhaps nothing was said at all.
    case settle(ExchangeID)
    case start(WorkID, Assignment)
    /// Stop the work. Its outcome, should one still come, is ignored.
    case cancel(WorkID)
    /// Hand over what was said to the work's questions.
    case answer(WorkID, number: Int, AskOutcome)
    /// Follow this from now on, and tell by `.changed`; nothing when it is empty.
    case watch(ChangeInterest)
    /// Perform these once what is to be followed is: who is told that they watch something misses nothing from then on.
    indirect case whenWatching([SessionAction])
    /// The client may be sent away from the exchange, and will come back.
    case release(ExchangeID)
}
