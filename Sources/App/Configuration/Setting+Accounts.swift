public import Access
import Domain
import Foundation
public import Outbound

extension Setting {
    public static let registration = Setting(
        "REGISTRATION",
        default: "invite",
        flag: false,
        "Who may get an account: `off` (nobody), `invite` (who was invited), or `open` (everybody, with a tenant of their own)."
    )
    public static let verifyEmail = Setting(
        "VERIFY_EMAIL",
        default: "off",
        flag: false,
        "`on`: an address counts once a mail to it was answered, and registering tells nobody which addresses have accounts."
    )
    public static let passwordMemory = Setting(
        "PASSWORD_MEMORY_MIB",
        default: "64",
        flag: false,
        "MiB that hashing one password fills (Argon2id), 19 to 256; at most THREADS at once."
    )
    public static let passwordPasses = Setting(
        "PASSWORD_PASSES",
        default: "3",
        flag: false,
        "Passes over that memory, 2 to 16."
    )
    public static let smtpURL = Setting(
        "SMTP_URL",
        default: "none",
        secret: true,
        "Mail relay: `smtps://USER:PASSWORD@HOST` (TLS), `smtp://…` (STARTTLS; none is needed on this machine)."
    )
    public static let mailFrom = Setting(
        "MAIL_FROM",
        default: "pyairtable-ai@localhost",
        flag: false,
        "Sender of mails."
    )
    public static let outbox = Setting(
        "OUTBOX",
        default: "DATA/outbox",
        flag: false,
        "Directory that mails are written to while there is no SMTP_URL, one `.eml` file each."
    )

    static let accounts: [Setting] = [
        .registration, .verifyEmail, .passwordMemory, .passwordPasses, .smtpURL, .mailFrom, .outbox,
    ]
}

/// Who may have an account, what a password costs, and how mails go out.
public struct IdentitySettings: Sendable {
    public var accounts: AccountSettings
    public var cost: PasswordCost
    /// Nil for mails that are written to `outbox`.
    public var relay: SMTPRelay?
    public var sender: String
    public var outbox: String

    init(_ reader: inout SettingsReader, data: String, publicURL: String?) {
        accounts = AccountSettings(
            registration: reader.value(
                .registration,
                default: .invite,
                expected: "off, invite or open",
                AccountSettings.Registration.init
            ),
            verifiesEmail: reader.value(.verifyEmail, default: false, expected: "on or off") { text in
                ["on": true, "off": false][text.lowercased()]
            },
            serverName: publicURL ?? "its own address"
        )
        let memory = Limits.passwordMemoryKiBMin / 1_024...Limits.passwordMemoryKiBMax / 1_024
        let passes = Limits.passwordPassesMin...Limits.passwordPassesMax
        cost = PasswordCost(
            memoryKiB: 1_024
                * reader.value(
                    .passwordMemory,
                    default: Limits.passwordMemoryKiB / 1_024,
                    expected: "a number of MiB from \(memory.lowerBound) to \(memory.upperBound)"
                ) { text in Int(text).flatMap { memory.contains($0) ? $0 : nil } },
            passes: reader.value(
                .passwordPasses,
                default: Limits.passwordPasses,
                expected: "a number from \(passes.lowerBound) to \(passes.upperBound)"
            ) { text in Int(text).flatMap { passes.contains($0) ? $0 : nil } }
        )
        relay = reader.value(
            .smtpURL,
            default: nil,
            expected: "smtps://USER:PASSWORD@HOST[:PORT], smtp://…, or none"
        ) { text in text == "none" ? .some(nil) : Self.relay(text).map { .some($0) } }
        accounts.sendsMail = relay != nil
        sender = reader.value(.mailFrom, default: "pyairtable-ai@localhost", expected: "name@host") { text in
            (try? EmailAddress(text)) == nil ? nil : text
        }
        outbox = reader.text(.outbox).map { URL(fileURLWithPath: $0).standardizedFileURL.path } ?? data + "/outbox"
    }

    func shown(_ setting: Setting) -> String? {
        switch setting {
        case .registration: accounts.registration.rawValue
        case .verifyEmail: accounts.verifiesEmail ? "on" : "off"
        case .passwordMemory: String(cost.memoryKiB / 1_024)
        case .passwordPasses: String(cost.passes)
        case .smtpURL: relay == nil ? "none" : "<redacted>"
        case .mailFrom: sender
        case .outbox: outbox
        default: nil
        }
    }

    /// Percent escapes in user and password are read.
    static func relay(_ text: String) -> SMTPRelay? {
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty,
            url.path.isEmpty || url.path == "/", url.query == nil, url.fragment == nil,
            (url.user == nil) == (url.password == nil)
        else { return nil }
        let isNear = ["127.0.0.1", "::1", "[::1]", "localhost"].contains(host)
        let protection: SMTPRelay.Protection
        switch url.scheme {
        case "smtps": protection = .implicit
        // On this machine nobody listens in between; everywhere else a relay without TLS is refused.
        case "smtp": protection = isNear ? .none : .startTLS
        default: return nil
        }
        return SMTPRelay(
            host: host.trimmingCharacters(in: CharacterSet(charactersIn: "[]")),
            port: url.port ?? (protection == .implicit ? 465 : isNear ? 25 : 587),
            protection: protection,
            user: url.user,
            password: url.password.map { OutboundSecret($0) }
        )
    }
}
