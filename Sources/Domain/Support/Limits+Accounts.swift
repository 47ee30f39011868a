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
}
