/// What an identifier names, and the three letters it starts with.
public protocol IdentifierKind: Sendable {
    /// Three lower-case ASCII letters, as in Airtable's own identifiers.
    static var prefix: StaticString { get }
}

/// An Airtable-shaped identifier: a three-letter prefix and fourteen characters of `[A-Za-z0-9]`.
///
/// The kind is part of the type, so a table's identifier can't be passed for a base's. The fourteen
/// characters are kept packed in two words: copying, hashing and comparing never allocate.
/// Order is the byte order of the text.
public struct Identifier<Kind: IdentifierKind>: Hashable, Sendable, Comparable, LosslessStringConvertible {
    /// Characters after the prefix: 62¹⁴ is about 83 bits.
    public static var suffixLength: Int { 14 }

    private let high: UInt64
    private let low: UInt64

    /// Reads `text`; nil unless it is exactly the prefix and fourteen letters or digits.
    public init?(_ text: String) {
        var bytes = text
        guard let parsed = bytes.withUTF8({ Self.parse($0) }) else { return nil }
        self = parsed
    }

    private init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A new identifier from two words of `generator`, which costs as much as all the rest.
    ///
    /// A word is a fraction of 2⁶⁴: multiplied by 62 its whole part is a letter, and what is left the
    /// fraction for the next one. Seven letters of a word are each as likely as any other seven, up to
    /// 62⁷/2⁶⁴, one part in five million.
    public static func random(using generator: inout some RandomNumberGenerator) -> Self {
        var words: (UInt64, UInt64) = (0, 0)
        var fraction: UInt64 = 0
        for position in 0..<suffixLength {
            if position % 7 == 0 { fraction = generator.next() }
            let product = fraction.multipliedFullWidth(by: 62)
            fraction = product.low
            let letter = letter(product.high)
            if position < 8 { words.0 = words.0 << 8 | letter } else { words.1 = words.1 << 8 | letter }
        }
        return Self(high: words.0, low: words.1)
    }

    /// `A` to `Z`, `a` to `z`, `0` to `9` for 0..<62.
    private static func letter(_ value: UInt64) -> UInt64 {
        switch value {
        case ..<26: value + UInt64(UInt8(ascii: "A"))
        case ..<52: value - 26 + UInt64(UInt8(ascii: "a"))
        default: value - 52 + UInt64(UInt8(ascii: "0"))
        }
    }

    /// A new identifier from the system's secure generator.
    public static func random() -> Self {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    public var description: String {
        String(unsafeUninitializedCapacity: 3 + Self.suffixLength) { buffer in
            for position in 0..<3 { buffer[position] = Kind.prefix.utf8Start[position] }
            for position in 0..<8 { buffer[3 + position] = UInt8(truncatingIfNeeded: high >> (56 - 8 * position)) }
            for position in 0..<6 { buffer[11 + position] = UInt8(truncatingIfNeeded: low >> (40 - 8 * position)) }
            return 3 + Self.suffixLength
        }
    }

    public static func < (left: Self, right: Self) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }

    private static func parse(_ bytes: UnsafeBufferPointer<UInt8>) -> Self? {
        guard bytes.count == 3 + suffixLength else { return nil }
        for position in 0..<3 where bytes[position] != Kind.prefix.utf8Start[position] { return nil }
        var words: (UInt64, UInt64) = (0, 0)
        for position in 0..<suffixLength {
            let byte = bytes[3 + position]
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"):
                if position < 8 { words.0 = words.0 << 8 | UInt64(byte) } else { words.1 = words.1 << 8 | UInt64(byte) }
            default:
                return nil
            }
        }
        return Self(high: words.0, low: words.1)
    }
}

extension Identifier: Codable {
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let identifier = Self(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "expected \(Kind.prefix) and 14 letters or digits"
            )
        }
        self = identifier
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

extension Identifier: CodingKeyRepresentable {
    public var codingKey: any CodingKey { IdentifierCodingKey(stringValue: description) }
    public init?(codingKey: some CodingKey) { self.init(codingKey.stringValue) }
}

private struct IdentifierCodingKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}

public enum TenantKind: IdentifierKind { public static var prefix: StaticString { "ten" } }
public enum WorkspaceKind: IdentifierKind { public static var prefix: StaticString { "wsp" } }
public enum UserKind: IdentifierKind { public static var prefix: StaticString { "usr" } }
public enum KeyKind: IdentifierKind { public static var prefix: StaticString { "key" } }
public enum BaseKind: IdentifierKind { public static var prefix: StaticString { "app" } }
public enum TableKind: IdentifierKind { public static var prefix: StaticString { "tbl" } }
public enum FieldKind: IdentifierKind { public static var prefix: StaticString { "fld" } }
public enum RecordKind: IdentifierKind { public static var prefix: StaticString { "rec" } }
public enum ChoiceKind: IdentifierKind { public static var prefix: StaticString { "sel" } }
public enum AttachmentKind: IdentifierKind { public static var prefix: StaticString { "att" } }
public enum ViewKind: IdentifierKind { public static var prefix: StaticString { "viw" } }
public enum CommentKind: IdentifierKind { public static var prefix: StaticString { "com" } }
public enum ConversationKind: IdentifierKind { public static var prefix: StaticString { "cnv" } }
public enum ChatMessageKind: IdentifierKind { public static var prefix: StaticString { "msg" } }
public enum RunKind: IdentifierKind { public static var prefix: StaticString { "run" } }
public enum JobKind: IdentifierKind { public static var prefix: StaticString { "job" } }
public enum WebhookKind: IdentifierKind { public static var prefix: StaticString { "ach" } }
public enum AccountKind: IdentifierKind { public static var prefix: StaticString { "acc" } }
public enum SessionKind: IdentifierKind { public static var prefix: StaticString { "ses" } }
public enum GrantKind: IdentifierKind { public static var prefix: StaticString { "grt" } }
public enum RoleKind: IdentifierKind { public static var prefix: StaticString { "rol" } }
public enum GroupKind: IdentifierKind { public static var prefix: StaticString { "ugp" } }
public enum InviteKind: IdentifierKind { public static var prefix: StaticString { "inv" } }
public enum AuditEntryKind: IdentifierKind { public static var prefix: StaticString { "aud" } }

public typealias TenantID = Identifier<TenantKind>
public typealias WorkspaceID = Identifier<WorkspaceKind>
public typealias UserID = Identifier<UserKind>
public typealias KeyID = Identifier<KeyKind>
public typealias BaseID = Identifier<BaseKind>
public typealias TableID = Identifier<TableKind>
public typealias FieldID = Identifier<FieldKind>
public typealias RecordID = Identifier<RecordKind>
public typealias ChoiceID = Identifier<ChoiceKind>
public typealias AttachmentID = Identifier<AttachmentKind>
public typealias ViewID = Identifier<ViewKind>
public typealias CommentID = Identifier<CommentKind>
public typealias ConversationID = Identifier<ConversationKind>
public typealias ChatMessageID = Identifier<ChatMessageKind>
public typealias RunID = Identifier<RunKind>
public typealias JobID = Identifier<JobKind>
public typealias WebhookID = Identifier<WebhookKind>
public typealias AccountID = Identifier<AccountKind>
public typealias SessionID = Identifier<SessionKind>
public typealias GrantID = Identifier<GrantKind>
public typealias RoleID = Identifier<RoleKind>
public typealias GroupID = Identifier<GroupKind>
public typealias InviteID = Identifier<InviteKind>
public typealias AuditEntryID = Identifier<AuditEntryKind>
