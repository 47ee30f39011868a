import Domain

/// What an answer is after some of its events: the text, and the citations that stand in it.
///
/// Pure: the same events give the same answer, in a running process, after a crash, and in a reader.
struct AnswerText: Sendable, Hashable {
    private(set) var content = ""
    private(set) var citations: [Citation] = []

    /// Takes events in order; those that say nothing of the text change nothing.
    mutating func apply(_ event: ChatEvent) throws {
        switch event.kind {
        case .textDelta: append(event.data["text"]?.stringValue ?? "")
        case .textVoided: void(from: event.data["offset"]?.intValue ?? 0)
        case .citation:
            var members = event.data
            members["messageId"] = nil
            citations.append(try JSONCoder.decode(Citation.self, from: .object(members)))
        default: break
        }
    }

    mutating func append(_ text: String) { content += text }

    mutating func add(_ citation: Citation) { citations.append(citation) }

    /// - Parameter offset: UTF-8 bytes that stay; the start of a scalar.
    mutating func void(from offset: Int) {
        guard offset < content.utf8.count else { return }
        content = String(decoding: content.utf8.prefix(max(0, offset)), as: UTF8.self)
    }

    /// Whether a closing bracket would now make a marker: the text ends with `[` or `[7`.
    var endsInsideMarker: Bool {
        let digits = content.utf8.reversed().prefix { (0x30...0x39).contains($0) }.count
        return content.utf8.dropLast(digits).last == UInt8(ascii: "[")
    }

    /// Citations whose marker is still in the text: what was voided took its markers along.
    var standing: [Citation] { citations.filter { content.contains($0.marker) } }
}
