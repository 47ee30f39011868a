import Access
import Domain
import HTTPTypes

/// Requests that depend on the state of what they name: `If-None-Match` on reading, `If-Match` on writing.
extension GatewayResponder {
    typealias Handle = @Sendable (RouteCall, Domain.RequestContext) async throws -> Reply

    /// `handle`, with the conditions of the request.
    ///
    /// Records check theirs in the transaction of the write. For what else has an address of its own, the state is read
    /// and the write made with nobody of this process in between.
    func conditional(_ position: Int, _ handle: @escaping Handle) -> Handle {
        let route = table.routes[position]
        if route.method == .get {
            guard route.showsOneThing else { return handle }
            return { call, context in Self.tagged(try await handle(call, context), call) }
        }
        guard [.put, .patch, .delete].contains(route.method), !route.checksInTransaction,
            let reading = table.reading[position]
        else { return handle }
        return { [table, edge] call, context in
            try await edge.turns.run(call.path) {
                let values = call.headers[values: .ifMatch]
                if !values.isEmpty {
                    do {
                        try await Self.check(values, table.routes[reading], call, context)
                    } catch let failure as GatewayError where failure.code == .preconditionFailed {
                        // RFC 9110, section 13.2.1: what would fail without the condition fails as it would.
                        try Self.checkBody(of: route, call)
                        throw failure
                    }
                }
                return try await handle(call, context)
            }
        }
    }

    /// Bodies that their routes check themselves.
    private static func checkBody(of route: Route, _ call: RouteCall) throws(GatewayError) {
        guard let body = route.body, !body.isChecked else { return }
        do { _ = try JSONBody.value(of: call.bytes, as: body) } catch {
            throw GatewayError(.invalidParameter, "\((error as? any Failure)?.message ?? "The body does not fit.")")
        }
    }

    private static func check(
        _ values: [String],
        _ route: Route,
        _ call: RouteCall,
        _ context: Domain.RequestContext
    ) async throws {
        let read: Handle
        switch route.handler {
        case .requires(let permission, let handle):
            try context.require(permission)
            read = handle
        case .requiresThere(_, let handle): read = handle
        default: return
        }
        var call = call
        call.permission = route.permission
        let current: Reply
        do { current = try await read(call, context) } catch let failure as any Failure where failure.kind == .notFound
        {
            // RFC 9110, section 13.1.1: what is not there matches nothing. Its own route says that it is not found.
            return
        }
        guard let tag = tag(of: current), tag.isNamed(inMatch: values) else { throw GatewayError.preconditionFailed }
    }

    private static func tag(of reply: Reply) -> EntityTag? {
        guard reply.status == .ok, case .bytes(let bytes) = reply.body else { return nil }
        return EntityTag(of: bytes)
    }

    private static func tagged(_ reply: Reply, _ call: RouteCall) -> Reply {
        guard reply.status == .ok, case .bytes = reply.body else { return reply }
        var reply = reply
        let name = reply.headers[.eTag] ?? tag(of: reply)?.text
        reply.headers[.eTag] = name
        guard let name, EntityTag(text: name).isNamed(inNoneMatch: call.headers[values: .ifNoneMatch]) else {
            return reply
        }
        return Reply(status: .notModified, contentType: "", headers: reply.headers, body: [])
    }
}

extension Route {
    /// Whether its address names one thing, not a list.
    var showsOneThing: Bool {
        // Under Airtable's own paths a table's name is where its records are listed.
        if pattern.description == AirtableDoor.airtable.records { return false }
        guard case .parameter? = pattern.segments.last else { return pattern.description.hasSuffix("/me") }
        return reply.shape != nil && !reply.isStream
    }

    /// Whether a client may say what state it means to change.
    var takesIfMatch: Bool { [.put, .patch, .delete].contains(method) && showsOneThing && permission != nil }

    /// Whether its service looks at `If-Match` itself, in the transaction of the write.
    var checksInTransaction: Bool { pattern.description.hasSuffix("/{recordId}") }
}
