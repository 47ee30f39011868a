import Domain

/// How long things may take.
package struct SessionTimes: Sendable {
    /// What a request may work, questions not counted.
    package var work: Duration
    /// What a client may take to answer questions.
    package var answer: Duration
    /// After which an answer over HTTP becomes a stream, for clients that read one.
    package var streamAfter: Duration

    package init(
        work: Duration = .seconds(Limits.mcpWorkSeconds),
        answer: Duration = .seconds(Limits.mcpAnswerSeconds),
        streamAfter: Duration = .seconds(Limits.mcpStreamAfterSeconds)
    ) {
        self.work = work
        self.answer = answer
        self.streamAfter = streamAfter
    }
}
