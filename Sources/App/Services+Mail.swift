import Access
import Domain
import Gateway
import Outbound

extension Services {
    /// Sends what accounts are mailed: by the relay of the settings, or into the outbox's directory.
    ///
    /// - Throws: when the system's certificates cannot be read.
    func mailSender() throws -> MailSender {
        let identity = configuration.identity
        return MailSender(
            accounts: accounts,
            mailer: try identity.relay.map { try SMTPMailer($0) } ?? FileOutbox(identity.outbox),
            sender: identity.sender,
            logger: logger
        )
    }
}

extension PrometheusRegistry {
    func addPasswords(_ hasher: PasswordHasher) {
        addGauge("pyairtable_password_hashes_running", "Passwords being hashed.") { Double(hasher.load.running) }
        addGauge("pyairtable_password_hashes_waiting", "Passwords waiting to be hashed.") {
            Double(hasher.load.waiting)
        }
        addCounter("pyairtable_password_hashes_total", "Passwords hashed.") { Double(hasher.load.finished) }
        addCounter("pyairtable_password_hashes_refused_total", "Sign-ins refused because too many waited.") {
            Double(hasher.load.refused)
        }
    }
}
