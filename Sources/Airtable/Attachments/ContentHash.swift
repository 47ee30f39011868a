import Crypto

/// SHA-256 of a file's bytes: its name in the store.
package struct ContentHash: Sendable, Hashable, CustomStringConvertible {
    /// 64 lower-case hexadecimal digits.
    package let description: String

    /// Nil unless it is exactly that, so that it may stand in a path.
    package init?(_ text: String) {
        let isHexadecimal = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
            default: false
            }
        }
        guard text.utf8.count == 64, isHexadecimal else { return nil }
        description = text
    }

    fileprivate init(digest: SHA256.Digest) {
        description = digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    /// Of bytes that come piece by piece.
    package struct Builder {
        private var hash = SHA256()

        package init() {}

        package mutating func add(_ bytes: [UInt8]) { hash.update(data: bytes) }

        package func finish() -> ContentHash { ContentHash(digest: hash.finalize()) }
    }
}
