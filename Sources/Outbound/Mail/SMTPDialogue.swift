import Foundation

/// How a relay is spoken to.
public struct SMTPRelay: Sendable {
    public enum Protection: String, Sendable, Hashable {
        /// TLS from the first byte.
        case implicit
        /// TLS before anything else is said; a relay that has none is refused.
        case startTLS
        /// None: for a relay on this machine.
        case none
    }

    public let host: String
    public let port: Int
    public let protection: Protection
    public let user: String?
    public let password: OutboundSecret?

    public init(host: String, port: Int, protection: Protection, user: String? = nil, password: OutboundSecret? = nil) {
        self.host = host
        self.port = port
        self.protection = protection
        self.user = user
        self.password = password
    }
}

/// The client's side of one SMTP session (RFC 5321) that hands over one mail: what to say to what the relay said.
///
/// A value without a connection and a clock. Nothing of the mail or of a password is said before the connection is as
/// protected as `relay` asks for.
struct SMTPDialogue: Sendable {
    enum Action: Sendable, Equatable {
        case send([UInt8])
        case beginTLS
        /// The relay took the mail.
        case accepted
        case fail(OutboundError)
    }

    private enum State {
        case greeting, hello, startTLS, loginUser, loginPassword, credentials, sender, recipient, data, content, quit
    }

    private let relay: SMTPRelay
    private let message: MailMessage
    private var state = State.greeting
    private var isProtected: Bool
    private var extensions: [String] = []
    /// Lines of a reply that has more than one.
    private var lines: [Substring] = []

    init(_ relay: SMTPRelay, _ message: MailMessage) {
        self.relay = relay
        self.message = message
        isProtected = relay.protection == .implicit
    }

    /// What stands in EHLO: nobody verifies it, and it tells nothing of this machine.
    private static let ownName = "localhost"
    private static let replyLines = 128

    /// After `beginTLS`, once the connection is protected.
    mutating func protected() -> [Action] {
        isProtected = true
        extensions = []
        return say("EHLO \(Self.ownName)", then: .hello)
    }

    /// One line of the relay, without its end.
    mutating func received(_ line: String) -> [Action] {
        guard let code = Int(line.prefix(3)), (200...599).contains(code), line.utf8.count >= 3,
            lines.count < Self.replyLines
        else { return [.fail(Self.malformed)] }
        let rest = line.dropFirst(3)
        lines.append(rest.dropFirst())
        if rest.first == "-" { return [] }
        let reply = lines
        lines = []
        return answer(code, reply)
    }

    private mutating func answer(_ code: Int, _ reply: [Substring]) -> [Action] {
        switch (state, code) {
        case (.greeting, 220):
            return say("EHLO \(Self.ownName)", then: .hello)
        case (.hello, 250):
            extensions = reply.dropFirst().map { $0.uppercased() }
            return protectedOrSender()
        case (.startTLS, 220):
            return [.beginTLS]
        case (.credentials, 235):
            return beginMail()
        case (.loginUser, 334):
            return say(Self.base64(relay.user ?? ""), then: .loginPassword)
        case (.loginPassword, 334):
            return say(Self.base64(relay.password?.revealed ?? ""), then: .credentials)
        case (.sender, 250):
            return say("RCPT TO:<\(message.recipient)>", then: .recipient)
        case (.recipient, 250), (.recipient, 251):
            return say("DATA", then: .data)
        case (.data, 354):
            state = .content
            return [.send(Self.stuffed(message.encoded))]
        case (.content, 250):
            state = .quit
            return [.send(Array("QUIT\r\n".utf8)), .accepted]
        case (.quit, _):
            return []
        default:
            return [.fail(refusal(code))]
        }
    }

    private mutating func protectedOrSender() -> [Action] {
        if relay.protection == .startTLS, !isProtected {
            guard extensions.contains("STARTTLS") else {
                return [.fail(OutboundError(.cannotConnect, "The mail relay offers no TLS."))]
            }
            return say("STARTTLS", then: .startTLS)
        }
        guard let user = relay.user else { return beginMail() }
        let methods =
            extensions.first { $0.hasPrefix("AUTH ") }?.split(separator: " ").dropFirst().map(String.init) ?? []
        if methods.contains("PLAIN") {
            let text = "\0\(user)\0\(relay.password?.revealed ?? "")"
            return say("AUTH PLAIN \(Self.base64(text))", then: .credentials)
        }
        if methods.contains("LOGIN") { return say("AUTH LOGIN", then: .loginUser) }
        return [.fail(OutboundError(.cannotConnect, "The mail relay takes neither AUTH PLAIN nor AUTH LOGIN."))]
    }

    private mutating func beginMail() -> [Action] {
        var parameters = ""
        if message.needsUTF8 {
            guard extensions.contains("SMTPUTF8") else {
                return [.fail(OutboundError(.malformedReply, "The mail relay takes no addresses beyond ASCII."))]
            }
            parameters = " SMTPUTF8"
        }
        return say("MAIL FROM:<\(message.sender)>\(parameters)", then: .sender)
    }

    private mutating func say(_ line: String, then next: State) -> [Action] {
        state = next
        return [.send(Array((line + "\r\n").utf8))]
    }

    /// A dot at the beginning of a line is doubled, and one alone ends the mail (RFC 5321, section 4.5.2).
    private static func stuffed(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count + 16)
        var startsLine = true
        for byte in bytes {
            if startsLine, byte == UInt8(ascii: ".") { output.append(byte) }
            output.append(byte)
            startsLine = byte == 0x0A
        }
        if !startsLine { output += [0x0D, 0x0A] }
        return output + Array(".\r\n".utf8)
    }

    private static func base64(_ text: String) -> String { Data(text.utf8).base64EncodedString() }

    private static let malformed = OutboundError(.malformedReply, "What the mail relay says is no SMTP.")

    /// The relay's own words may quote an address, and so are not repeated.
    private func refusal(_ code: Int) -> OutboundError {
        let message = "The mail relay answered \(code) at \(state)."
        return OutboundError(code >= 500 ? .malformedReply : .cannotConnect, message)
    }
}
