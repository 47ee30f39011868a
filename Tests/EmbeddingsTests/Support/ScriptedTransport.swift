import Domain
import Embeddings
import Outbound
import TestSupport

/// A service that is a closure: request in, status and JSON out.
struct ScriptedTransport: HTTPTransport {
    struct Answer: Sendable {
        var status = 200
        var headers: [(name: String, value: String)] = []
        var json: JSONValue
    }

    let requests = Guarded<[(url: String, body: JSONValue)]>([])
    let answer: @Sendable (JSONValue) throws -> Answer

    init(_ answer: @escaping @Sendable (JSONValue) throws -> Answer) { self.answer = answer }

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let body = try JSONValue(parsing: request.body)
        requests.update { $0.append((request.url, body)) }
        let answer = try answer(body)
        let bytes = Guarded<[UInt8]?>(answer.json.encoded())
        return OutboundReply(
            status: answer.status,
            headers: answer.headers,
            body: OutboundBody {
                {
                    let piece = bytes.value
                    bytes.value = nil
                    return piece
                }
            }
        )
    }
}

/// A service without a wire: what it is asked is noted.
struct ScriptedService: RemoteEmbeddingService {
    let calls = Guarded<[[String]]>([])
    let kinds = Guarded<Set<EmbeddingKind>>([])
    let body: @Sendable ([String]) async throws -> RemoteVectors

    init(_ body: @escaping @Sendable ([String]) async throws -> RemoteVectors) { self.body = body }

    func vectors(of texts: [String], kind: EmbeddingKind) async throws -> RemoteVectors {
        calls.update { $0.append(texts) }
        kinds.update { $0.insert(kind) }
        return try await body(texts)
    }
}
