public import Domain

/// Splits a stream of bytes into server-sent events, however it is cut into pieces.
///
/// Lines end at CR, LF or CRLF and at nothing else: U+2028, U+2029 and U+0085 are data, as is a lone NUL. Comments and
/// fields it does not know of are passed over, as the standard says; lines that look like no field at all come out as
/// `stray`, so that an error in the wrong dress is seen.
public struct ServerSentEventSplitter: Sendable {
    private let eventBytesMax: Int
    /// The line that is not over yet.
    private var line: [UInt8] = []
    private var isAfterCR = false
    private var isFirstLine = true
    private var name = ""
    private var data: [UInt8] = []
    private var hasData = false
    private var id: String?

    /// - Parameter eventBytesMax: of one event's data, and of one line.
    public init(eventBytesMax: Int = Limits.outboundEventBytes) { self.eventBytesMax = eventBytesMax }

    /// What `piece` completes.
    ///
    /// - Throws: `replyTooLarge`; the splitter is of no use afterwards.
    public mutating func take(_ piece: some Collection<UInt8>) throws(OutboundError) -> [ServerSentItem] {
        var items: [ServerSentItem] = []
        var rest = piece[...]
        if isAfterCR, let first = rest.first {
            isAfterCR = false
            if first == Self.lf { rest = rest.dropFirst() }
        }
        while let end = rest.firstIndex(where: { $0 == Self.lf || $0 == Self.cr }) {
            try extendLine(rest[..<end])
            try endLine(&items)
            let isCR = rest[end] == Self.cr
            rest = rest[rest.index(after: end)...]
            guard isCR else { continue }
            if let next = rest.first {
                if next == Self.lf { rest = rest.dropFirst() }
            } else {
                isAfterCR = true
            }
        }
        try extendLine(rest)
        return items
    }

    /// What is left when the stream is over. The standard throws it away; here it comes out as not terminated.
    public mutating func finish() throws(OutboundError) -> [ServerSentItem] {
        var items: [ServerSentItem] = []
        if !line.isEmpty { try endLine(&items) }
        if hasData { items.append(.event(takeEvent(isTerminated: false))) }
        return items
    }

    private static let cr = UInt8(ascii: "\r")
    private static let lf = UInt8(ascii: "\n")

    private mutating func extendLine(_ bytes: some Collection<UInt8>) throws(OutboundError) {
        guard line.count + bytes.count <= eventBytesMax else { throw tooLarge }
        line.append(contentsOf: bytes)
    }

    private mutating func endLine(_ items: inout [ServerSentItem]) throws(OutboundError) {
        defer { line.removeAll(keepingCapacity: true) }
        var content = line[...]
        if isFirstLine {
            isFirstLine = false
            if content.starts(with: [0xEF, 0xBB, 0xBF]) { content = content.dropFirst(3) }
        }
        guard let first = content.first else {
            if hasData { items.append(.event(takeEvent(isTerminated: true))) }
            name = ""
            return
        }
        if first == UInt8(ascii: ":") { return }
        let colon = content.firstIndex(of: UInt8(ascii: ":")) ?? content.endIndex
        var value = content[colon...].dropFirst()
        if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
        let field = content[..<colon]
        switch String(decoding: field, as: UTF8.self) {
        case "data": try addData(value)
        case "event": name = String(decoding: value, as: UTF8.self)
        case "id": if !value.contains(0) { id = String(decoding: value, as: UTF8.self) }
        case "retry": if let wait = Self.milliseconds(value) { items.append(.retry(wait)) }
        // Of llama.cpp's making, and worth seeing.
        case "error": items.append(.stray(Array(value)))
        default: if !Self.isFieldName(field) || colon == content.endIndex { items.append(.stray(Array(content))) }
        }
    }

    private mutating func addData(_ value: ArraySlice<UInt8>) throws(OutboundError) {
        guard data.count + value.count < eventBytesMax else { throw tooLarge }
        if hasData { data.append(Self.lf) }
        data.append(contentsOf: value)
        hasData = true
    }

    private mutating func takeEvent(isTerminated: Bool) -> ServerSentEvent {
        defer {
            data = []
            hasData = false
            name = ""
        }
        return ServerSentEvent(
            name: name.isEmpty ? "message" : name,
            data: data,
            id: id,
            isTerminated: isTerminated
        )
    }

    /// Digits alone; anything else is passed over.
    private static func milliseconds(_ value: ArraySlice<UInt8>) -> Duration? {
        guard value.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return Int64(String(decoding: value, as: UTF8.self)).map { .milliseconds($0) }
    }

    /// What a later standard may add: one word. A line of JSON or HTML has other letters before a colon.
    private static func isFieldName(_ field: ArraySlice<UInt8>) -> Bool {
        field.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }

    private var tooLarge: OutboundError {
        OutboundError(.replyTooLarge, "one event of a stream is longer than \(eventBytesMax) bytes")
    }
}
