import Domain

/// One session over HTTP, or one request of the era without sessions: its runner and its ways back to the client.
final class HTTPSession: Sendable {
    let runner: SessionRunner
    let streams: StreamTable

    init(
        _ configuration: ServerSession.Configuration,
        performer: WorkPerformer,
        isResumable: Bool,
        times: SessionTimes
    ) {
        streams = StreamTable(isResumable: isResumable)
        runner = SessionRunner(
            session: ServerSession(configuration),
            performer: performer,
            outlet: streams,
            times: times
        )
    }

    /// Answers what is in flight with an error, and ends every stream.
    func end() {
        runner.stop()
        streams.end()
    }

    /// Takes a body.
    ///
    /// - Parameter streamAfter: how long an answer may take before a stream is begun; nil for clients that read none.
    /// - Returns: how the answer is given, where nil means that the calling task was cancelled; nil for a session that has ended.
    func receive(
        _ inbound: Inbound,
        _ facts: ExchangeFacts,
        streamAfter: Duration?
    ) async -> (stream: MessageStream, form: MessageStream.Form?)? {
        let (exchange, stream) = streams.open(answerAlone: facts.hearsAnswerAlone)
        let alarm = streamAfter.map { DeadlineClock.shared.add(.now + $0) { stream.becomeLong() } }
        defer { if let alarm { DeadlineClock.shared.remove(alarm) } }
        guard runner.receive(inbound, on: exchange, facts) else {
            streams.forget(stream)
            return nil
        }
        let form = await stream.form()
        return (stream, form)
    }

    func abandon(_ stream: MessageStream) { runner.abandon(ExchangeID(number: stream.number)) }
}
