import Domain
import HTTPTypes

/// What makes a request a WebSocket's opening handshake (RFC 6455, section 4.2.1).
enum SocketHandshake {
    /// The one path, and the route that stands for it in the table.
    static let path = "/api/v1/chat/ws"
    static let version = HTTPField.Name("Sec-WebSocket-Version")!
    private static let key = HTTPField.Name("Sec-WebSocket-Key")!

    /// - Throws: `upgradeRequired` when it is another version or does not ask for an upgrade; `invalidParameter` for a
    ///   key that is none and for a request with a body.
    static func check(_ headers: HTTPFields) throws(GatewayError) {
        let connection = headers[values: .connection].flatMap { $0.split(separator: ",") }
            .map { $0.lowercased().filter { $0 != " " } }
        guard connection.contains("upgrade"), headers[values: version] == ["13"] else {
            throw upgradeRequired
        }
        let keys = headers[values: key]
        guard keys.count == 1, isKey(keys[0]) else {
            throw GatewayError(.invalidParameter, "Sec-WebSocket-Key is not 16 bytes of base64.")
        }
        let length = headers[.contentLength] ?? "0"
        guard !headers.contains(.transferEncoding), length == "0" else {
            throw GatewayError(.invalidParameter, "A WebSocket's handshake has no body.")
        }
    }

    static let upgradeRequired = GatewayError(
        .upgradeRequired,
        "This address is a WebSocket's.",
        hint: "open it as one, version 13; docs/chat-events.md says how"
    )

    /// 16 bytes: 22 letters and two signs of padding.
    private static func isKey(_ text: String) -> Bool {
        text.utf8.count == 24 && text.hasSuffix("==")
            && text.utf8.dropLast(2).allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                    true
                default: false
                }
            }
    }
}
