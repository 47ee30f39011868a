public import Domain
import Foundation

/// One mail of plain text, to one recipient.
public struct MailMessage: Sendable, Hashable {
    /// `name@host`, without a display name.
    public let sender: String
    public let recipient: String
    public let subject: String
    /// Lines end with a line feed.
    public let text: String
    public let time: Instant
    /// Unique for good: what stands before the `@` of `Message-ID`.
    public let id: String

    /// - Throws: `OutboundError` `invalidAddress` for an address that could end a header or a command of SMTP.
    public init(
        from sender: String,
        to recipient: String,
        subject: String,
        text: String,
        time: Instant,
        id: String
    ) throws(OutboundError) {
        for address in [sender, recipient] where !Self.isSafe(address) {
            throw OutboundError(.invalidAddress, "A mail's address is not one.", hint: "it looks like name@host")
        }
        self.sender = sender
        self.recipient = recipient
        self.subject = subject
        self.text = text
        self.time = time
        self.id = id
    }

    /// Whether sender or recipient need SMTPUTF8 (RFC 6531).
    var needsUTF8: Bool { !(sender + recipient).utf8.allSatisfy { $0 < 0x80 } }

    /// As it is stored and sent (RFC 5322): lines end with CR LF and have 78 bytes at most, all in ASCII but for addresses
    /// that are not.
    public var encoded: [UInt8] {
        let host = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        let headers = [
            "From: <\(sender)>",
            "To: <\(recipient)>",
            "Subject: \(Self.header(subject))",
            "Date: \(Self.date(time))",
            "Message-ID: <\(id.filter { $0.isASCII && ($0.isLetter || $0.isNumber) })@\(host)>",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: quoted-printable",
            // Nobody's holiday answers to it.
            "Auto-Submitted: auto-generated",
        ]
        return Array((headers.joined(separator: "\r\n") + "\r\n\r\n").utf8) + QuotedPrintable.encoded(text)
    }

    /// One `@` inside, and nothing that ends a line, an address or a command.
    private static func isSafe(_ address: String) -> Bool {
        address.split(separator: "@", omittingEmptySubsequences: false).count == 2
            && !address.hasPrefix("@") && !address.hasSuffix("@") && address.utf8.count <= 254
            && address.unicodeScalars.allSatisfy { scalar in
                scalar.value > 0x20 && scalar.value != 0x7F && !"<>,;:\\\"()[]".unicodeScalars.contains(scalar)
                    && !scalar.properties.isWhitespace && scalar.properties.generalCategory != .control
            }
    }

    /// As it is when it is plain text, else as encoded words (RFC 2047) of whole characters, few enough for a line that
    /// begins with the header's name.
    private static func header(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { (0x20...0x7E).contains($0) } && text.utf8.count <= 66
        if isPlain, !text.contains("=?") { return text }
        var words: [String] = []
        var word: [UInt8] = []
        func finish() {
            words.append("=?utf-8?B?\(Data(word).base64EncodedString())?=")
            word = []
        }
        for scalar in text.unicodeScalars {
            let bytes = Array(String(scalar).utf8)
            // 39 bytes are 52 in base 64.
            if word.count + bytes.count > 39 { finish() }
            word += bytes
        }
        finish()
        return words.joined(separator: "\r\n ")
    }

    /// `Sun, 29 Nov 2026 09:00:00 +0000`
    static func date(_ time: Instant) -> String {
        let iso = time.iso8601
        let parts = iso.prefix { $0 != "T" }.split(separator: "-")
        let clock = iso.drop { $0 != "T" }.dropFirst().prefix(8)
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let day = Int((Double(time.microseconds) / 86_400_000_000).rounded(.down))
        let weekday = days[((day % 7) + 7) % 7]
        let month = Int(parts[1]).map { months[$0 - 1] } ?? "Jan"
        return "\(weekday), \(parts[2]) \(month) \(parts[0]) \(clock) +0000"
    }
}

/// Text as quoted-printable (RFC 2045, section 6.7): ASCII lines of 76 characters at most.
enum QuotedPrintable {
    static func encoded(_ text: String) -> [UInt8] {
        var output: [UInt8] = []
        let normal = text.replacing("\r\n", with: "\n")
        for line in normal.split(separator: "\n", omittingEmptySubsequences: false) {
            append(Array(line.utf8), to: &output)
            output += [0x0D, 0x0A]
        }
        // The last line feed ends a line and begins none.
        if normal.hasSuffix("\n") { output.removeLast(2) }
        return output
    }

    private static func append(_ line: [UInt8], to output: inout [UInt8]) {
        var column = 0
        for (position, byte) in line.enumerated() {
            let isLast = position == line.count - 1
            let isPlain = (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "=")
            // A space at the end would be lost on the way.
            let piece = isPlain || (byte == 0x20 && !isLast) ? [byte] : escaped(byte)
            // Room for the mark of a soft break, unless the line ends here.
            if column + piece.count > (isLast ? 76 : 75) {
                output += [UInt8(ascii: "="), 0x0D, 0x0A]
                column = 0
            }
            output += piece
            column += piece.count
        }
    }

    private static func escaped(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "="), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
