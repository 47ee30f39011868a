public import Domain
public import Outbound

/// Something new of an answer.
public enum OpenAIDelta: Sendable, Hashable {
    case content(String)
    case reasoning(String)
}

/// A whole answer, put together.
public struct OpenAITurn: Sendable, Hashable {
    public var content = ""
    public var reasoning = ""
    public var refusal = ""
    public var toolCalls: [OpenAIToolCall] = []
    /// As the server wrote it; nil when it only said `[DONE]`.
    public var finishReason: String?
    public var usage: OpenAIUsage?
    /// As the server reports it.
    public var model: String?

    public init() {}
}

/// Puts an answer together from the events of its stream, as they arrive.
///
/// An end without a `finish_reason` and without `[DONE]` is a cut stream, however well it looks. A server that answers
/// with a whole `chat.completion` though a stream was asked for is understood. Errors are seen as an event, as a bare
/// line and as a page of HTML.
public struct OpenAIStreamAssembler: Sendable {
    private let server: String
    private var turn = OpenAITurn()
    private var calls = ToolCallAssembler()
    /// The server said `[DONE]`: nothing more comes.
    public private(set) var isDone = false
    private var strays: [UInt8] = []

    /// - Parameter server: its name in errors.
    public init(server: String) { self.server = server }

    /// Of what has come so far.
    public var usage: OpenAIUsage? { turn.usage }

    /// What an event adds.
    ///
    /// - Throws: `OpenAIError`: what the server reports, `malformedReply`.
    public mutating func take(_ item: ServerSentItem) throws(OpenAIError) -> [OpenAIDelta] {
        switch item {
        case .stray(let line):
            if !strays.isEmpty { strays.append(UInt8(ascii: "\n")) }
            strays += line.prefix(max(0, Limits.jsonBytes - strays.count))
            if let error = Self.error(in: line) { throw error.failure(status: nil, server: server) }
            return []
        case .retry: return []
        case .event(let event):
            if isDone { return [] }
            if event.data.starts(with: "[DONE]".utf8) {
                isDone = true
                return []
            }
            guard let json = try? JSONValue(parsing: event.data, limits: Self.limits) else {
                // The end came in the middle of it; `finish()` says so.
                if !event.isTerminated { return [] }
                throw OpenAIError(
                    .malformedReply,
                    "\(server) sent an event that is no JSON",
                    detail: String(decoding: event.data.prefix(200), as: UTF8.self)
                )
            }
            if let error = OpenAIErrorBody(json: json) { throw error.failure(status: nil, server: server) }
            return take(json)
        }
    }

    /// The whole answer, when the stream is over.
    ///
    /// - Throws: `cut`, `malformedReply`; what a server reports with bare text.
    public mutating func finish() throws(OpenAIError) -> OpenAITurn {
        turn.toolCalls = calls.calls
        if isDone || turn.finishReason != nil { return turn }
        if !strays.isEmpty, let json = try? JSONValue(parsing: strays, limits: Self.limits) {
            if let error = OpenAIErrorBody(json: json) { throw error.failure(status: nil, server: server) }
            if let whole = OpenAITurn(whole: json) { return whole }
        }
        if !strays.isEmpty {
            throw OpenAIError(
                .malformedReply,
                "\(server) sent something else than a stream of events",
                hint: "see that the address leads to an API, and not to a page or a proxy",
                detail: String(decoding: strays.prefix(200), as: UTF8.self)
            )
        }
        throw OpenAIError(.cut, "the stream of \(server) ended before its answer did")
    }

    private static let limits = JSONLimits(bytes: Limits.outboundEventBytes, stringBytes: Limits.outboundEventBytes)

    private static func error(in line: [UInt8]) -> OpenAIErrorBody? {
        guard let first = line.first, first == UInt8(ascii: "{") || first == UInt8(ascii: "[") else { return nil }
        return (try? JSONValue(parsing: line)).flatMap { OpenAIErrorBody(json: $0) }
    }

    private mutating func take(_ chunk: JSONValue) -> [OpenAIDelta] {
        if let usage = OpenAIUsage(json: chunk["usage"]) { turn.usage = usage }
        if let model = chunk["model"]?.stringValue, !model.isEmpty { turn.model = model }
        // One answer was asked for: of several, the first is it.
        guard let choice = chunk["choices"]?.arrayValue?.first(where: { ($0["index"]?.intValue ?? 0) == 0 }) else {
            return []
        }
        if let reason = choice["finish_reason"]?.stringValue, !reason.isEmpty { turn.finishReason = reason }
        let delta = choice["delta"] ?? choice["message"] ?? .null
        for fragment in delta["tool_calls"]?.arrayValue ?? [] { calls.take(fragment) }
        turn.refusal += delta["refusal"]?.stringValue ?? ""
        var deltas: [OpenAIDelta] = []
        if let text = delta["reasoning_content"]?.stringValue ?? delta["reasoning"]?.stringValue, !text.isEmpty {
            turn.reasoning += text
            deltas.append(.reasoning(text))
        }
        if let text = delta["content"]?.stringValue, !text.isEmpty {
            turn.content += text
            deltas.append(.content(text))
        }
        return deltas
    }
}

extension OpenAITurn {
    /// Reads a `chat.completion`; nil for anything without a choice that has a message.
    public init?(whole json: JSONValue) {
        guard let choice = json["choices"]?[0], case .object(let message)? = choice["message"] else { return nil }
        self.init()
        content = message["content"]?.stringValue ?? ""
        reasoning = message["reasoning_content"]?.stringValue ?? message["reasoning"]?.stringValue ?? ""
        refusal = message["refusal"]?.stringValue ?? ""
        var assembler = ToolCallAssembler()
        for (position, call) in (message["tool_calls"]?.arrayValue ?? []).enumerated() {
            guard case .object(var members) = call else { continue }
            // Whole calls: each is its own, whatever index it claims.
            members["index"] = .number(JSONNumber(position))
            assembler.take(.object(members))
        }
        toolCalls = assembler.calls
        finishReason = choice["finish_reason"]?.stringValue ?? "stop"
        usage = OpenAIUsage(json: json["usage"])
        model = json["model"]?.stringValue
    }
}
