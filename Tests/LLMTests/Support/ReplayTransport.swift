import Domain
import LLM
import Outbound
import Synchronization

/// Plays recorded exchanges back, in their order, as if the provider answered again.
///
/// Given to a provider's adapter in place of the network it makes a run again, through all of the adapter's own reading.
/// A request that is not the recorded one is refused: then the program, not the provider, answers differently today.
final class ReplayTransport: HTTPTransport {
    private let exchanges: [ProviderExchange]
    private let isStrict: Bool
    private let position = Mutex(0)

    /// - Parameter isStrict: whether a request must equal the recorded one as JSON; otherwise only its path must.
    init(_ exchanges: [ProviderExchange], isStrict: Bool = true) {
        self.exchanges = exchanges
        self.isStrict = isStrict
    }

    /// How many were played.
    var playedCount: Int { position.withLock { $0 } }

    func send(_ request: OutboundRequest) async throws -> OutboundReply {
        let played = position.withLock { position -> ProviderExchange? in
            guard exchanges.indices.contains(position) else { return nil }
            defer { position += 1 }
            return exchanges[position]
        }
        guard let played else {
            throw OutboundError(.cannotConnect, "the recording has \(exchanges.count) exchanges, and no more")
        }
        guard request.url.contains(played.path) else {
            throw OutboundError(.malformedReply, "the recording goes on with \(played.path), not with this request")
        }
        guard !isStrict || Self.isSame(request.body, played.request) else {
            throw OutboundError(.malformedReply, "the request to \(played.path) is not the recorded one")
        }
        guard let status = played.status else {
            throw OutboundError(.cannotConnect, played.failure ?? "the recorded call got no reply")
        }
        let type = played.reply.starts(with: Array("data:".utf8)) ? "text/event-stream" : "application/json"
        let (reply, isBroken) = (played.reply, played.failure != nil)
        return OutboundReply(
            status: status,
            headers: [("content-type", type)],
            body: OutboundBody {
                let rest = Mutex<[UInt8]?>(reply)
                return {
                    let piece = rest.withLock { rest in
                        defer { rest = nil }
                        return rest
                    }
                    if let piece, !piece.isEmpty { return piece }
                    // What broke off then breaks off now.
                    if isBroken { throw OutboundError(.connectionLost, "the recorded reply ends here") }
                    return nil
                }
            }
        )
    }

    private static func isSame(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        if left == right { return true }
        guard let left = try? JSONValue(parsing: left), let right = try? JSONValue(parsing: right) else {
            return false  // No JSON: then only the bytes count, and they differ.
        }
        return left == right
    }
}
