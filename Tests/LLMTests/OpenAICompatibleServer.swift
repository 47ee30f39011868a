import Domain
import LLM
import OpenAIDialect
import Outbound
import TestSupport

/// A scripted server of the dialect: each call gets the next reply, the last one for ever.
final class OpenAICompatibleServer: Sendable {
    enum Reply: Sendable {
        /// Frames of data, then `[DONE]`.
        case stream([String])
        /// Frames, and the connection ends without an end of the body.
        case cut([String])
        /// Frames, and nothing more until the client goes.
        case hang([String])
        case status(Int, String, [String])
        case silence
    }

    private let server: RawServer
    private let state: Guarded<(requests: [JSONValue], closedCount: Int)>
    let transport = AsyncHTTPTransport()

    init(_ replies: [Reply]) throws {
        let state = Guarded<(requests: [JSONValue], closedCount: Int)>(([], 0))
        self.state = state
        server = try RawServer { peer in
            while let asked = try peer.request() {
                let number = Guarded(0)
                let body = try JSONValue(parsing: asked.body)
                state.update { state in
                    state.requests.append(body)
                    number.value = state.requests.count
                }
                switch replies[min(number.value, replies.count) - 1] {
                case .stream(let frames):
                    try peer.beginChunks()
                    for frame in frames { try peer.chunk("data: \(frame)\n\n") }
                    try peer.chunk("data: [DONE]\n\n")
                    try peer.endChunks()
                case .cut(let frames):
                    try peer.beginChunks()
                    for frame in frames { try peer.chunk("data: \(frame)\n\n") }
                    return
                case .hang(let frames):
                    try peer.beginChunks()
                    for frame in frames { try peer.chunk("data: \(frame)\n\n") }
                    try peer.waitForClose()
                    state.update { $0.closedCount += 1 }
                case .status(let status, let body, let headers): try peer.reply(status, body, headers: headers)
                case .silence:
                    try peer.waitForClose()
                    state.update { $0.closedCount += 1 }
                }
            }
        }
    }

    var requests: [JSONValue] { state.value.requests }
    /// Connections that the client closed while they hung.
    var closedCount: Int { state.value.closedCount }

    static let key = "sk-test-0123456789abcdef"

    /// A model over this server that waits for nothing between attempts.
    func model(
        _ policy: RetryPolicy = RetryPolicy(attemptsMax: 4),
        options: OpenAICompatibleModel.Options = OpenAICompatibleModel.Options()
    ) throws -> OpenAICompatibleModel {
        OpenAICompatibleModel(
            client: try OpenAIClient(baseURL: server.url, key: OutboundSecret(Self.key), transport: transport),
            model: "qwen3",
            retrier: Retrier(
                policy: policy,
                clock: OutboundClock(now: { .now }, sleep: { _ in try Task.checkCancellation() })
            ),
            options: options
        )
    }
}

extension OpenAICompatibleServer {
    static func text(_ text: String, finish: String? = nil) -> String {
        frame(["content": .string(text)], finish: finish)
    }

    static func frame(_ delta: JSONObject, finish: String? = nil) -> String {
        let choice: JSONValue = [
            "index": 0, "delta": .object(delta), "finish_reason": finish.map { .string($0) } ?? .null,
        ]
        return JSONValue.object(["id": "x", "model": "qwen3:8b", "choices": [choice]]).text
    }

    static func end(_ reason: String = "stop") -> String { frame([:], finish: reason) }

    static func usage(_ prompt: Int, _ completion: Int) -> String {
        "{\"choices\":[],\"usage\":{\"prompt_tokens\":\(prompt),\"completion_tokens\":\(completion)}}"
    }
}

/// Collects what a provider exchanges.
final class TrafficLog: TrafficRecorder {
    private let exchanges = Guarded<[ProviderExchange]>([])

    var all: [ProviderExchange] { exchanges.value }

    func record(_ exchange: ProviderExchange) async { exchanges.update { $0.append(exchange) } }
}
