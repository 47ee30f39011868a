import Domain
import Gemini
import Logging
import Outbound
import TestSupport

@testable import LLM

/// The scripted Gemini of `Tests/Clients/gemini_server.py`, and models that ask it over a real socket.
enum GeminiFixture {
    static let key = "test-key-of-a-scripted-gemini"
    private static let server = Task { try await ClientServer("gemini_server.py") }
    private static let transport = AsyncHTTPTransport()

    static func client(
        key: String = GeminiFixture.key,
        deadlines: OutboundDeadlines = .standard,
        replyBytesMax: Int = OutboundRequest.replyBytesMaxDefault
    ) async throws -> GeminiClient {
        let configuration = GeminiConfiguration(
            baseURL: try await server.value.url,
            key: OutboundSecret(key),
            generating: deadlines,
            replyBytesMax: replyBytesMax
        )
        let policy = RetryPolicy(attemptsMax: 5, delayBase: .milliseconds(2), delayMax: .milliseconds(20))
        return GeminiClient(transport: transport, configuration: configuration, retrier: Retrier(policy: policy))
    }

    static func model(
        _ name: String,
        key: String = GeminiFixture.key,
        deadlines: OutboundDeadlines = .standard,
        replyBytesMax: Int = OutboundRequest.replyBytesMaxDefault
    ) async throws -> GeminiModel {
        let client = try await client(key: key, deadlines: deadlines, replyBytesMax: replyBytesMax)
        return try GeminiModel(client: client, model: name, logger: Logger(label: "test"))
    }

    /// What the server saw of a model.
    static func log(_ model: String) async throws -> JSONValue {
        let reply = try await transport.send(OutboundRequest(.get, "\(try await server.value.url)/_log?model=\(model)"))
        return try JSONValue(parsing: try await reply.body.collect(bytesMax: 64 * 1_024 * 1_024), limits: .standard)
    }

    static let aTool = ModelTool(name: "a", description: "A.", parameters: .object(properties: [:]))
    static let tools = [
        aTool,
        ModelTool(name: "b", description: "B.", parameters: .object(properties: [:])),
        ModelTool(
            name: "search_records",
            description: "Searches.",
            parameters: .object(properties: ["query": .string()], required: ["query"])
        ),
        ModelTool(name: "get_record", description: "", parameters: .object(properties: ["id": .number()])),
    ]
}

/// What a model gave: its deltas, and its reply or its error.
struct GeminiAnswer {
    var deltas: [ModelDelta] = []
    var reply: ModelReply?
    var error: ModelError?
    var exchanges: [ProviderExchange] = []
    var metered: TokenUsage?

    /// All text that a reader has on the screen.
    var text: String {
        deltas.reduce(into: "") { text, delta in
            switch delta {
            case .text(let piece): text += piece
            case .restarted: text = ""
            case .thought: break
            }
        }
    }

    var usage: TokenUsage? { reply?.usage ?? error?.usage }
}

extension GeminiModel {
    func answer(_ request: ModelRequest, within time: Duration = .seconds(30)) async throws -> GeminiAnswer {
        let deltas = Guarded<[ModelDelta]>([])
        let recorder = Recorder()
        let meter = UsageMeter()
        let call = ModelCallContext(deadline: .now + time, traffic: recorder, meter: meter)
        var answer = GeminiAnswer()
        do {
            answer.reply = try await respond(to: request, call: call) { delta in deltas.update { $0.append(delta) } }
        } catch let error as ModelError {
            answer.error = error
        }
        answer.deltas = deltas.value
        answer.exchanges = recorder.exchanges.value
        answer.metered = meter.reported
        return answer
    }
}

private final class Recorder: TrafficRecorder {
    let exchanges = Guarded<[ProviderExchange]>([])
    func record(_ exchange: ProviderExchange) async { exchanges.update { $0.append(exchange) } }
}
