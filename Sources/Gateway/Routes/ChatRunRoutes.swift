import Access
import Chat
import Domain
import HTTPTypes

/// Runs: what is being answered, its events, and the way to stop it. And tickets for the WebSocket.
enum ChatRunRoutes {
    static let all = [run, events, cancel, ticket, socket]

    private static let run = Route(
        .get,
        "/api/v1/chat/runs/{runId}",
        name: "getRun",
        summary: "How far an answer is.",
        reply: .json(ChatRunWire.self, "The run."),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let id: RunID = try call.identifier(.runId)
            return try .json(ChatRunWire(try await call.services.chat.run(id, context: context)))
        }
    )

    private static let events = Route(
        .get,
        "/api/v1/chat/runs/{runId}/events",
        name: "followRun",
        summary: "Every event of a run: those that were, then those to come, until the last one.",
        query: [
            QueryParameter(
                "after",
                "The `seq` of the last event you have. The header `Last-Event-ID` goes before it.",
                .integer(minimum: 0, default: 0)
            )
        ],
        reply: .eventStream(
            ChatEventWire.self,
            "One server-sent event each: `id` is its `seq`, `event` its `type`, `data` the event. 204 when you have all."
        ),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let after = try position(in: call)
            let chat = call.services.chat
            let run = try await chat.run(call.identifier(.runId), context: context)
            // An EventSource comes back when a stream ends; 204 is how it is told to stop.
            if run.state != .running, after >= run.lastSequence { return .nothing }
            return events(of: run.id, after: after, chat, context)
        }
    )

    private static let cancel = Route(
        .post,
        "/api/v1/chat/runs/{runId}/cancel",
        name: "cancelRun",
        summary: "Asks a run to end. Harmless when it has.",
        reply: .json(ChatRunWire.self, "The run as it is now; its last event says when it ended.", status: .accepted),
        problems: [.notFound],
        handler: .requires(.chat) { call, context in
            let id: RunID = try call.identifier(.runId)
            try await call.services.chat.cancel(id, context: context)
            return try .json(ChatRunWire(try await call.services.chat.run(id, context: context)), status: .accepted)
        }
    )

    private static let ticket = Route(
        .post,
        "/api/v1/chat/tickets",
        name: "createSocketTicket",
        summary: "A ticket that opens one WebSocket at `/api/v1/chat/ws`, once, soon, on this server.",
        reply: .json(TicketWire.self, "The ticket.", status: .created),
        problems: [.conflict],
        handler: .requires(.chat) { call, context in
            let ticket = try call.services.access.issueTicket(context: context)
            return try .json(
                TicketWire(ticket: ticket.text, expiresTime: ticket.expires.iso8601),
                status: .created
            )
        }
    )

    /// Handshakes do not come here (`GatewayChannel`); what does is answered that it should have been one.
    private static let socket = Route(
        .get,
        SocketHandshake.path,
        name: "chatSocket",
        summary: "A WebSocket that asks, follows and cancels any number of runs.",
        query: [QueryParameter("ticket", "In place of a key, once.", .string())],
        reply: .socket(ClientMessage.self, ServerMessage.self, "The connection is a WebSocket now."),
        problems: [.upgradeRequired, .conflict],
        handler: .requires(.chat) { _, _ in throw SocketHandshake.upgradeRequired }
    )

    /// A run's events as a stream. The caller has seen the run already.
    static func events(
        of run: RunID,
        after: Int,
        _ chat: any ChatServing,
        _ context: Domain.RequestContext
    ) -> Reply {
        .events { writer in
            try await chat.follow(run, after: after, context: context) { events in
                try await writer.write(events.flatMap(\.serverSentEvent))
            }
        }
    }

    /// Where a client goes on: what a browser's EventSource remembers is newer than the address it was made with.
    private static func position(in call: RouteCall) throws -> Int {
        let inQuery = try call.query.integer("after", in: 0...Int.max) ?? 0
        guard let text = call.headers[.lastEventID], !text.isEmpty else { return inQuery }
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let sequence = Int(text) else {
            throw GatewayError(
                .invalidParameter,
                "The header Last-Event-ID is not the id of an event of this run.",
                hint: "leave it out to read from the beginning"
            )
        }
        return sequence
    }
}

extension ChatEvent {
    /// `id` is the sequence, so that a client that was cut off can say where it was.
    var serverSentEvent: [UInt8] {
        ServerSentEvent.bytes(id: "\(sequence)", type: kind.rawValue, data: wireBytes)
    }
}

extension HTTPField.Name {
    static let lastEventID = Self("Last-Event-ID")!
}
