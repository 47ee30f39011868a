import Domain

/// Who may get an account, and how.
public struct AccountSettings: Sendable, Hashable {
    public enum Registration: String, Sendable, Hashable, CaseIterable {
        /// Accounts are made at the machine itself.
        case off
        /// Those who are invited by somebody who manages members of a tenant.
        case invite
        /// Everybody; each gets a tenant of their own. Those who are invited, too.
        case open
    }

    public var registration: Registration
    /// Whether an address counts only once its owner answered a mail. Then nobody learns by registering which addresses
    /// have accounts; without it they do, at the rate that `AttemptKind.register` allows.
    public var verifiesEmail: Bool
    /// Whether mails reach people. Without a relay they are files on this machine, and whoever invites somebody hands the
    /// token over.
    public var sendsMail: Bool
    /// What mails call this server.
    public var serverName: String

    public init(
        registration: Registration = .invite,
        verifiesEmail: Bool = false,
        sendsMail: Bool = false,
        serverName: String = "this server"
    ) {
        self.registration = registration
        self.verifiesEmail = verifiesEmail
        self.sendsMail = sendsMail
        self.serverName = serverName
    }
}
