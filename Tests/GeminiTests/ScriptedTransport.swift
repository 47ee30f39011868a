import Domain
import Outbound
import TestSupport

@testable import Gemini

/// Answers requests one after the other as told, and remembers them.
final class ScriptedTransport: HTTPTransport {
    struct Reply: Sendable {
        var status = 200
        var headers: [(name: String, value: String)] = []
        var pieces: [[UInt8]] = []
        /// After the last piece, instead of the end; with no pieces, instead of a head.
        var failure: OutboundError?

        static func json(_ json: JSONValue, status: Int = 200, headers: [(name: String, value: String)] = []) -> Reply {
            Reply(status: status, headers: headers, pieces: [json.encoded()])
        }

        static func stream(_ frames: JSONValue...) -> Reply {
            Reply(pieces: frames.map { Array("data: \($0.text)\r\n\r\n".utf8) })
        }
    }

    private let replies: Guarded<[Reply]>
    private let sent = Guarded<[OutboundRequest]>([])

    /// - Parameter replies: the last one is given again and again.
    init(_ replies: [Reply]) { self.replies = Guarded(replies) }

    var requests: [OutboundRequest] { sent.value }
    var bodies: [JSONValue] { requests.compactMap { try? JSONValue(parsing: $0.body) } }

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        sent.update { $0.append(request) }
        var reply = Reply()
        replies.update { reply = $0.count > 1 ? $0.removeFirst() : $0[0] }
        if reply.pieces.isEmpty, let failure = reply.failure { throw failure }
        let rest = Guarded(reply.pieces)
        let body = OutboundBody { [failure = reply.failure] in
            {
                var piece: [UInt8]?
                rest.update { if !$0.isEmpty { piece = $0.removeFirst() } }
                if piece == nil, let failure { throw failure }
                return piece
            }
        }
        return OutboundReply(status: reply.status, headers: reply.headers, body: body)
    }

    /// A client of this, which retries without waiting.
    func client(attemptsMax: Int = 3, key: String = "key-in-tests") -> GeminiClient {
        GeminiClient(
            transport: self,
            configuration: GeminiConfiguration(baseURL: "http://127.0.0.1:1/base/", key: OutboundSecret(key)),
            retrier: Retrier(
                policy: RetryPolicy(attemptsMax: attemptsMax),
                clock: OutboundClock(now: { .now }, sleep: { _ in }),
                random: { 0 }
            )
        )
    }
}

extension GeminiRequest {
    static func asking(_ text: String = "Hello") -> GeminiRequest {
        GeminiRequest(contents: [GeminiContent(.user, [.text(text)])])
    }
}

extension GeminiClient {
    /// A turn with its pieces, and the error that ended it.
    func collected(
        _ request: GeminiRequest = .asking(),
        isStreamed: Bool = true
    ) async throws -> (pieces: [GeminiPiece], turn: GeminiTurn?, error: GeminiError?) {
        let pieces = Guarded<[GeminiPiece]>([])
        do {
            let turn = try await turn(request, model: "gemini-3-x", isStreamed: isStreamed) { piece in
                pieces.update { $0.append(piece) }
            }
            return (pieces.value, turn, nil)
        } catch let error as GeminiError {
            return (pieces.value, nil, error)
        }
    }
}
