import HTTPTypes

/// Where a request stands in a trace that somebody else began (W3C Trace Context, section 3.2).
struct TraceParent: Sendable, Hashable {
    static let header = HTTPField.Name("traceparent")!

    /// 32 hexadecimal digits, not all zero.
    let traceID: String
    /// Of the caller's span: 16 hexadecimal digits, not all zero.
    let parentID: String
    let isSampled: Bool

    /// Nil without the header, with two of them, and for what is none: the trace is then not continued.
    init?(_ headers: HTTPFields) {
        let values = headers[values: Self.header]
        guard values.count == 1 else { return nil }
        let parts = values[0].split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, Self.isHex(parts[0], 2), parts[0] != "ff", parts[0] != "00" || parts.count == 4,
            Self.isHex(parts[1], 32), parts[1].contains(where: { $0 != "0" }),
            Self.isHex(parts[2], 16), parts[2].contains(where: { $0 != "0" }),
            Self.isHex(parts[3], 2), let flags = UInt8(parts[3], radix: 16)
        else { return nil }
        traceID = String(parts[1])
        parentID = String(parts[2])
        isSampled = flags & 1 == 1
    }

    /// In lower case only, as the standard wants.
    private static func isHex(_ text: Substring, _ count: Int) -> Bool {
        text.utf8.count == count && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}
