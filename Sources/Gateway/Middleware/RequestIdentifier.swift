import Domain
import HTTPTypes

/// The name of a request, in its answer, its log lines and its problem.
enum RequestIdentifier {
    static let header = HTTPField.Name("X-Request-Id")!

    /// What the client sent, when it is one plain word of 8 to 64 characters; otherwise the name of its trace, or a new
    /// one. A key that got into the wrong header is none: the word is logged.
    static func identifier(for headers: HTTPFields) -> String {
        let sent = headers[values: header]
        if sent.count == 1, isPlain(sent[0]) { return sent[0] }
        if sent.isEmpty, let trace = TraceParent(headers) { return trace.traceID }
        return RunningName.made()
    }

    private static func isPlain(_ text: String) -> Bool {
        (8...64).contains(text.utf8.count) && !text.lowercased().hasPrefix("pat_")
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}
