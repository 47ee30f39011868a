import Domain

/// Finds the end of a request's head, byte by byte, and refuses at the first byte that cannot be right.
///
/// Pure and incremental: each byte is looked at once, however slowly they come.
struct RequestHeadScanner {
    enum Step: Sendable, Hashable {
        case needsMore
        /// The head is whole, and ends before this place.
        case complete(end: Int)
        case refused(WireFault)
    }

    /// Of the request line, without its end.
    private(set) var line = 0..<0
    /// Of each field, without its end; in order.
    private(set) var fields: [Range<Int>] = []
    private var scanned = 0
    private var lineStart = 0
    private var hasLine = false
    private var hasSkippedLine = false

    /// Whether any byte of a request came: an empty line before it is none.
    var hasBegun: Bool { hasLine || scanned > lineStart }

    mutating func reset() {
        line = 0..<0
        fields.removeAll(keepingCapacity: true)
        scanned = 0
        lineStart = 0
        hasLine = false
        hasSkippedLine = false
    }

    /// - Parameter bytes: all that came since the end of the request before, as in the calls before and longer.
    mutating func scan(_ bytes: UnsafeRawBufferPointer) -> Step {
        var position = scanned
        defer { scanned = position }
        while position < bytes.count {
            let byte = bytes[position]
            if position > lineStart, bytes[position - 1] == Self.carriageReturn, byte != Self.lineFeed {
                return .refused(.bareCarriageReturn)
            }
            if byte == Self.lineFeed {
                guard position > lineStart, bytes[position - 1] == Self.carriageReturn else {
                    return .refused(.bareLineFeed)
                }
                let ended = lineStart..<position - 1
                position += 1
                lineStart = position
                if let step = end(ended, bytes) { return step == .complete(end: 0) ? .complete(end: position) : step }
                continue
            }
            if byte < 0x20 && byte != Self.carriageReturn && byte != Self.tab || byte == 0x7F {
                return .refused(.controlCharacter)
            }
            position += 1
            if !hasLine, position - lineStart > Limits.airtableURIBytes + Self.requestLineRest {
                return .refused(.targetTooLong)
            }
            if hasLine, position - line.upperBound > Limits.headerBytes { return .refused(.headTooLarge) }
        }
        return .needsMore
    }

    /// - Returns: nil to go on; `.complete(end: 0)` at the end of the head.
    private mutating func end(_ ended: Range<Int>, _ bytes: UnsafeRawBufferPointer) -> Step? {
        if !hasLine {
            if ended.isEmpty {
                // RFC 9112, section 2.2: one empty line may be left over from the request before.
                if hasSkippedLine { return .refused(.emptyLines) }
                hasSkippedLine = true
                return nil
            }
            hasLine = true
            line = ended
            return nil
        }
        if ended.isEmpty { return .complete(end: 0) }
        if bytes[ended.lowerBound] == Self.space || bytes[ended.lowerBound] == Self.tab {
            return .refused(.foldedField)
        }
        if fields.count == Limits.headerFields { return .refused(.tooManyFields) }
        fields.append(ended)
        return nil
    }

    /// The longest method, the version, and what stands between.
    private static let requestLineRest = 32 + 10
    private static let carriageReturn = UInt8(ascii: "\r")
    private static let lineFeed = UInt8(ascii: "\n")
    private static let space = UInt8(ascii: " ")
    private static let tab = UInt8(ascii: "\t")
}
