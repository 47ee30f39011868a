import Domain

extension EndpointStream {
    /// How events are written for a client.
    struct Style: Sendable {
        /// Whether events have ids, by which a client can come back.
        let hasIDs: Bool
        /// Whether the first event has an id alone, and a stream may be let go.
        let hasPriming: Bool

        init(_ revision: ProtocolRevision) {
            hasIDs = revision.hasHandshake
            hasPriming = revision.hasPollingStreams
        }
    }

    /// Writes what comes after `place`.
    ///
    /// - Returns: whether all was said; false when the connection was let go, or taken over by another.
    static func write(
        _ stream: MessageStream,
        after place: Int,
        reader: Int,
        _ style: Style,
        _ write: @Sendable (StreamEvent) async throws -> Void
    ) async throws -> Bool {
        var place = place
        if style.hasPriming {
            try await write(
                StreamEvent(
                    id: EventID(stream: stream.number, place: place).text,
                    retry: Limits.mcpRetryMilliseconds
                )
            )
        }
        while true {
            switch await stream.next(after: place, reader: reader) {
            case .message(let numbered):
                place = numbered.place
                let id = style.hasIDs ? EventID(stream: stream.number, place: place).text : nil
                try await write(StreamEvent(id: id, message: numbered.message))
            case .released: return false
            case .end: return stream.isSettled
            case nil: throw CancellationError()
            }
        }
    }
}
