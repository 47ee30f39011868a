/// Hands mails over: to a relay, or to a directory.
public protocol Mailer: Sendable {
    /// Returns when somebody else is answerable for the mail.
    ///
    /// - Throws: `OutboundError`; whether the mail is out is then not known, and it may be sent again.
    func send(_ message: MailMessage, timeout: Duration) async throws(OutboundError)
}
