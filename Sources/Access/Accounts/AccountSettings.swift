import Domain

/// Who may get an account, and how.
public struct AccountSettings: Sendable, Hashable {
    public enum Registration: String, Sendable, Hashable, CaseIterable {
        /// Accounts are made at the machine itself.
        case off
        /// Everybody; each gets a tenant of their own.
        case open
    }

    public var registration: Registration
    /// Whether an address counts only once its owner answered a mail. Then nobody learns by registering which addresses
    /// have accounts; without it they do, at the rate that `AttemptKind.register` allows.
    public var verifiesEmail: Bool
    /// What mails call this server.
    public var serverName: String

    public init(registration: Registration = .off, verifiesEmail: Bool = false, serverName: String = "this server") {
        self.registration = registration
        self.verifiesEmail = verifiesEmail
        self.serverName = serverName
    }
}
