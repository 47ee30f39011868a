import Domain
public import Logging

extension AccountService {
    /// Mails that are due, each to be told of with `sent` when it is out; one that is not comes again later.
    public func dueMails(limit: Int, logger: Logger) async throws -> [AccountMail] {
        let taken = try await mails.take(limit: limit, at: now)
        for kind in taken.given {
            logger.warning("a mail was given up", metadata: ["kind": "\(kind.rawValue)"])
        }
        return taken.due.map { AccountMail($0, server: settings.serverName) }
    }

    /// The mail is out.
    public func sent(_ mail: AccountMail) async throws { try await mails.sent(mail.id) }

    /// How many mails wait, for metrics.
    public func mailsWaiting() async throws -> Int { try await mails.count() }
}
