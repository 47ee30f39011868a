import AsyncHTTPClient
import Domain
import Foundation
import NIOCore
import NIOHTTP1

/// Translates what the client library throws. Messages name the upstream, never its reply or our headers.
enum TransportFailure {
    static func beforeHead(
        _ error: any Error,
        _ address: OutboundAddress,
        _ request: OutboundRequest,
        isTotal: Bool
    ) -> OutboundError {
        let upstream = address.authority
        let detail = request.redacted(String(describing: error))
        if error is ConnectionWatch.Refused { return AddressGuard.refused(address) }
        if let error = error as? HTTPClientError {
            switch error {
            case .deadlineExceeded, .getConnectionFromPoolTimeout:
                return isTotal
                    ? timedOut(address, request)
                    : OutboundError(.noReply, "\(upstream) did not answer within \(request.deadlines.firstByte)")
            case .alreadyShutdown, .cancelled:
                return closed
            case .remoteConnectionClosed:
                return OutboundError(.connectionLost, "\(upstream) closed the connection without an answer")
            case .invalidURL, .emptyHost, .emptyScheme, .missingSocketPath:
                return OutboundError(
                    .invalidAddress,
                    "the address of a call to \(upstream) cannot be used",
                    detail: detail
                )
            default: break
            }
        }
        if wasLost(error) || ConnectionWatch.wasStale(error) {
            return OutboundError(.connectionLost, "\(upstream) closed the connection without an answer", detail: detail)
        }
        if error is HTTPParserError {
            return OutboundError(.malformedReply, "what \(upstream) sent is no HTTP reply", detail: detail)
        }
        return OutboundError(
            .cannotConnect,
            "no connection to \(upstream)",
            hint: "see that it runs, and that its address and port are right",
            detail: detail
        )
    }

    static func inBody(_ error: any Error, _ address: OutboundAddress, _ request: OutboundRequest) -> any Error {
        switch error {
        case let error as OutboundError: return error
        case is CancellationError: return error
        case let error as HTTPClientError where error == .alreadyShutdown || error == .cancelled: return closed
        case let error as HTTPParserError where error != .invalidEOFState:
            return OutboundError(
                .malformedReply,
                "the reply of \(address.authority) breaks the rules of HTTP",
                detail: "\(error)"
            )
        default:
            return OutboundError(
                .connectionLost,
                "\(address.authority) closed the connection in the middle of its reply",
                detail: request.redacted(String(describing: error))
            )
        }
    }

    static func tooLarge(_ address: OutboundAddress, _ request: OutboundRequest) -> OutboundError {
        OutboundError(.replyTooLarge, "the reply of \(address.authority) is longer than \(request.replyBytesMax) bytes")
    }

    static func stalled(_ address: OutboundAddress, _ request: OutboundRequest) -> OutboundError {
        OutboundError(.stalled, "the reply of \(address.authority) stood still for \(request.deadlines.stall)")
    }

    static func timedOut(_ address: OutboundAddress, _ request: OutboundRequest) -> OutboundError {
        OutboundError(.timedOut, "the call to \(address.authority) was not over within \(request.deadlines.total)")
    }

    private static let closed = OutboundError(.closed, "outgoing calls have ended: the program is shutting down")

    /// A reset, or a connection that is gone, after it had stood.
    private static func wasLost(_ error: any Error) -> Bool {
        if error is ChannelError { return true }
        if let error = error as? IOError { return [ECONNRESET, EPIPE, ENOTCONN].contains(error.errnoCode) }
        return false
    }
}
