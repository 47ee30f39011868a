import Access
import Domain
import Logging
import Outbound

/// Sends the mails of accounts that are due, as long as the server runs.
///
/// A mail stays in the database until it is out, so one that fails, or whose server dies, is sent again.
struct MailSender: Sendable {
    /// How soon a mail that was just asked for goes out; looking is one small transaction.
    static let interval = Duration.seconds(2)

    let accounts: AccountService
    let mailer: any Mailer
    let sender: String
    let logger: Logger

    /// Ends only by cancellation.
    func run() async throws {
        while true {
            do {
                // While more wait than go out at once, nobody sleeps.
                while try await sendDue() == Limits.mailsAtOnce {}
            } catch let error where !(error is CancellationError) {
                logger.warning("mails are not sent", metadata: ["error": "\(error)"])
            }
            try await Task.sleep(for: Self.interval)
        }
    }

    /// - Returns: how many were due.
    func sendDue() async throws -> Int {
        let due = try await accounts.dueMails(limit: Limits.mailsAtOnce, logger: logger)
        await withTaskGroup(of: Void.self) { group in
            for mail in due { group.addTask { await send(mail) } }
        }
        return due.count
    }

    private func send(_ mail: AccountMail) async {
        do {
            let message = try MailMessage(
                from: sender,
                to: mail.recipient,
                subject: mail.subject,
                text: mail.text,
                time: .now(),
                id: "\(mail.id).\(mail.attempts)"
            )
            try await mailer.send(message, timeout: Limits.mailTime)
            try await accounts.sent(mail)
        } catch {
            // Neither the address nor the text: the one is somebody's, and the other may open an account.
            logger.warning("a mail was not sent", metadata: ["attempt": "\(mail.attempts)", "error": "\(error)"])
        }
    }
}
