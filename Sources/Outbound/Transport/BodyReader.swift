import AsyncHTTPClient
import NIOCore

/// Reads one body, holding it to its bounds.
///
/// The clock of `stall` runs only while somebody waits for a piece: a slow reader is not the sender's fault.
///
/// `@unchecked Sendable`: `next()` is called by the one iterator of `OutboundBody`, which is not Sendable and whose
/// calls follow one another; inside a call the state is touched by the child task that reads and, once that is over,
/// by its parent.
final class BodyReader: @unchecked Sendable {
    struct Limits {
        let stall: Duration
        let end: ContinuousClock.Instant
        let byteCount: Int
    }

    private var iterator: HTTPClientResponse.Body.AsyncIterator?
    private var byteCount = 0
    private let limits: Limits
    private let address: OutboundAddress
    private let request: OutboundRequest

    init(_ body: HTTPClientResponse.Body, limits: Limits, address: OutboundAddress, request: OutboundRequest) {
        iterator = body.makeAsyncIterator()
        self.limits = limits
        self.address = address
        self.request = request
    }

    func next() async throws -> [UInt8]? {
        guard iterator != nil else { return nil }
        do {
            let stallEnd = ContinuousClock.now + limits.stall
            let isTotal = limits.end <= stallEnd
            let failure =
                isTotal
                ? TransportFailure.timedOut(address, request) : TransportFailure.stalled(address, request)
            guard let piece = try await before(min(limits.end, stallEnd), else: failure, { try await self.read() })
            else {
                iterator = nil
                return nil
            }
            byteCount += piece.count
            if byteCount > limits.byteCount { throw TransportFailure.tooLarge(address, request) }
            // A piece that comes at once never loses the race against the clock, so the end is looked at as well.
            if ContinuousClock.now >= limits.end { throw TransportFailure.timedOut(address, request) }
            return piece
        } catch {
            // Letting go of an unfinished body closes its connection.
            iterator = nil
            try Task.checkCancellation()
            throw TransportFailure.inBody(error, address, request)
        }
    }

    /// The next piece that holds anything.
    private func read() async throws -> [UInt8]? {
        while let buffer = try await iterator?.next() {
            if buffer.readableBytes > 0 { return Array(buffer.readableBytesView) }
        }
        // To a cancelled reader the library may show an end where there is none.
        try Task.checkCancellation()
        return nil
    }
}
