import NIOCore

/// What the head of a request says about its connection, once every rule was kept.
struct RequestHeadFacts: Sendable {
    enum Framing: Sendable, Hashable {
        case none
        case length(Int)
        case chunked
    }

    var framing = Framing.none
    var isVersion10 = false
    /// Whether the connection ends with the answer.
    var closes = false
    var expectsContinue = false
    /// Where the word `Upgrade` stands, of an upgrade that is not for this server.
    var foreignUpgrades: [Range<Int>] = []
    /// Where the address stands when it has to be shortened to its path: `http://host/path`.
    var absolute: (target: Range<Int>, path: Range<Int>)?

    /// The head as the decoder gets it: an address without its host, and upgrades that are nobody's out of sight.
    ///
    /// - Parameters:
    ///   - head: all bytes that came for it.
    ///   - start: of its first line.
    func forwarded(_ head: ByteBuffer, from start: Int) -> ByteBuffer {
        var head = head
        // The decoder reads nothing more after a request that might change the protocol, granted or not.
        for name in foreignUpgrades { _ = head.setStaticString("ignored", at: head.readerIndex + name.lowerBound) }
        head.moveReaderIndex(forwardBy: start)
        guard let absolute else { return head }
        let origin = head.readerIndex - start
        let rest = origin + absolute.target.upperBound
        var shortened = ByteBuffer()
        for part in [
            head.getSlice(at: head.readerIndex, length: absolute.target.lowerBound - start),
            head.getSlice(at: origin + absolute.path.lowerBound, length: absolute.path.count),
            head.getSlice(at: rest, length: head.writerIndex - rest),
        ] { shortened.writeImmutableBuffer(part ?? ByteBuffer()) }
        return shortened
    }
}
