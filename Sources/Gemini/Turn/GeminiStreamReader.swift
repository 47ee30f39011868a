import Domain
import Outbound

/// Turns the bytes of a stream into replies, whatever the pieces they come in.
///
/// Takes server-sent events. An error may come as a frame, or bare over one or many lines; a body that is plain JSON,
/// as without `alt=sse`, is understood too; a page of a proxy is told from a stream that ends early.
struct GeminiStreamReader {
    private typealias Reply = Result<GeminiResponse, GeminiError>

    private let client: GeminiClient
    private let model: GeminiModelName
    private var splitter = ServerSentEventSplitter()
    /// Lines that belong to no event, until they make a document.
    private var stray: [UInt8] = []
    /// Their number when they were last looked at in vain.
    private var strayTried = 0
    private var hasReplies = false

    init(client: GeminiClient, model: GeminiModelName) {
        self.client = client
        self.model = model
    }

    /// - Parameter onReply: gets what `piece` completes, also what stands before an error in it.
    mutating func take(_ piece: [UInt8], onReply: (GeminiResponse) async throws -> Void) async throws {
        for item in try splitter.take(piece) {
            for reply in try replies(in: item) { try await onReply(try reply.get()) }
        }
    }

    mutating func finish(onReply: (GeminiResponse) async throws -> Void) async throws {
        for item in try splitter.finish() {
            for reply in try replies(in: item) { try await onReply(try reply.get()) }
        }
        // Too short to be told from the beginning of an event.
        guard !stray.isEmpty, !Array("data".utf8).starts(with: stray) else { return }
        if let json = try? JSONValue(parsing: stray, limits: .geminiReply) {
            for reply in replies(of: json, stray) { try await onReply(try reply.get()) }
        } else if !hasReplies {
            throw client.malformed("what came is no stream of events", stray)
        }
    }

    private mutating func replies(in item: ServerSentItem) throws -> [Reply] {
        switch item {
        case .event(let event): try replies(of: event)
        case .retry: []
        case .stray(let line): try replies(withStray: line)
        }
    }

    private mutating func replies(of event: ServerSentEvent) throws -> [Reply] {
        // Not of Google's making; some proxies add it.
        guard !event.data.isEmpty, event.data != Array("[DONE]".utf8) else { return [] }
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue(parsing: event.data, limits: .geminiReply)
        } catch {
            guard event.isTerminated else { return [] }  // the stream was cut inside it, which its end will tell
            throw client.malformed("a frame is no JSON", event.data, error.message)
        }
        return replies(of: json, event.data)
    }

    private mutating func replies(withStray line: [UInt8]) throws -> [Reply] {
        guard stray.count + line.count < Limits.outboundEventBytes else {
            throw GeminiError(
                .replyTooLarge,
                "a reply that is no stream is longer than \(Limits.outboundEventBytes) bytes"
            )
        }
        if !stray.isEmpty { stray.append(UInt8(ascii: "\n")) }
        stray += line
        if !hasReplies, stray.first(where: { $0 > 0x20 }) == UInt8(ascii: "<") {
            throw client.malformed("it is a page", stray)
        }
        // A document may be over where a line closes it at its left edge, or is all of it.
        let closes = [UInt8(ascii: "}"), UInt8(ascii: "]"), UInt8(ascii: "{"), UInt8(ascii: "[")]
        guard let first = line.first, closes.contains(first), isWorthTrying else { return [] }
        guard let json = try? JSONValue(parsing: stray, limits: .geminiReply) else {
            strayTried = stray.count
            return []
        }
        let bytes = stray
        (stray, strayTried) = ([], 0)
        return replies(of: json, bytes)
    }

    /// A long document is read each time it has doubled, not with each of its lines; the end of the stream reads it too.
    private var isWorthTrying: Bool { stray.count < 4_096 || stray.count >= 2 * strayTried }

    /// Of one document; nothing follows an error.
    private mutating func replies(of json: JSONValue, _ bytes: [UInt8]) -> [Reply] {
        var replies: [Reply] = []
        for element in json.arrayValue ?? [json] {
            if let body = GeminiErrorBody(element) {
                let error = GeminiError.ofBody(body, status: 200, model: model, configuration: client.configuration)
                return replies + [.failure(error)]
            }
            guard let reply = GeminiResponse(element) else {
                return replies + [.failure(client.malformed("a frame is no object", bytes))]
            }
            hasReplies = true
            replies.append(.success(reply))
        }
        return replies
    }
}
