/// An iterator over a body, for decorators whose own body's closure must be able to travel.
///
/// `@unchecked Sendable`: called by the one iterator of an `OutboundBody`, whose calls follow one another.
final class SerialIterator: @unchecked Sendable {
    private var iterator: OutboundBody.AsyncIterator

    init(_ iterator: OutboundBody.AsyncIterator) { self.iterator = iterator }

    func next() async throws -> [UInt8]? { try await iterator.next() }
}
