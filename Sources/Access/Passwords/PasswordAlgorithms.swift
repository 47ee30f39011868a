import CArgon2
import CCrypt

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Argon2id (RFC 9106) by its reference implementation.
enum Argon2id {
    /// The digest of `password`; fills `cost.memoryKiB` of memory while it works and gives it back.
    ///
    /// - Throws: `busy` when that memory is not to be had.
    static func digest(
        of password: [UInt8],
        salt: [UInt8],
        cost: PasswordCost,
        byteCount: Int
    ) throws(AccessError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let status = argon2id_hash_raw(
            UInt32(cost.passes),
            UInt32(cost.memoryKiB),
            UInt32(cost.lanes),
            password,
            password.count,
            salt,
            salt.count,
            &digest,
            digest.count
        )
        guard status == ARGON2_OK.rawValue else {
            let reason = argon2_error_message(status).map { String(cString: $0) } ?? "\(status)"
            throw AccessError.busy("Argon2id: \(reason)")
        }
        return digest
    }
}

/// bcrypt by libxcrypt: verified only, never made.
enum Bcrypt {
    /// What bcrypt reads of a password; more has no influence on its hash.
    static let passwordBytes = 72

    /// Whether `password` gives `setting`. Always takes the rounds that `setting` asks for.
    ///
    /// A password that holds U+0000 never does: bcrypt would stop there, and so take any that begins alike.
    static func isRight(_ password: [UInt8], for setting: String) -> Bool {
        let hasNUL = password.contains(0)
        let read = password.prefix(passwordBytes).map { CChar(bitPattern: $0 == 0 ? 1 : $0) } + [0]
        var scratch: UnsafeMutableRawPointer?
        var scratchBytes: Int32 = 0
        // Allocates its scratch itself, and is the one of its family that is safe on many threads without a fixed size.
        let answer = crypt_ra(read, setting, &scratch, &scratchBytes)
        defer {
            if let scratch {
                explicit_bzero(scratch, Int(scratchBytes))
                free(scratch)
            }
        }
        guard let answer else { return false }
        return isEqualInConstantTime(Array(String(cString: answer).utf8), Array(setting.utf8)) && !hasNUL
    }
}
