public import Domain

/// Something that happened in a run: stored before it is sent, and sent the same to everybody.
public struct ChatEvent: Sendable {
    public enum Kind: String, Sendable, Hashable, CaseIterable {
        case runStarted = "run.started"
        case messageStarted = "message.started"
        case textDelta = "text.delta"
        /// The text of the message since `offset` (UTF-8 bytes) is void: the model began again.
        case textVoided = "text.voided"
        case toolStarted = "tool.started"
        case toolResult = "tool.result"
        case citation = "citation"
        case usage = "usage"
        case runCompleted = "run.completed"
        case runFailed = "run.failed"
        case runCancelled = "run.cancelled"
        case runInterrupted = "run.interrupted"

        /// After such an event a run has no others.
        public var isLast: Bool {
            switch self {
            case .runCompleted, .runFailed, .runCancelled, .runInterrupted: true
            default: false
            }
        }
    }

    public let conversation: ConversationID
    public let run: RunID
    /// 1, 2, 3 … within its run, without a gap.
    public let sequence: Int
    public let kind: Kind
    /// To the millisecond, as it is shown.
    public let time: Instant
    /// `wire` as UTF-8, made once and shared by the store and by everybody who follows. Nothing else of the event is kept:
    /// there are many of them, and few who look inside.
    public let wireBytes: [UInt8]

    public init(
        conversation: ConversationID,
        run: RunID,
        sequence: Int,
        kind: Kind,
        time: Instant,
        data: JSONObject
    ) {
        self.conversation = conversation
        self.run = run
        self.sequence = sequence
        self.kind = kind
        self.time = Instant(milliseconds: time.milliseconds)
        var writer = JSONWriter(byteLimit: .max)
        writer.beginObject()
        writer.key("seq")
        writer.int(sequence)
        writer.key("type")
        writer.string(kind.rawValue)
        writer.key("conversationId")
        writer.string(conversation.description)
        writer.key("runId")
        writer.string(run.description)
        writer.key("time")
        writer.string(time.iso8601)
        writer.key("data")
        writer.object(data)
        writer.endObject()
        // Without the room that the writer grew into.
        let bytes = writer.bytes
        wireBytes = [UInt8](unsafeUninitializedCapacity: bytes.count) { buffer, count in
            count = bytes.count
            _ = buffer.initialize(from: bytes)
        }
    }

    /// What was stored.
    ///
    /// - Throws: `JSONError`, or `ChatError.corrupt` for JSON that is no event.
    package init(stored bytes: [UInt8]) throws {
        let value = try JSONValue(parsing: bytes, limits: .trusted)
        guard let sequence = value["seq"]?.intValue, let kind = value["type"]?.stringValue.flatMap(Kind.init),
            let conversation = value["conversationId"]?.stringValue.flatMap({ ConversationID($0) }),
            let run = value["runId"]?.stringValue.flatMap({ RunID($0) }),
            let time = value["time"]?.stringValue.flatMap({ Instant(iso8601: $0) }),
            value["data"]?.objectValue != nil
        else { throw ChatError.corrupt("chat_events", "no event") }
        self.conversation = conversation
        self.run = run
        self.sequence = sequence
        self.kind = kind
        self.time = time
        wireBytes = bytes
    }

    /// `{"seq","type","conversationId","runId","time","data"}`: the same bytes on every way out.
    public var wire: JSONValue {
        do {
            return try JSONValue(parsing: wireBytes, limits: .trusted)
        } catch {
            preconditionFailure("event \(sequence) of \(run) was written or read as JSON, and is none: \(error)")
        }
    }

    /// By kind; docs/chat-events.md has the schemas. Read from `wireBytes` each time.
    public var data: JSONObject { wire["data"]?.objectValue ?? JSONObject() }
}

extension ChatEvent: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        left.run == right.run && left.sequence == right.sequence && left.wireBytes == right.wireBytes
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(run)
        hasher.combine(sequence)
    }
}
