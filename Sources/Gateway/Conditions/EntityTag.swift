import Airtable
import Crypto
import Domain
import HTTPTypes

/// Names one state of what an address shows (RFC 9110, section 8.8.3): always strong, always made from what the caller
/// may see, so that nobody learns of a change that is hidden from them.
struct EntityTag: Sendable, Hashable {
    /// With its quotes.
    let text: String

    init(text: String) { self.text = text }

    /// Of an answer.
    init(of bytes: [UInt8]) {
        let digits = SHA256.hash(data: bytes).prefix(16).map { byte in
            let text = String(byte, radix: 16)
            return byte < 16 ? "0" + text : text
        }
        text = "\"\(digits.joined())\""
    }

    /// Of a record: of its cells, whatever form they are shown in. Links to files, which change by the hour, do not count.
    init(of record: Record, in table: Table) {
        // A record that was read can be written.
        self.init(of: (try? JSONCoder.encode(RecordWire(record, table: table))) ?? [])
    }

    /// Whether `If-None-Match` names it, strong or weak.
    func isNamed(inNoneMatch values: [String]) -> Bool {
        Self.names(values).contains { $0 == "*" || $0 == text || $0 == "W/" + text }
    }

    /// Whether `If-Match` names it; a weak tag names nothing here.
    func isNamed(inMatch values: [String]) -> Bool { Self.names(values).contains { $0 == "*" || $0 == text } }

    /// The tags of a list; commas inside of quotes are part of a tag.
    private static func names(_ values: [String]) -> [String] {
        values.flatMap { value in
            var names: [String] = []
            var name = ""
            var isQuoted = false
            for character in value {
                if character == "\"" { isQuoted.toggle() }
                if character == ",", !isQuoted {
                    names.append(name)
                    name = ""
                } else if isQuoted || !character.isWhitespace {
                    name.append(character)
                }
            }
            return (names + [name]).filter { !$0.isEmpty }
        }
    }
}

extension GatewayError {
    static let preconditionFailed = GatewayError(
        .preconditionFailed,
        "If-Match names another version than there is now.",
        hint: "read it again, and send its ETag"
    )
}

extension RouteCall {
    /// What the record must still be, as `If-Match` says; nil when the client does not mind.
    ///
    /// Called in the transaction that changes the record: between the look and the change nobody else writes.
    func recordCheck(_ table: Table) -> (@Sendable (Record) throws -> Void)? {
        let values = headers[values: .ifMatch]
        guard !values.isEmpty else { return nil }
        return { record in
            guard EntityTag(of: record, in: table).isNamed(inMatch: values) else {
                throw GatewayError.preconditionFailed
            }
        }
    }
}
