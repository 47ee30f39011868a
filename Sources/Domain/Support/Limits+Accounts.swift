extension Limits {
    /// Passwords: Unicode scalars after normalisation, at least and at most.
    public static let passwordCharacters = 8...128
    /// Passwords: bytes in UTF-8; the longest of 128 scalars fits.
    public static let passwordBytes = 512
    /// Passwords: KiB that one Argon2id hash fills, at the least that is accepted and by default.
    public static let passwordMemoryKiBMin = 19 * 1_024
    public static let passwordMemoryKiB = 64 * 1_024
    /// Passwords: passes over that memory, at the least that is accepted and by default.
    public static let passwordPassesMin = 2
    public static let passwordPasses = 3
    /// Passwords: the most that a stored hash may ask for, so that no row makes a sign-in cost seconds or a gigabyte.
    public static let passwordMemoryKiBMax = 256 * 1_024
    public static let passwordPassesMax = 16
    public static let passwordLanesMax = 8
    /// Passwords: bcrypt's logarithm of rounds; 15 takes some 2 s.
    public static let bcryptCostMax = 15
    /// Passwords: hashes that wait for each thread that makes them: the last one waits some 3 s at 0.1 s each.
    public static let passwordHashesWaiting = 32
    /// Sign-in: failures of one account, or of one known client of it, before the next must wait.
    public static let freeFailures = 5
    /// Sign-in: the wait after them, which doubles with each further one, and the longest. A person who forgot waits
    /// less than they look for the paper; a program makes some 100 guesses a day.
    public static let failureWait = Duration.seconds(10)
    public static let failureWaitMax = Duration.seconds(900)
    /// Sign-in: failures this old are forgotten.
    public static let failureMemory = Duration.seconds(86_400)
    /// Sign-in: clients from which an account was used well that are remembered: places where people are.
    public static let knownClients = 20
    public static let knownClientMemory = Duration.seconds(180 * 86_400)
    /// Accounts: how long what came by mail may be used.
    public static let mailedTokenLife = Duration.seconds(3_600)
    /// Accounts: registrations that wait for their mail to be answered, of one address.
    public static let pendingRegistrations = 5
    /// Accounts: bytes of one user's preferences as JSON.
    public static let preferencesBytes = 16 * 1_024
    /// Mail: messages that wait to be sent; more are a flood, or a relay that is down for days.
    public static let mailsWaiting = 10_000
    /// Mail: times that one is tried; by the waits between them about a day.
    public static let mailAttempts = 10
    /// Mail: messages that one process sends at once.
    public static let mailsAtOnce = 4
    /// Mail: how long one may take to be handed over.
    public static let mailTime = Duration.seconds(60)
}
