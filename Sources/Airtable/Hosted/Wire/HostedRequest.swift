import Domain
import Outbound

/// One request to the hosted API, but for address and token.
struct HostedRequest: Sendable, Hashable {
    var method: OutboundRequest.Method
    /// Below the version, each segment encoded.
    var path: String
    /// Encoded, in order.
    var query: [String] = []
    var body: [UInt8] = []
    /// Whether sending it twice does the same as sending it once.
    var isRepeatable: Bool
    /// Whether it changes nothing, so that several callers may share one answer.
    var isRead: Bool

    /// Path and query.
    var target: String { query.isEmpty ? path : path + "?" + query.joined(separator: "&") }

    static func read(_ path: [String], query: [(name: String, value: String)] = []) -> Self {
        Self(
            method: .get,
            path: Self.path(path),
            query: query.map { "\(encoded($0.name))=\(encoded($0.value))" },
            isRepeatable: true,
            isRead: true
        )
    }

    static func path(_ segments: [String]) -> String { segments.map(encoded).joined(separator: "/") }

    /// Everything but unreserved characters is encoded, slashes of names too.
    static func encoded(_ text: String) -> String {
        var out: [UInt8] = []
        out.reserveCapacity(text.utf8.count)
        let digits = Array("0123456789ABCDEF".utf8)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
                UInt8(ascii: "~"):
                out.append(byte)
            default:
                out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
