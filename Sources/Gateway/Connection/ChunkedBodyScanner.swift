import Domain

/// Reads a chunked body (RFC 9112, section 7.1) as it comes, and says which of its bytes are content.
///
/// Pure. Whoever forwards the content writes the sizes anew, so that extensions and trailers, which are read and
/// dropped, never reach a second parser.
struct ChunkedBodyScanner {
    enum Step: Sendable, Hashable {
        case needsMore
        /// So many bytes that made no content were read.
        case skip(Int)
        /// So many bytes of content.
        case content(Int)
        /// The body is whole, after so many more bytes.
        case end(Int)
        case refused(WireFault)
    }

    private enum Place {
        case size, content, contentEnd, trailer
    }

    private var place = Place.size
    /// Content of this chunk that is still to come.
    private var left = 0
    /// Bytes of extensions and trailers so far: a body cannot be all of them.
    private var extras = 0

    /// - Parameter bytes: what came and was not yet taken by an earlier step.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Step {
        switch place {
        case .content:
            guard !bytes.isEmpty else { return .needsMore }
            let count = min(left, bytes.count)
            left -= count
            if left == 0 { place = .contentEnd }
            return .content(count)
        case .contentEnd:
            guard let first = bytes.first else { return .needsMore }
            guard first == 0x0D else { return .refused(.chunkEnd) }
            guard bytes.count > 1 else { return .needsMore }
            guard bytes[1] == 0x0A else { return .refused(.chunkEnd) }
            place = .size
            return .skip(2)
        case .size: return size(bytes)
        case .trailer: return trailer(bytes)
        }
    }

    private mutating func size(_ bytes: UnsafeRawBufferPointer) -> Step {
        var value = 0
        var position = 0
        while position < bytes.count, let digit = Self.digit(bytes[position]) {
            position += 1
            // Far above any body that is taken, and no sum of it overflows.
            guard position <= 16, value <= 1 << 40 else { return .refused(.chunkSize) }
            value = value << 4 | digit
        }
        guard position < bytes.count else { return .needsMore }
        guard position > 0, value <= 1 << 40 else { return .refused(.chunkSize) }
        if bytes[position] == UInt8(ascii: ";") {
            switch Self.lineEnd(bytes, from: position + 1, limit: Limits.chunkExtensionBytes) {
            case .missing: return .needsMore
            case .broken: return .refused(.chunkExtension)
            case .found(let end):
                extras += end - position
                position = end
            }
            guard extras <= Limits.trailerBytes else { return .refused(.chunkExtension) }
        }
        guard bytes[position] == 0x0D else { return .refused(.chunkSize) }
        guard position + 1 < bytes.count else { return .needsMore }
        guard bytes[position + 1] == 0x0A else { return .refused(.chunkSize) }
        left = value
        place = value == 0 ? .trailer : .content
        return .skip(position + 2)
    }

    /// One line at a time; an empty one is the end.
    private mutating func trailer(_ bytes: UnsafeRawBufferPointer) -> Step {
        switch Self.lineEnd(bytes, from: 0, limit: Limits.trailerBytes) {
        case .missing: return .needsMore
        case .broken: return .refused(.trailer)
        case .found(let end):
            guard end + 1 < bytes.count else { return .needsMore }
            if end == 0 { return .end(2) }
            extras += end
            let name = bytes[..<end].prefix { $0 != UInt8(ascii: ":") }
            guard extras <= Limits.trailerBytes, !name.isEmpty, name.count < end,
                name.allSatisfy(RequestHeadRules.isToken)
            else { return .refused(.trailer) }
            return .skip(end + 2)
        }
    }

    private enum LineEnd { case missing, broken, found(Int) }

    /// Where the `\r` of the first `\r\n` stands; nothing but text may stand before it.
    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, from start: Int, limit: Int) -> LineEnd {
        var position = start
        while position < bytes.count {
            let byte = bytes[position]
            if byte == 0x0D {
                guard position + 1 < bytes.count else { return .missing }
                return bytes[position + 1] == 0x0A ? .found(position) : .broken
            }
            guard byte >= 0x20 && byte != 0x7F || byte == 0x09, position - start < limit else { return .broken }
            position += 1
        }
        return .missing
    }

    private static func digit(_ byte: UInt8) -> Int? {
        guard RequestHeadRules.isHex(byte) else { return nil }
        return byte <= 0x39 ? Int(byte) - 0x30 : Int(byte | 0x20) - 0x61 + 10
    }
}
