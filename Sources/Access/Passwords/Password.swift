import Domain
import Foundation

/// A password as somebody typed it, in Unicode's composed form (NFC), so that two keyboards that spell `é` differently
/// give the same one. Nothing is trimmed, cut or folded.
public struct Password: Sendable, CustomStringConvertible, CustomReflectable {
    /// Composed.
    let text: String
    /// `text` in UTF-8: what is hashed.
    let bytes: [UInt8]

    public init(_ typed: String) {
        text = typed.precomposedStringWithCanonicalMapping
        bytes = Array(text.utf8)
    }

    /// Whether anybody can have it: more bytes than this were never accepted, and are not worth hashing.
    var isWithinBytes: Bool { bytes.count <= Limits.passwordBytes }

    public var description: String { "<redacted>" }
    public var customMirror: Mirror { Mirror(self, children: []) }
}
