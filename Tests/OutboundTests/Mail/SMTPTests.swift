import Domain
import Foundation
import NIOSSL
import TestSupport
import Testing

@testable import Outbound

@Suite("Mail by SMTP")
struct SMTPTests {
    private static let patience = Duration.seconds(20)

    private static func message(
        _ text: String = "Hello.\n.hidden\nGood bye.\n",
        to recipient: String = "ada@example.com"
    ) throws -> MailMessage {
        try MailMessage(
            from: "server@example.com",
            to: recipient,
            subject: "A subject",
            text: text,
            time: Instant(milliseconds: 1_750_000_000_000),
            id: "abc.1"
        )
    }

    private static func mailer(
        _ relay: ScriptedRelay,
        _ protection: SMTPRelay.Protection = .none,
        host: String = "127.0.0.1",
        user: String? = nil,
        roots: NIOSSLTrustRoots = .default
    ) throws -> SMTPMailer {
        try SMTPMailer(
            SMTPRelay(
                host: host,
                port: relay.port,
                protection: protection,
                user: user,
                password: user.map { _ in OutboundSecret("pass word") }
            ),
            roots: roots
        )
    }

    @Test("a mail is handed over whole, with its dots doubled, and the relay is told good bye")
    func plain() async throws {
        let relay = try await ScriptedRelay()
        try await Self.mailer(relay).send(try Self.message(), timeout: Self.patience)
        let lines = relay.lines
        #expect(
            lines.prefix(4) == [
                "EHLO localhost", "MAIL FROM:<server@example.com>", "RCPT TO:<ada@example.com>", "DATA",
            ]
        )
        #expect(lines.contains("..hidden") && !lines.contains(".hidden"))
        #expect(lines.contains("Subject: A subject") && lines.contains("To: <ada@example.com>"))
        let end = try #require(lines.firstIndex(of: "."))
        #expect(lines[end - 1] == "Good bye.")
        try await relay.stop()
    }

    @Test(
        "with TLS from the first byte, and with STARTTLS, nothing is said before it",
        arguments: [SMTPRelay.Protection.implicit, .startTLS]
    )
    func protected(_ protection: SMTPRelay.Protection) async throws {
        try await withTemporaryDirectory { directory in
            let identity = try RelayIdentity(in: directory)
            let relay = try await ScriptedRelay(identity: identity, implicit: protection == .implicit)
            let mailer = try Self.mailer(
                relay,
                protection,
                host: "localhost",
                user: "us\u{E9}r",
                roots: .file(identity.certificate)
            )
            try await mailer.send(try Self.message(), timeout: Self.patience)
            let secret = Data("\0us\u{E9}r\0pass word".utf8).base64EncodedString()
            let before = relay.lines.prefix { $0 != "[TLS]" }
            if protection == .startTLS {
                #expect(before == ["EHLO localhost", "STARTTLS"])
                #expect(relay.lines.dropFirst(3).prefix(2) == ["EHLO localhost", "AUTH PLAIN \(secret)"])
            } else {
                #expect(relay.lines.prefix(2) == ["EHLO localhost", "AUTH PLAIN \(secret)"])
            }
            #expect(relay.lines.contains("."))
            try await relay.stop()
        }
    }

    @Test("a relay whose certificate nobody vouches for, or for another name, is told nothing")
    func certificates() async throws {
        try await withTemporaryDirectory { directory in
            let identity = try RelayIdentity(in: directory)
            for protection in [SMTPRelay.Protection.implicit, .startTLS] {
                let relay = try await ScriptedRelay(identity: identity, implicit: protection == .implicit)
                for (host, roots) in [
                    ("localhost", NIOSSLTrustRoots.default), ("127.0.0.1", .file(identity.certificate)),
                ] {
                    let mailer = try Self.mailer(relay, protection, host: host, user: "user", roots: roots)
                    await #expect(throws: OutboundError(.cannotConnect, "")) {
                        try await mailer.send(try Self.message(), timeout: Self.patience)
                    }
                }
                #expect(relay.lines.allSatisfy { ["EHLO localhost", "STARTTLS", "[TLS]"].contains($0) })
                try await relay.stop()
            }
        }
    }

    @Test("without TLS where it is asked for, and when words come before it, a relay is refused")
    func downgrade() async throws {
        try await withTemporaryDirectory { directory in
            let without = try await ScriptedRelay()
            await #expect(throws: OutboundError(.cannotConnect, "")) {
                try await Self.mailer(without, .startTLS, user: "user").send(try Self.message(), timeout: Self.patience)
            }
            #expect(without.lines == ["EHLO localhost"])
            try await without.stop()
            var script = ScriptedRelay.Script()
            script.injected = "250-relay.example\r\n250 AUTH PLAIN"
            let relay = try await ScriptedRelay(script, identity: try RelayIdentity(in: directory))
            await #expect(throws: OutboundError(.malformedReply, "")) {
                try await Self.mailer(relay, .startTLS, user: "user").send(try Self.message(), timeout: Self.patience)
            }
            #expect(relay.lines == ["EHLO localhost", "STARTTLS"])
            try await relay.stop()
        }
    }

    @Test("AUTH LOGIN is used where PLAIN is not offered; neither is a refusal")
    func login() async throws {
        var script = ScriptedRelay.Script()
        script.extensions = ["AUTH LOGIN"]
        let relay = try await ScriptedRelay(script)
        try await Self.mailer(relay, user: "user").send(try Self.message(), timeout: Self.patience)
        #expect(
            relay.lines.dropFirst().prefix(3) == [
                "AUTH LOGIN", Data("user".utf8).base64EncodedString(), Data("pass word".utf8).base64EncodedString(),
            ]
        )
        try await relay.stop()
        script.extensions = ["AUTH CRAM-MD5"]
        let other = try await ScriptedRelay(script)
        await #expect(throws: OutboundError(.cannotConnect, "")) {
            try await Self.mailer(other, user: "user").send(try Self.message(), timeout: Self.patience)
        }
        try await other.stop()
    }

    @Test(
        "a refusal at any step, and an end at any step, is a failure, and says where",
        arguments: ["EHLO", "AUTH", "MAIL", "RCPT", "DATA", "."]
    )
    func refusals(_ command: String) async throws {
        for answer in ["451 later", "550 never", "nonsense", "999 what", "25"] {
            var script = ScriptedRelay.Script()
            script.answers[command] = answer
            let relay = try await ScriptedRelay(script)
            do {
                try await Self.mailer(relay, user: "user").send(try Self.message(), timeout: Self.patience)
                Issue.record("\(answer) at \(command) was taken for yes")
            } catch let error as OutboundError {
                #expect([.cannotConnect, .malformedReply].contains(error.code))
                #expect(!error.description.contains("ada@"))
            }
            try await relay.stop()
        }
        var script = ScriptedRelay.Script()
        script.closesAt = command
        let relay = try await ScriptedRelay(script)
        await #expect(throws: OutboundError(.connectionLost, "")) {
            try await Self.mailer(relay, user: "user").send(try Self.message(), timeout: Self.patience)
        }
        try await relay.stop()
    }

    @Test("a relay that says nothing, or never ends a line, is given up")
    func silence() async throws {
        var script = ScriptedRelay.Script()
        script.isSilent = true
        let silent = try await ScriptedRelay(script)
        await #expect(throws: OutboundError(.timedOut, "")) {
            try await Self.mailer(silent).send(try Self.message(), timeout: .milliseconds(50))
        }
        try await silent.stop()
        let chatty = try RawServer { peer in
            try peer.send(String(repeating: "2", count: 5_000))
            try peer.waitForClose()
        }
        await #expect(throws: OutboundError(.malformedReply, "")) {
            let relay = SMTPRelay(host: "127.0.0.1", port: chatty.port, protection: .none)
            try await SMTPMailer(relay).send(try Self.message(), timeout: Self.patience)
        }
        let port = silent.port
        await #expect(throws: OutboundError(.cannotConnect, "")) {
            let relay = SMTPRelay(host: "127.0.0.1", port: port, protection: .none)
            try await SMTPMailer(relay).send(try Self.message(), timeout: Self.patience)
        }
    }

    @Test("an address beyond ASCII asks for SMTPUTF8, and is refused where there is none")
    func internationalised() async throws {
        let relay = try await ScriptedRelay()
        try await Self.mailer(relay).send(try Self.message(to: "jos\u{E9}@example.com"), timeout: Self.patience)
        #expect(relay.lines.contains("MAIL FROM:<server@example.com> SMTPUTF8"))
        try await relay.stop()
        var script = ScriptedRelay.Script()
        script.extensions = []
        let other = try await ScriptedRelay(script)
        await #expect(throws: OutboundError(.malformedReply, "")) {
            try await Self.mailer(other).send(try Self.message(to: "jos\u{E9}@example.com"), timeout: Self.patience)
        }
        try await other.stop()
    }
}

@Suite("A mail's form")
struct MailMessageTests {
    private static func message(_ subject: String = "Subject", _ text: String = "Text\n") throws -> MailMessage {
        try MailMessage(
            from: "server@example.com",
            to: "ada@example.com",
            subject: subject,
            text: text,
            time: Instant(milliseconds: 1_750_000_000_000),
            id: "abc.1"
        )
    }

    @Test("headers, an empty line, the text; every line ends with CR LF, in ASCII, 78 bytes at most")
    func form() throws {
        let long = "Grüße " + String(repeating: "an alle, ", count: 40)
        let encoded = try Self.message(long, long + "\n=x \nend. \n").encoded
        let text = String(decoding: encoded, as: UTF8.self)
        #expect(encoded.allSatisfy { $0 < 0x80 })
        let lines = text.replacing("\r\n", with: "\u{1}").split(separator: "\u{1}", omittingEmptySubsequences: false)
        #expect(lines.allSatisfy { $0.utf8.count <= 78 && !$0.contains("\n") && !$0.contains("\r") })
        #expect(text.hasPrefix("From: <server@example.com>\r\nTo: <ada@example.com>\r\nSubject: =?utf-8?B?"))
        #expect(text.contains("\r\nDate: Sun, 15 Jun 2025 15:06:40 +0000\r\n"))
        #expect(text.contains("\r\nMessage-ID: <abc1@example.com>\r\n"))
        #expect(lines.suffix(3) == ["=3Dx=20", "end.=20", ""])
    }

    @Test(
        "quoted-printable is undone to the same text",
        arguments: [
            "", "plain\n", "no end", "tab\t\n space \n\n\n", "=\u{0}\u{7F}é\u{1F600}\n",
            String(repeating: "é", count: 300),
            String(repeating: "a", count: 75), String(repeating: "a", count: 76), String(repeating: "a", count: 77),
            String(repeating: " ", count: 200) + "\n", "a\r\nb\n",
        ]
    )
    func quotedPrintable(_ text: String) {
        let encoded = String(decoding: QuotedPrintable.encoded(text), as: UTF8.self)
        var bytes: [UInt8] = []
        var rest = encoded.replacing("=\r\n", with: "").utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "=") {
                bytes.append(UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)!)
                rest = rest.dropFirst(2)
            } else if byte != 0x0D {
                bytes.append(byte)
            }
        }
        let decoded = String(decoding: bytes, as: UTF8.self)
        let normal = text.replacing("\r\n", with: "\n")
        #expect(decoded == (normal.hasSuffix("\n") ? normal : normal + "\n"))
        #expect(encoded.replacing("\r\n", with: "\u{1}").split(separator: "\u{1}").allSatisfy { $0.utf8.count <= 76 })
    }

    @Test(
        "no address ends a header or a command",
        arguments: [
            "", "ada", "@x", "ada@", "a@b@c", "ada@x.y\r\nBcc: eve@x.y", "ada@x.y\n", "ada@x.y>", "<ada@x.y",
            "a da@x.y",
            "ada@x.y\0", "ada@x.y\u{85}", "ada@x.y\u{2028}", "ada,eve@x.y", "\"ada\"@x.y",
        ]
    )
    func injection(_ address: String) {
        #expect(throws: OutboundError(.invalidAddress, "")) {
            _ = try MailMessage(
                from: "server@example.com",
                to: address,
                subject: "",
                text: "",
                time: Instant(milliseconds: 0),
                id: "x"
            )
        }
        #expect(throws: OutboundError(.invalidAddress, "")) {
            _ = try MailMessage(
                from: address,
                to: "ada@example.com",
                subject: "",
                text: "",
                time: Instant(milliseconds: 0),
                id: "x"
            )
        }
    }

    @Test("a subject with line ends adds no header, and one that looks encoded is not taken for it")
    func subjects() throws {
        for subject in ["Hello\r\nBcc: eve@x.y", "a\nb", "=?utf-8?B?SGk=?=", "\u{0}", "\u{7F}"] {
            let text = String(decoding: try Self.message(subject).encoded, as: UTF8.self)
            let head = text.replacing("\r\n\r\n", with: "\u{1}").prefix { $0 != "\u{1}" }
            #expect(!head.contains("Bcc"))
            #expect(head.replacing("\r\n", with: "\u{2}").split(separator: "\u{2}").count == 9, "\(head)")
            let word = try #require(head.firstMatch(of: /Subject: =\?utf-8\?B\?(.*?)\?=/)?.1)
            #expect(Data(base64Encoded: String(word)).map { String(decoding: $0, as: UTF8.self) } == subject)
        }
    }

    @Test("the outbox holds one file each that its owner alone can read")
    func outbox() async throws {
        try await withTemporaryDirectory { directory in
            let path = directory.appendingPathComponent("outbox").path
            let message = try Self.message()
            try await FileOutbox(path).send(message, timeout: .seconds(1))
            let files = try FileManager.default.contentsOfDirectory(atPath: path)
            #expect(files == ["20250615150640000-abc1.eml"])
            let file = path + "/" + files[0]
            #expect(FileManager.default.contents(atPath: file).map { Array($0) } == message.encoded)
            let attributes = try FileManager.default.attributesOfItem(atPath: file)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o700)
            let nowhere = FileOutbox(file + "/below")
            await #expect(throws: OutboundError(.cannotConnect, "")) {
                try await nowhere.send(message, timeout: .seconds(1))
            }
        }
    }
}
