/// The text of server-sent events, as the HTML standard has it (section 9.2).
enum ServerSentEvent {
    static let contentType = "text/event-stream"
    /// Says nothing; keeps the connection.
    static let comment = Array(": \n\n".utf8)

    /// One event: `id` and `event` lines where given, `data`, and the empty line that ends it.
    ///
    /// - Parameters:
    ///   - id: what a client that comes back names in `Last-Event-ID`.
    ///   - type: one line; nil for the type `message`.
    ///   - retry: milliseconds after which a client whose stream ended should come back; nil to leave it to the client.
    ///   - data: of one line, as compact JSON is: JSON escapes every line end inside a string.
    static func bytes(
        id: String? = nil,
        type: String? = nil,
        retry: Int? = nil,
        data: some Collection<UInt8>
    ) -> [UInt8] {
        precondition(!data.contains(where: isLineEnd), "an event's data is one line")
        var bytes: [UInt8] = []
        bytes.reserveCapacity(data.count + 64)
        if let id { append("id: ", id.utf8, to: &bytes) }
        if let type { append("event: ", type.utf8, to: &bytes) }
        if let retry { append("retry: ", "\(retry)".utf8, to: &bytes) }
        append("data: ", data, to: &bytes)
        bytes.append(UInt8(ascii: "\n"))
        return bytes
    }

    private static func append(_ field: StaticString, _ value: some Collection<UInt8>, to bytes: inout [UInt8]) {
        field.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: value)
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func isLineEnd(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") }
}
