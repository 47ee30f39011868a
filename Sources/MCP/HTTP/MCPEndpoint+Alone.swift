import Domain

/// The era without sessions (2026-07-28): each request is a conversation of its own, and a client that goes away cancels it.
extension MCPEndpoint {
    func replyAlone(to inbound: Inbound, _ call: EndpointCall) async throws(EndpointRefusal) -> EndpointReply {
        guard case .single(let message) = inbound else {
            throw .malformed(.invalidRequest("There are no batches in revision 2026-07-28"), id: nil)
        }
        let headers = RequestHeaders(headers: call.request.headers)
        switch message {
        case .request(let request):
            do throws(ProtocolError) {
                try headers.check(request)
                // Looked at before what a tool wants repeated, and also when only the header names the revision.
                _ = try RequestEnvelope(standingAlone: request)
            } catch {
                throw .malformed(error, id: request.id)
            }
            if let refusal = await paramRefusal(request, headers, call) { throw .malformed(refusal, id: request.id) }
            // What it tells comes before its answer.
            if request.method == Self.subscription, !call.accepted.events { throw .unheardSubscription }
            return await perform(request, inbound, call)
        case .notification(let notification):
            if let method = call.request.headers.methods.first, method != notification.method {
                throw .malformed(.headerMismatch("Mcp-Method and 'method' differ"), id: nil)
            }
            if let named = notification.params["_meta"]?[MetaKey.protocolVersion],
                named.stringValue != call.request.headers.protocolVersions.first
            {
                throw .malformed(
                    .headerMismatch("MCP-Protocol-Version and '\(MetaKey.protocolVersion)' differ"),
                    id: nil
                )
            }
            // Going away is how a request is cancelled, and nothing else is to be told.
            return .accepted
        case .response:
            throw .malformed(.invalidRequest("Nothing was asked: answers come with 'inputResponses'"), id: nil)
        case .malformed(let error, let id):
            throw .malformed(error, id: id)
        }
    }

    private func perform(_ request: Request, _ inbound: Inbound, _ call: EndpointCall) async -> EndpointReply {
        let session = HTTPSession(
            configuration,
            performer: performer,
            isResumable: false,
            times: times
        )
        let isListening = request.method == Self.subscription
        var facts = call.facts(times)
        // A subscription outlives the rights that it began with.
        if isListening { facts.makeContext = call.renewed }
        let received = await session.receive(
            inbound,
            facts,
            streamAfter: call.streamAfter(times.streamAfter)
        )
        guard let (stream, form) = received else { preconditionFailure("a session of its own ended before it began") }
        switch form {
        case .message(let answer): return call.message(answer, status: Self.status(of: answer))
        case .nothing: return .accepted
        case .stream where call.accepted.events:
            let reader = stream.attach(isComingBack: false)
            return .stream(
                EndpointStream(isOpenEnded: isListening) { write in
                    do {
                        _ = try await EndpointStream.write(
                            stream,
                            after: 0,
                            reader: reader,
                            EndpointStream.Style(.july2026),
                            write
                        )
                    } catch {
                        session.runner.stop()
                        throw error
                    }
                } finish: {
                    // Says that the subscription is over, or that the server stopped.
                    session.runner.stop()
                }
            )
        case .stream, nil:
            // The client is gone.
            session.runner.stop()
            return .accepted
        }
    }

    private static let subscription = "subscriptions/listen"

    /// Whether the headers repeat the arguments that the tool's schema says.
    private func paramRefusal(_ request: Request, _ headers: RequestHeaders, _ call: EndpointCall) async
        -> ProtocolError?
    {
        guard request.method == "tools/call", let name = request.params["name"]?.stringValue else { return nil }
        let arguments = request.params["arguments"]?.objectValue ?? [:]
        // A tool that cannot be found, or is not offered to this caller, is told of by the call: they know no schema of it.
        guard let tool = try? await performer.offer.tools.definition(of: name, context: call.context),
            call.request.selection.includes(tool), call.context.principal.permissions.contains(tool.permission)
        else { return nil }
        do {
            try headers.check(ToolCall(name: name, arguments: arguments), of: tool)
            return nil
        } catch {
            return error
        }
    }

    /// The status of HTTP that goes with an answer.
    private static func status(of answer: OutboundMessage) -> Int {
        guard case .failure(_, let error) = answer else { return 200 }
        switch error.code {
        case .methodNotFound: return 404
        case .parseError, .invalidRequest, .invalidParams, .headerMismatch, .missingClientCapability,
            .unsupportedProtocolVersion:
            return 400
        case .internalError, .busy, .resourceNotFound: return 200
        }
    }
}
