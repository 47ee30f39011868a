/// One event of a `text/event-stream`, by the rules of the HTML standard ("Server-sent events").
public struct ServerSentEvent: Sendable, Hashable {
    /// `message` when the stream named none.
    public var name: String
    /// The data lines joined by LF, as sent. Not checked to be UTF-8.
    public var data: [UInt8]
    /// The last identifier the stream set, with this event or before it.
    public var id: String?
    /// False for what the stream ended in the middle of: its data may be cut anywhere.
    public var isTerminated: Bool

    public init(name: String = "message", data: [UInt8], id: String? = nil, isTerminated: Bool = true) {
        self.name = name
        self.data = data
        self.id = id
        self.isTerminated = isTerminated
    }

    public var text: String { String(decoding: data, as: UTF8.self) }
}

/// What a stream of events holds.
public enum ServerSentItem: Sendable, Hashable {
    case event(ServerSentEvent)
    /// How long to wait before the stream is asked for again once it has ended.
    case retry(Duration)
    /// A line that belongs to no event stream, without its end: a bare JSON error, a page of HTML, a plain body.
    /// Given at once, line by line; whoever wants the text joins them with LF.
    case stray([UInt8])
}
