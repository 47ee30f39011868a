public import Domain
import Foundation

/// How much work one Argon2id hash is.
public struct PasswordCost: Sendable, Hashable {
    public let memoryKiB: Int
    public let passes: Int
    public let lanes: Int

    /// - Parameters:
    ///   - memoryKiB: no less than `Limits.passwordMemoryKiBMin`.
    ///   - passes: no less than `Limits.passwordPassesMin`.
    public init(memoryKiB: Int = Limits.passwordMemoryKiB, passes: Int = Limits.passwordPasses) {
        precondition(
            (Limits.passwordMemoryKiBMin...Limits.passwordMemoryKiBMax).contains(memoryKiB),
            "a password's hash of \(memoryKiB) KiB is out of bounds"
        )
        precondition(
            (Limits.passwordPassesMin...Limits.passwordPassesMax).contains(passes),
            "a password's hash of \(passes) passes is out of bounds"
        )
        self.init(unchecked: memoryKiB, passes: passes, lanes: 1)
    }

    init(unchecked memoryKiB: Int, passes: Int, lanes: Int) {
        self.memoryKiB = memoryKiB
        self.passes = passes
        self.lanes = lanes
    }
}

/// A stored hash of a password: Argon2id, which is made here, or bcrypt, which older programs left behind.
///
/// The text of the first is a PHC string (`$argon2id$v=19$m=65536,t=3,p=1$salt$digest`, base 64 without padding); of
/// the second modular crypt (`$2b$12$…`).
enum PasswordHash: Sendable, Hashable {
    case argon2id(cost: PasswordCost, salt: [UInt8], digest: [UInt8])
    case bcrypt(setting: String)

    static let saltBytes = 16
    static let digestBytes = 32

    /// Nil for any other form, and for one that asks for more work than `Limits` allow a sign-in.
    init?(_ text: String) {
        if let hash = Self.argon2id(text) ?? Self.bcrypt(text) { self = hash } else { return nil }
    }

    var text: String {
        switch self {
        case .argon2id(let cost, let salt, let digest):
            let parameters = "m=\(cost.memoryKiB),t=\(cost.passes),p=\(cost.lanes)"
            return "$argon2id$v=19$\(parameters)$\(Self.base64(salt))$\(Self.base64(digest))"
        case .bcrypt(let setting):
            return setting
        }
    }

    /// Whether it should be replaced when its password is at hand next: another algorithm, or less work than `cost`.
    func isOlder(than cost: PasswordCost) -> Bool {
        guard case .argon2id(let own, let salt, let digest) = self else { return true }
        return own.memoryKiB < cost.memoryKiB || own.passes < cost.passes || own.lanes != cost.lanes
            || salt.count < Self.saltBytes || digest.count < Self.digestBytes
    }

    private static func argon2id(_ text: String) -> Self? {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].isEmpty, parts[1] == "argon2id", parts[2] == "v=19",
            let salt = bytes(parts[4]), (8...64).contains(salt.count),
            let digest = bytes(parts[5]), (16...64).contains(digest.count)
        else { return nil }
        let names: [Substring] = ["m=", "t=", "p="]
        let fields = parts[3].split(separator: ",", omittingEmptySubsequences: false)
        guard fields.count == names.count else { return nil }
        let numbers = zip(fields, names).compactMap { field, name in
            field.hasPrefix(name) ? number(field.dropFirst(name.count)) : nil
        }
        guard numbers.count == names.count, (8...Limits.passwordMemoryKiBMax).contains(numbers[0]),
            (1...Limits.passwordPassesMax).contains(numbers[1]), (1...Limits.passwordLanesMax).contains(numbers[2]),
            numbers[0] >= 8 * numbers[2]
        else { return nil }
        let cost = PasswordCost(unchecked: numbers[0], passes: numbers[1], lanes: numbers[2])
        return .argon2id(cost: cost, salt: salt, digest: digest)
    }

    /// `$2a$`, `$2b$` or `$2y$`, two digits of cost, and 53 characters of salt and digest.
    private static func bcrypt(_ text: String) -> Self? {
        let bytes = Array(text.utf8)
        guard bytes.count == 60, ["$2a$", "$2b$", "$2y$"].contains(text.prefix(4)), bytes[6] == UInt8(ascii: "$"),
            let cost = number(text.dropFirst(4).prefix(2)), (4...Limits.bcryptCostMax).contains(cost),
            bytes[7...].allSatisfy({ isLetterOrDigit($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "/") })
        else { return nil }
        return .bcrypt(setting: text)
    }

    private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    private static func number(_ text: Substring) -> Int? {
        text.count <= 9 && text.utf8.allSatisfy { (0x30...0x39).contains($0) } ? Int(text) : nil
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("=", with: "")
    }

    private static func bytes(_ text: Substring) -> [UInt8]? {
        let padding = String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
        return Data(base64Encoded: text + padding).map { Array($0) }
    }
}
