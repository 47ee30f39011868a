import Domain

/// Makes and checks hashes of passwords, a bounded number at once.
public final class PasswordHasher: Sendable {
    /// What was done and is being done, for tests and metrics.
    public struct Load: Sendable, Hashable {
        public var running = 0
        /// The most that ever ran at once.
        public var runningMax = 0
        public var waiting = 0
        public var finished = 0
        public var refused = 0
    }

    /// What came of checking a password.
    public enum Verdict: Sendable, Hashable {
        case wrong
        /// - isOld: whether the hash is to be replaced by a new one of this password.
        case right(isOld: Bool)
    }

    public let cost: PasswordCost
    private let pool: HashingPool

    /// - Parameters:
    ///   - cost: of new hashes.
    ///   - threads: hashes at once, each with `cost.memoryKiB`; as many as cores.
    ///   - queueLimit: hashes that may wait; nil for `Limits.passwordHashesWaiting` a thread.
    public init(cost: PasswordCost = PasswordCost(), threads: Int, queueLimit: Int? = nil) {
        self.cost = cost
        self.pool = HashingPool(threads: threads, queueLimit: queueLimit ?? Limits.passwordHashesWaiting * threads)
    }

    public var load: Load { pool.load }

    /// A new hash of `password` with a random salt, to be stored.
    ///
    /// - Throws: `AccessError` `busy` when too many wait.
    public func hash(_ password: Password) async throws -> String {
        precondition(password.isWithinBytes, "a password's policy is asked before it is hashed")
        var generator = SystemRandomNumberGenerator()
        let salt = (0..<PasswordHash.saltBytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return try await pool.run { [cost] in
            let digest = try Argon2id.digest(
                of: password.bytes,
                salt: salt,
                cost: cost,
                byteCount: PasswordHash.digestBytes
            )
            return PasswordHash.argon2id(cost: cost, salt: salt, digest: digest).text
        }
    }

    /// Whether `password` is the one behind `stored`.
    ///
    /// Without a stored hash a hash is made all the same, and the answer is `wrong`: whoever guesses addresses learns
    /// nothing from the time it took.
    ///
    /// - Throws: `AccessError` `busy` when too many wait, `corrupt` for a stored hash of no known form.
    public func verify(_ password: Password, against stored: String?) async throws -> Verdict {
        // Never accepted, and so nobody's: hashed as an empty one, to take its time.
        let bytes = password.isWithinBytes ? password.bytes : []
        guard let stored, password.isWithinBytes else { return try await decoy(bytes) }
        guard let hash = PasswordHash(stored) else {
            _ = try await decoy(bytes)
            throw AccessError.corrupt("access_accounts", "a password's hash of unknown form")
        }
        return try await pool.run { [cost] in
            switch hash {
            case .argon2id(let own, let salt, let digest):
                let computed = try Argon2id.digest(of: bytes, salt: salt, cost: own, byteCount: digest.count)
                return isEqualInConstantTime(computed, digest) ? .right(isOld: hash.isOlder(than: cost)) : .wrong
            case .bcrypt(let setting):
                guard Bcrypt.isRight(bytes, for: setting) else { return .wrong }
                // Beyond what bcrypt reads, what was typed now may not be the password.
                return .right(isOld: bytes.count <= Bcrypt.passwordBytes)
            }
        }
    }

    /// The work of a check that cannot succeed.
    private func decoy(_ bytes: [UInt8]) async throws -> Verdict {
        try await pool.run { [cost] in
            let salt = [UInt8](repeating: 0, count: PasswordHash.saltBytes)
            _ = try Argon2id.digest(of: bytes, salt: salt, cost: cost, byteCount: PasswordHash.digestBytes)
            return .wrong
        }
    }
}
